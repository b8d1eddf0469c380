/** Direct delivery under DANE and MTA-STS: over real TLS, with the DNS answers that a test gives. */
import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";

import { validatingResolver } from "../../../src/adapters/dns/validating-resolver.ts";
import type { StsRules } from "../../../src/adapters/smtp-out/protection.ts";
import type { PolicyFacts } from "../../../src/domain/smtp-result.ts";
import { localDns, type DnsOptions, type Zone, type ZoneRecord } from "../../support/local-dns.ts";
import { at, delivery, inShort, noSignal, resultOf, testCourier } from "../../support/scripted-courier.ts";
import { ALL_EXTENSIONS, type RemoteOptions, scriptedRemote } from "../../support/scripted-remote.ts";
import { testAuthority, tlsaOf } from "../../support/test-authority.ts";

const authority = testAuthority();
const stranger = testAuthority("A stranger");
const good = authority.issue(["mx.receiver.example"]);
const other = stranger.issue(["mx.receiver.example"]);
const misnamed = authority.issue(["elsewhere.example"]);
const expired = authority.issue(["mx.receiver.example"], { to: new Date(2021, 0, 1) });

const toClose: { readonly close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const one of toClose.splice(0)) await one.close();
});

type World = {
  readonly remote?: RemoteOptions;
  readonly tlsa?: readonly ZoneRecord[] | "SERVFAIL";
  readonly secure?: DnsOptions["secure"];
  readonly zone?: Zone;
  readonly dane?: boolean;
  readonly sts?: StsRules;
  readonly requireTls?: boolean | null;
};

/** receiver.example with one mail exchanger on loopback; tells how a delivery to it ended, and what was asked. */
const attempt = async ({ remote = {}, tlsa, secure = ["."], zone, dane = true, sts, requireTls = null }: World) => {
  const host = await scriptedRemote({ certificate: good, ...remote });
  const dns = await localDns(
    {
      "receiver.example": [{ type: "MX", preference: 10, exchange: "mx.receiver.example" }],
      "mx.receiver.example": [{ type: "A", address: "127.0.0.1" }],
      ...(tlsa === undefined ? {} : { [`_${host.port}._tcp.mx.receiver.example`]: tlsa }),
      ...zone,
    },
    { secure },
  );
  const resolver = validatingResolver({ servers: [dns.server], timeoutMs: 500, tries: 1 });
  const courier = testCourier({
    resolver,
    directPort: host.port,
    trustedCertificates: [authority.root],
    policies: {
      ...(dane ? { dane: { available: () => Promise.resolve(true), tlsa: resolver.tlsa } } : {}),
      ...(sts === undefined ? {} : { mtaSts: () => Promise.resolve(sts) }),
    },
  });
  toClose.push(courier, dns, host);
  const outcome = (await courier.deliver(delivery({ transport: null, requireTls }), noSignal())).get(1);
  const result = resultOf(outcome);
  return { short: inShort(outcome), result, mails: host.mails, questions: dns.questions };
};

const decided = ({ policy }: { readonly policy?: PolicyFacts }): string =>
  `${policy?.decidedBy} ${policy?.dnssec} ${policy?.mtaSts ?? ""}`.trim();

describe("a mail exchanger with secure TLSA records", () => {
  for (const [what, certificate, record] of [
    ["that name its key", good, tlsaOf(3, 1, 1, good.cert)],
    [
      "that name its key, whoever signed it, whatever the names, and though it is over",
      stranger.issue(["x.example"], { to: new Date(2021, 0, 1) }),
      undefined,
    ],
    ["that name its certificate in SHA-512", good, tlsaOf(3, 0, 2, good.cert)],
    ["that hold its whole key", good, tlsaOf(3, 1, 0, good.cert)],
    ["that name its authority", other, tlsaOf(2, 0, 1, stranger.root)],
    ["that name its authority's key", other, tlsaOf(2, 1, 1, stranger.root)],
  ] as const) {
    it(`gets the message when it shows the certificate: records ${what}`, async () => {
      const { short, result } = await attempt({ remote: { certificate }, tlsa: [record ?? tlsaOf(3, 1, 1, certificate.cert)] });
      assert.equal(short, "delivered 250 2.0.0");
      assert.equal(result.tls?.verified, true);
      assert.equal(decided(result), "dane secure");
    });
  }

  for (const [what, world] of [
    ["shows another certificate", { tlsa: [tlsaOf(3, 1, 1, other.cert)] }],
    ["shows one of another authority", { tlsa: [tlsaOf(2, 0, 1, stranger.root)] }],
    ["shows one of its authority for another host", { tlsa: [tlsaOf(2, 0, 1, authority.root)], remote: { certificate: misnamed } }],
    ["shows one of its authority that is over", { tlsa: [tlsaOf(2, 0, 1, authority.root)], remote: { certificate: expired } }],
    ["offers no TLS", { tlsa: [tlsaOf(3, 1, 1, good.cert)], remote: { script: at("STARTTLS", "454 4.7.0 Not now") } }],
    ["cannot be asked about", { tlsa: "SERVFAIL" }],
  ] satisfies readonly (readonly [string, World])[]) {
    it(`gets nothing when it ${what}`, async () => {
      const { short, mails } = await attempt(world);
      assert.match(short, /^rejected 0/u);
      assert.equal(mails.length, 0);
    });
  }

  it("gets the message over any TLS when none of the records can be used", async () => {
    const { short, result } = await attempt({ tlsa: [{ ...tlsaOf(3, 1, 1, other.cert), usage: 1 }], remote: { certificate: other } });
    assert.equal(short, "delivered 250 2.0.0");
    assert.deepEqual([decided(result), result.tls?.verified], ["dane secure", false]);
  });

  it("is what an alias leads to", async () => {
    const zone: Zone = {
      "mx.receiver.example": [{ type: "CNAME", target: "real.example" }],
      "real.example": [{ type: "A", address: "127.0.0.1" }],
    };
    const { questions } = await attempt({ zone });
    const asked = questions.filter((question) => question.startsWith("TLSA"));
    assert.deepEqual(
      asked.map((question) => question.replace(/_\d+/u, "_n")),
      ["TLSA _n._tcp.real.example", "TLSA _n._tcp.mx.receiver.example"],
    );
  });

  it("is not bound by them where the sender says that TLS is not required", async () => {
    const { short, result } = await attempt({ tlsa: [tlsaOf(3, 1, 1, other.cert)], requireTls: false });
    assert.equal(short, "delivered 250 2.0.0");
    assert.equal(decided(result), "none ignored");
  });

  it("may be sent to under REQUIRETLS, which is then satisfied", async () => {
    const remote = { certificate: other, extensions: [...ALL_EXTENSIONS, "REQUIRETLS"] };
    const { short } = await attempt({ remote, tlsa: [tlsaOf(3, 1, 1, other.cert)], requireTls: true });
    assert.equal(short, "delivered 250 2.0.0");
  });

  it("goes by them and not by the MTA-STS policy, which they take precedence over", async () => {
    const sts: StsRules = { mode: "enforce", admits: () => false };
    const { short, result } = await attempt({ remote: { certificate: other }, tlsa: [tlsaOf(3, 1, 1, other.cert)], sts });
    assert.equal(short, "delivered 250 2.0.0");
    assert.equal(decided(result), "dane secure");
  });
});

