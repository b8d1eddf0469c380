import assert from "node:assert/strict";
import { describe, it } from "node:test";

import type { Resolver } from "../../../src/adapters/dns/resolver.ts";
import { expiredCertificate, validCertificate } from "../../support/certificates.ts";
import { at, delivery, inShort, noSignal, resultOf, stages, testCourier } from "../../support/scripted-courier.ts";
import { ALL_EXTENSIONS, type RemoteOptions, scriptedRemote, type Step } from "../../support/scripted-remote.ts";

const stage = stages();
const trusting = { trustedCertificates: [validCertificate.cert] };
const WITH_REQUIRETLS = [...ALL_EXTENSIONS, "REQUIRETLS"];

const sawSecret = (steps: readonly Step[]): boolean =>
  steps.some(({ secure, line }) => !secure && (line.includes("secret") || line.includes(Buffer.from("\0user\0secret").toString("base64"))));

describe("a smarthost with STARTTLS", () => {
  it("gets the message and the login over TLS, and the facts are kept", async () => {
    const auth = { user: "user", password: "secret" };
    const remote = { certificate: validCertificate, extensions: [...ALL_EXTENSIONS, "AUTH PLAIN"] };
    const { courier, remote: seen } = await stage(remote, trusting, { tls: "starttls", auth, host: "localhost" });
    const outcome = (await courier.deliver(delivery(), noSignal())).get(1);
    assert.equal(inShort(outcome), "delivered 250 2.0.0");
    const { tls, remoteHost } = resultOf(outcome);
    assert.equal(tls?.version, "TLSv1.3");
    assert.match(tls.cipher, /^TLS_/u);
    assert.equal(tls.verified, true);
    assert.equal(remoteHost, "localhost");
    assert.equal(seen.mails[0]?.secure, true);
    assert.ok(seen.steps.some(({ phase, secure }) => phase === "AUTH" && secure));
    assert.ok(!sawSecret(seen.steps));
  });

  it("gets nothing when it does not offer it: a login would show", async () => {
    const { courier, remote } = await stage({}, trusting, { tls: "starttls", auth: { user: "user", password: "secret" } });
    const outcome = (await courier.deliver(delivery(), noSignal())).get(1);
    assert.equal(inShort(outcome), "rejected 0");
    assert.match(resultOf(outcome).error, /STARTTLS/u);
    assert.ok(!remote.steps.some(({ phase }) => phase === "AUTH" || phase === "MAIL"));
  });

  for (const { what, certificate, trusted, host } of [
    { what: "nobody vouches for", certificate: validCertificate, trusted: [expiredCertificate.cert], host: "localhost" },
    { what: "has expired", certificate: expiredCertificate, trusted: [expiredCertificate.cert], host: "localhost" },
    { what: "is another host's", certificate: validCertificate, trusted: [validCertificate.cert], host: "127.0.0.2" },
  ]) {
    it(`gets nothing when its certificate ${what}`, async () => {
      const options = { trustedCertificates: trusted };
      const { courier, remote } = await stage({ certificate, host: "0.0.0.0" }, options, { tls: "starttls", host });
      const outcome = (await courier.deliver(delivery(), noSignal())).get(1);
      assert.equal(inShort(outcome), "rejected 0");
      assert.match(resultOf(outcome).error, /^TLS failed: /u);
      assert.equal(remote.mails.length, 0);
    });

    it(`gets the message when its certificate ${what} and nobody minds`, async () => {
      const options = { trustedCertificates: trusted };
      const { courier } = await stage({ certificate, host: "0.0.0.0" }, options, { tls: "starttls", host, verifyCertificate: false });
      const outcome = (await courier.deliver(delivery(), noSignal())).get(1);
      assert.equal(inShort(outcome), "delivered 250 2.0.0");
      assert.equal(resultOf(outcome).tls?.verified, false);
    });
  }

  it("that refuses the login makes the message wait, without telling the password", async () => {
    const remote: RemoteOptions = {
      certificate: validCertificate,
      extensions: ["AUTH PLAIN"],
      script: at("AUTH", "535 5.7.8 Bad credentials"),
    };
    const { courier } = await stage(remote, trusting, { tls: "starttls", host: "localhost", auth: { user: "user", password: "secret" } });
    const outcome = (await courier.deliver(delivery(), noSignal())).get(1);
    assert.equal(inShort(outcome), "rejected 0");
    assert.equal(resultOf(outcome).error, "AUTH PLAIN failed: 535 5.7.8 Bad credentials");
    assert.ok(!JSON.stringify(outcome).includes("secret"));
  });
});

describe("a smarthost with TLS from the start", () => {
  it("gets the message", async () => {
    const { courier, remote } = await stage({ certificate: validCertificate, implicitTls: true }, trusting, {
      tls: "implicit",
      host: "localhost",
    });
    const outcome = (await courier.deliver(delivery(), noSignal())).get(1);
    assert.equal(inShort(outcome), "delivered 250 2.0.0");
    assert.equal(resultOf(outcome).tls?.verified, true);
    assert.equal(remote.mails[0]?.secure, true);
  });

  it("that speaks plain text gets nothing", async () => {
    const { courier, remote } = await stage({}, trusting, { tls: "implicit", host: "localhost" });
    assert.equal(inShort((await courier.deliver(delivery(), noSignal())).get(1)), "rejected 0");
    assert.equal(remote.mails.length, 0);
  });
});

