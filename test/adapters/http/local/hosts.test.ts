/** Which names local mode answers to. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isLocalHost } from "../../../../src/adapters/http/local/hosts.ts";

describe("a Host header", () => {
  it("names this machine as localhost or by an address", () => {
    for (const host of ["localhost", "localhost:1080", "a.localhost", "127.0.0.1", "[::1]:1080", "10.0.0.1:1"])
      assert.ok(isLocalHost(host), host);
  });

  it("names it by what the operator allows", () => {
    assert.ok(isLocalHost("posthorn:1080", ["posthorn"]));
    assert.ok(!isLocalHost("posthorn.evil.example", ["posthorn"]));
  });

  it("is somebody else's otherwise", () => {
    for (const host of [
      undefined,
      "",
      "evil.example",
      "localhost.evil.example",
      "evil.example#localhost",
      "user@localhost",
      "localhost:x",
      "[::1",
      "1.2.3.4.5",
    ]) {
      assert.ok(!isLocalHost(host), String(host));
    }
  });
});