describe("TLSA records", () => {
  const wrong = [tlsaOf(3, 1, 1, other.cert)];
  for (const [what, secure] of [
    ["the MX record is", ["mx.receiver.example"]],
    ["the host's address is", ["receiver.example"]],
  ] as const) {
    it(`are not even asked for where only ${what} proven`, async () => {
      const { short, result, questions } = await attempt({ tlsa: wrong, secure: what.includes("MX") ? ["receiver.example"] : secure });
      assert.equal(short, "delivered 250 2.0.0");
      assert.equal(decided(result), "none insecure");
      assert.ok(!questions.some((question) => question.startsWith("TLSA")));
    });
  }

  it("without proof say nothing", async () => {
    const { short } = await attempt({ tlsa: wrong, secure: ["receiver.example", "mx.receiver.example"] });
    assert.equal(short, "delivered 250 2.0.0");
  });

  it("are not asked for without a resolver that validates, and the attempt says so", async () => {
    const { short, result, questions } = await attempt({ tlsa: wrong, dane: false });
    assert.equal(short, "delivered 250 2.0.0");
    assert.equal(decided(result), "none unavailable");
    assert.ok(!questions.some((question) => question.startsWith("TLSA")));
  });
});

describe("a domain whose MTA-STS policy is enforced", () => {
  const enforce: StsRules = { mode: "enforce", admits: (host) => host === "mx.receiver.example" };

  it("gets mail over verified TLS", async () => {
    const { short, result } = await attempt({ sts: enforce });
    assert.equal(short, "delivered 250 2.0.0");
    assert.deepEqual([decided(result), result.tls?.verified], ["mta-sts secure enforce", true]);
  });

  for (const [what, world] of [
    ["whose certificate nobody vouches for", { remote: { certificate: other } }],
    ["whose certificate is another's", { remote: { certificate: misnamed } }],
    ["whose certificate is over", { remote: { certificate: expired } }],
    ["that offers no TLS", { remote: { script: at("STARTTLS", "502 5.5.1 What?") } }],
    ["that the policy does not name", { sts: { mode: "enforce", admits: () => false } }],
  ] satisfies readonly (readonly [string, World])[]) {
    it(`gets none at a host ${what}; the message waits`, async () => {
      const { short, mails } = await attempt({ sts: enforce, ...world });
      assert.match(short, /^rejected 0/u);
      assert.equal(mails.length, 0);
    });
  }

  it("gets mail by the next host when the policy does not name the first", async () => {
    const zone: Zone = {
      "receiver.example": [
        { type: "MX", preference: 5, exchange: "intruder.example" },
        { type: "MX", preference: 10, exchange: "mx.receiver.example" },
      ],
      "intruder.example": [{ type: "A", address: "127.0.0.1" }],
    };
    const { short, result } = await attempt({ sts: enforce, zone });
    assert.equal(short, "delivered 250 2.0.0");
    assert.equal(result.remoteHost, "mx.receiver.example");
  });

  it("gets mail anyhow where the sender says that TLS is not required", async () => {
    const { short } = await attempt({ sts: enforce, remote: { certificate: other }, requireTls: false });
    assert.equal(short, "delivered 250 2.0.0");
  });

  it("gets mail anyhow while the policy is only being tested, which the attempt tells", async () => {
    const { short, result } = await attempt({ sts: { mode: "testing", admits: () => false }, remote: { certificate: other } });
    assert.equal(short, "delivered 250 2.0.0");
    assert.deepEqual([decided(result), result.tls?.verified], ["none secure testing", false]);
  });
});