/** receiver.example has one mail exchanger, itself, on loopback. */
const atHome: Resolver = {
  mx: () => Promise.resolve({ status: "found", records: [{ exchange: "receiver.example", preference: 10 }] }),
  addresses: () => Promise.resolve({ status: "found", records: ["127.0.0.1"] }),
};

const direct = async (remoteOptions: RemoteOptions): Promise<Awaited<ReturnType<typeof stage>>> => {
  const remote = await scriptedRemote(remoteOptions);
  return { remote, courier: testCourier({ resolver: atHome, directPort: remote.port, ...trusting }) };
};

const done = async ({ remote, courier }: Awaited<ReturnType<typeof stage>>): Promise<void> => {
  await courier.close();
  await remote.close();
};

describe("direct delivery", () => {
  const toMx = delivery({ transport: null });
  const mustBeTls = delivery({ transport: null, requireTls: true });

  it("takes TLS along where it is offered, and says whether the certificate was any good", async () => {
    for (const [certificate, verified] of [
      [validCertificate, true],
      [expiredCertificate, false],
    ] as const) {
      const there = await direct({ certificate });
      const outcome = (await there.courier.deliver(toMx, noSignal())).get(1);
      assert.equal(inShort(outcome), "delivered 250 2.0.0");
      assert.equal(resultOf(outcome).tls?.verified, verified);
      assert.equal(resultOf(outcome).remoteHost, "receiver.example");
      await done(there);
    }
  });

  it("goes on in plain text when STARTTLS is refused or its handshake fails", async () => {
    for (const reply of ["454 4.7.0 Out of entropy", { cutAfter: "220 Go on, if you can" }]) {
      const remote: RemoteOptions = { script: at("STARTTLS", reply), extensions: [...ALL_EXTENSIONS, "STARTTLS"] };
      const there = await direct(remote);
      const first = (await there.courier.deliver(toMx, noSignal())).get(1);
      assert.equal(inShort(first), "delivered 250 2.0.0", JSON.stringify(reply));
      assert.equal(resultOf(first).tls, undefined);
      const opened = there.remote.connections();
      await there.courier.deliver(toMx, noSignal());
      assert.equal(there.remote.connections(), opened, "the plain session is kept like any other");
      await done(there);
    }
  });

  it("with RequireTLS uses verified TLS and REQUIRETLS", async () => {
    const there = await direct({ certificate: validCertificate, extensions: WITH_REQUIRETLS });
    const outcome = (await there.courier.deliver(mustBeTls, noSignal())).get(1);
    assert.equal(inShort(outcome), "delivered 250 2.0.0");
    assert.match(there.remote.mails[0]?.mailLine ?? "", / REQUIRETLS/u);
    assert.equal(resultOf(outcome).tls?.verified, true);
    await done(there);
  });

  it("with RequireTLS does not use a kept session that was opened without it", async () => {
    const there = await direct({ certificate: validCertificate, extensions: WITH_REQUIRETLS });
    await there.courier.deliver(toMx, noSignal());
    await there.courier.deliver(mustBeTls, noSignal());
    assert.equal(there.remote.connections(), 2);
    assert.deepEqual(
      there.remote.mails.map(({ mailLine }) => mailLine.includes("REQUIRETLS")),
      [false, true],
    );
    await done(there);
  });

  for (const { what, remote, outcome } of [
    { what: "is not offered TLS", remote: { extensions: WITH_REQUIRETLS }, outcome: "rejected for good 0 5.7.30" },
    { what: "is not offered REQUIRETLS", remote: { certificate: validCertificate }, outcome: "rejected for good 0 5.7.30" },
    { what: "cannot verify", remote: { certificate: expiredCertificate, extensions: WITH_REQUIRETLS }, outcome: "rejected 0 4.7.5" },
    {
      what: "meets a STARTTLS that does not work today",
      remote: { certificate: validCertificate, script: at("STARTTLS", "454 4.7.0 Later"), extensions: WITH_REQUIRETLS },
      outcome: "rejected 0 4.7.5",
    },
  ] satisfies readonly { what: string; remote: RemoteOptions; outcome: string }[]) {
    it(`with RequireTLS sends nothing when it ${what}`, async () => {
      const there = await direct(remote);
      assert.equal(inShort((await there.courier.deliver(mustBeTls, noSignal())).get(1)), outcome);
      assert.equal(there.remote.mails.length, 0);
      await done(there);
    });
  }

  it("with RequireTLS and a smarthost without TLS fails for good", async () => {
    const { courier, remote } = await stage();
    assert.equal(inShort((await courier.deliver(delivery({ requireTls: true }), noSignal())).get(1)), "rejected for good 0 5.7.30");
    assert.equal(remote.connections(), 0);
  });
});
