import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { admits, announcedId, readPolicy } from "../../../src/adapters/mta-sts/policy.ts";

const FILE = "version: STSv1\r\nmode: enforce\r\nmx: mx.there.example\r\nmx: *.mail.there.example\r\nmax_age: 604800\r\n";

describe("the record that announces a policy", () => {
  for (const [what, records, id] of [
    ["names its id", ["v=STSv1; id=20260101T00;"], "20260101T00"],
    ["may stand among others", ["v=spf1 -all", "v=STSv1; id=a1"], "a1"],
    ["counts only when there is one", ["v=STSv1; id=a", "v=STSv1; id=b"], undefined],
    ["counts only with an id", ["v=STSv1;"], undefined],
    ["counts only with an id as it should be", [`v=STSv1; id=${"x".repeat(33)}`], undefined],
    ["is not another version's", ["v=STSv2; id=a"], undefined],
    ["may be missing", [], undefined],
  ] as const) {
    it(what, async () => {
      assert.equal(await announcedId("there.example", records), id);
    });
  }
});

describe("a policy file", () => {
  it("is read", () => {
    assert.deepEqual(readPolicy("a", FILE), {
      id: "a",
      mode: "enforce",
      mx: ["mx.there.example", "*.mail.there.example"],
      maxAgeMs: 604_800_000,
    });
  });

  for (const [what, file] of [
    ["of no version", FILE.replace("version: STSv1\r\n", "")],
    ["of another version", FILE.replace("STSv1", "STSv2")],
    ["of an unknown mode", FILE.replace("enforce", "maybe")],
    ["without an age", FILE.replace(/max_age.*/u, "")],
    ["of an endless age", FILE.replace("604800", "99999999999")],
    ["that enforces nothing", FILE.replace(/mx: .*\r\n/gu, "")],
    ["that is a web page", "<html>"],
    ["that is empty", ""],
  ] as const) {
    it(`${what} is refused`, () => {
      assert.throws(() => readPolicy("a", file));
    });
  }
});

describe("a host", () => {
  const policy = readPolicy("a", FILE);
  for (const [host, admitted] of [
    ["mx.there.example", true],
    ["a.mail.there.example", true],
    ["mail.there.example", false],
    ["a.b.mail.there.example", false],
    ["evilmx.there.example", false],
    ["there.example", false],
    ["localhost", false],
  ] as const) {
    it(`${host} is ${admitted ? "" : "not "}admitted`, () => {
      assert.equal(admits(policy, host), admitted);
    });
  }
});
