import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";

import { dnssec } from "../../../src/adapters/dns/dnssec.ts";
import { validatingResolver } from "../../../src/adapters/dns/validating-resolver.ts";
import { MINUTE_MS } from "../../../src/domain/clock.ts";
import { localDns, type DnsOptions, type Zone } from "../../support/local-dns.ts";
import { tlsaOf } from "../../support/test-authority.ts";
import { validCertificate } from "../../support/certificates.ts";
import { virtualClock } from "../../support/virtual-clock.ts";

const toClose: { readonly close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const one of toClose.splice(0)) await one.close();
});

const TLSA = tlsaOf(3, 1, 1, validCertificate.cert);

const ZONE: Zone = {
  "there.example": [
    { type: "MX", preference: 20, exchange: "MX2.there.example." },
    { type: "MX", preference: 10, exchange: "mx.there.example", ttl: 60 },
    { type: "TXT", text: "one ".repeat(100) },
  ],
  "mx.there.example": [
    { type: "A", address: "192.0.2.1", ttl: 100 },
    { type: "AAAA", address: "2001:db8::1", ttl: 90 },
  ],
  "alias.example": [{ type: "CNAME", target: "mx.there.example" }],
  "loop.example": [{ type: "CNAME", target: "loop.example.x" }],
  "_25._tcp.mx.there.example": [TLSA],
  "empty.example": [],
  "broken.example": "SERVFAIL",
  "silent.example": "silence",
};

/** Patience where an answer is expected: a busy machine must not look like a silent server. */
const PATIENT_MS = 20_000;

const asking = async (options: DnsOptions = {}, zone: Zone = ZONE, timeoutMs = PATIENT_MS) => {
  const dns = await localDns(zone, options);
  toClose.push(dns);
  return { dns, resolver: validatingResolver({ servers: [dns.server], timeoutMs, tries: 1 }) };
};

describe("a resolver that believes its server", () => {
  it("says what DNSSEC proves, and what not", async () => {
    const { resolver } = await asking({ secure: ["mx.there.example"] });
    assert.deepEqual(await resolver.addresses("mx.there.example"), {
      status: "found",
      records: ["192.0.2.1", "2001:db8::1"],
      ttlMs: 90_000,
      secure: true,
    });
    assert.deepEqual(await resolver.mx("there.example"), {
      status: "found",
      records: [
        { exchange: "mx2.there.example", preference: 20 },
        { exchange: "mx.there.example", preference: 10 },
      ],
      ttlMs: 60_000,
    });
  });

  it("says it also of what does not exist", async () => {
    const { resolver } = await asking({ secure: ["."] });
    assert.deepEqual(await resolver.mx("empty.example"), { status: "noData", secure: true });
    assert.deepEqual(await resolver.tlsa("nothing.example"), { status: "noDomain", secure: true });
  });

  it("reads certificates' records and texts", async () => {
    const { resolver } = await asking();
    const found = await resolver.tlsa("_25._tcp.mx.there.example");
    assert.ok(found.status === "found");
    const [record] = found.records;
    assert.deepEqual([record?.usage, record?.selector, record?.matchingType], [3, 1, 1]);
    assert.ok(TLSA.certificate.equals(record?.certificate ?? Buffer.alloc(0)));
    const text = await resolver.txt("there.example");
    assert.deepEqual(text.status === "found" && text.records, ["one ".repeat(100)]);
  });

  it("follows aliases and names where they lead", async () => {
    const { resolver } = await asking({ secure: ["."] });
    const found = await resolver.addresses("alias.example");
    assert.ok(found.status === "found");
    assert.deepEqual([found.canonical, found.records[0], found.secure], ["mx.there.example", "192.0.2.1", true]);
  });

  it("asks again over TCP when an answer does not fit", async () => {
    const { resolver, dns } = await asking({ truncates: true });
    const found = await resolver.mx("there.example");
    assert.equal(found.status, "found");
    assert.deepEqual(dns.questions, ["MX there.example", "MX there.example"]);
  });

  it("tells apart what cannot be asked", async () => {
    const { resolver } = await asking({}, ZONE, 100);
    for (const name of ["broken.example", "silent.example"]) {
      const { status } = await resolver.mx(name);
      assert.equal(status, "failed");
    }
  });

  it("goes on to the next server when one does not answer", async () => {
    const { dns } = await asking();
    const down = await localDns({});
    await down.close();
    const resolver = validatingResolver({ servers: [down.server, dns.server], timeoutMs: 1_000, tries: 1 });
    assert.equal((await resolver.addresses("mx.there.example")).status, "found");
  });
});

describe("DNS servers", () => {
  const looking = (servers: readonly string[], mode: "auto" | "trusted" | "off" = "auto") =>
    dnssec({ servers, mode, clock: virtualClock(), timeoutMs: 2_000 });

  it("on this machine are believed when they validate", async () => {
    const { dns } = await asking({ secure: [] });
    assert.deepEqual(await looking([dns.server]).validates(), { yes: true, reason: "" });
  });

  it("that do not validate are not, and the reason is told", async () => {
    const { dns } = await asking();
    const { yes, reason } = await looking([dns.server]).validates();
    assert.equal(yes, false);
    assert.match(reason, /does not validate/u);
  });

  for (const server of ["192.0.2.53", "127.0.0.11", "[2001:db8::1]:53"]) {
    it(`such as ${server} are not believed unless somebody vouches for the way there`, async () => {
      assert.match(looking([server]).distrust ?? "", /not on this machine/u);
      assert.equal((await looking([server]).validates()).yes, false);
      assert.equal(looking([server], "trusted").distrust, undefined);
    });
  }

  it("are not asked when DNSSEC is off, or when there are none", async () => {
    assert.match((await looking(["127.0.0.1:1"], "off").validates()).reason, /off/u);
    assert.match((await looking([]).validates()).reason, /no DNS server/u);
  });

  it("are asked again after a while", async () => {
    const { dns } = await asking();
    const clock = virtualClock();
    const watched = dnssec({ servers: [dns.server], mode: "auto", clock });
    await watched.validates();
    await watched.validates();
    assert.equal(dns.questions.length, 1);
    clock.advance(10 * MINUTE_MS);
    await watched.validates();
    assert.equal(dns.questions.length, 2);
  });
});
