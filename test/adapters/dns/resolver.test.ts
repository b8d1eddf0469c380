import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { type Resolver, resolver } from "../../../src/adapters/dns/resolver.ts";
import { type LocalDns, localDns } from "../../support/local-dns.ts";

describe("the resolver", () => {
  let dns: LocalDns;
  let asking: Resolver;

  before(async () => {
    dns = await localDns({
      "receiver.example": [
        { type: "MX", preference: 20, exchange: "MX2.receiver.example" },
        { type: "MX", preference: 10, exchange: "mx1.receiver.example" },
      ],
      "mx1.receiver.example": [
        { type: "A", address: "192.0.2.1", ttl: 600 },
        { type: "A", address: "192.0.2.2", ttl: 60 },
        { type: "AAAA", address: "2001:db8::1", ttl: 900 },
      ],
      "six.example": [{ type: "AAAA", address: "2001:db8::6" }],
      "null.example": [{ type: "MX", preference: 0, exchange: "." }],
      "empty.example": [],
      "broken.example": "SERVFAIL",
      "silent.example": "silence",
    });
    asking = resolver({ servers: [dns.server], timeoutMs: 50, tries: 1 });
  });
  after(() => dns.close());

  it("finds mail exchangers, in lower case", async () => {
    const found = await asking.mx("receiver.example");
    assert.equal(found.status, "found");
    assert.deepEqual(
      [...found.records].sort((a, b) => a.preference - b.preference),
      [
        { exchange: "mx1.receiver.example", preference: 10 },
        { exchange: "mx2.receiver.example", preference: 20 },
      ],
    );
  });

  it("finds addresses of both kinds, IPv4 first, good for the shortest time among them", async () => {
    const found = await asking.addresses("mx1.receiver.example");
    assert.deepEqual(found, { status: "found", records: ["192.0.2.1", "192.0.2.2", "2001:db8::1"], ttlMs: 60_000 });
    assert.deepEqual(await asking.addresses("six.example"), { status: "found", records: ["2001:db8::6"], ttlMs: 300_000 });
  });

  it("reads a null MX as an empty name", async () => {
    assert.deepEqual(await asking.mx("null.example"), { status: "found", records: [{ exchange: "", preference: 0 }] });
  });

  it("tells a name that does not exist from one without such records", async () => {
    assert.deepEqual(await asking.mx("nowhere.example"), { status: "noDomain" });
    assert.deepEqual(await asking.addresses("nowhere.example"), { status: "noDomain" });
    assert.deepEqual(await asking.mx("empty.example"), { status: "noData" });
    assert.deepEqual(await asking.addresses("empty.example"), { status: "noData" });
  });

  it("tells both from a server that fails or is silent", async () => {
    assert.deepEqual(await asking.mx("broken.example"), { status: "failed", reason: "DNS lookup of broken.example failed: ESERVFAIL" });
    assert.deepEqual(await asking.addresses("broken.example"), {
      status: "failed",
      reason: "DNS lookup of broken.example failed: ESERVFAIL",
    });
    assert.deepEqual(await asking.mx("silent.example"), { status: "failed", reason: "DNS lookup of silent.example failed: ETIMEOUT" });
  });

  it("takes a name that cannot be one for a domain that does not exist", async () => {
    assert.equal((await asking.mx(`${"a".repeat(64)}.example`)).status, "noDomain");
    assert.equal((await asking.mx("a..example")).status, "noDomain");
  });
});
