import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";

import type { Courier } from "../../../src/domain/delivery.ts";
import { resolver } from "../../../src/adapters/dns/resolver.ts";
import type { CourierOptions } from "../../../src/adapters/smtp-out/courier.ts";
import { type LocalDns, localDns, type Zone } from "../../support/local-dns.ts";
import { at, delivery, inShort, noSignal, resultOf, testCourier } from "../../support/scripted-courier.ts";
import { type RemoteOptions, scriptedRemote, type ScriptedRemote } from "../../support/scripted-remote.ts";

const toClose: { readonly close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const one of toClose.splice(0)) await one.close();
});

type World = { readonly courier: Courier; readonly dns: LocalDns; readonly hosts: readonly ScriptedRemote[] };

/** One remote for each of 127.0.0.1, 127.0.0.2 …, all on one port, and a DNS server that knows the zone. */
const world = async (zone: Zone, remotes: readonly RemoteOptions[], options: Partial<CourierOptions> = {}): Promise<World> => {
  const hosts: ScriptedRemote[] = [];
  for (const [index, remote] of remotes.entries()) {
    hosts.push(await scriptedRemote({ ...remote, host: `127.0.0.${index + 1}`, port: hosts[0]?.port ?? 0 }));
  }
  const dns = await localDns(zone);
  const courier = testCourier({
    resolver: resolver({ servers: [dns.server], timeoutMs: 50, tries: 1 }),
    directPort: hosts[0]?.port ?? 1,
    timeouts: { connectMs: 1_000, greetingMs: 100 },
    ...options,
  });
  toClose.push(courier, dns, ...hosts);
  return { courier, dns, hosts };
};

const a = (address: string): { readonly type: "A"; readonly address: string } => ({ type: "A", address });
const mx = (preference: number, exchange: string): { readonly type: "MX"; readonly preference: number; readonly exchange: string } => ({
  type: "MX",
  preference,
  exchange,
});

const TWO: Zone = {
  "receiver.example": [mx(20, "mx2.receiver.example"), mx(10, "mx1.receiver.example")],
  "mx1.receiver.example": [a("127.0.0.1")],
  "mx2.receiver.example": [a("127.0.0.2")],
};

const toMx = delivery({ transport: null });
const attempt = async ({ courier }: World, what = toMx): Promise<string> => inShort((await courier.deliver(what, noSignal())).get(1));
const seen = ({ hosts }: World): readonly number[] => hosts.map(({ mails }) => mails.length);

describe("direct delivery", () => {
  it("goes to the exchanger with the lowest preference", async () => {
    const there = await world(TWO, [{}, {}]);
    const outcome = (await there.courier.deliver(toMx, noSignal())).get(1);
    assert.equal(inShort(outcome), "delivered 250 2.0.0");
    const { remoteHost, remoteAddress, transport } = resultOf(outcome);
    assert.deepEqual([remoteHost, remoteAddress, transport], ["mx1.receiver.example", "127.0.0.1", "direct"]);
    assert.deepEqual(seen(there), [1, 0]);
  });

  for (const { what, script } of [
    { what: "is busy at the greeting", script: at("CONNECT", "421 4.3.2 Busy") },
    { what: "is closed for good", script: at("CONNECT", "554 5.3.2 Not here") },
    { what: "hangs up", script: at("CONNECT", { cut: true }) },
    { what: "says nothing", script: at("CONNECT", { hang: true }) },
    { what: "breaks in the middle", script: at("DATA", { cut: true }) },
  ]) {
    it(`goes on to the next exchanger when the first ${what}`, async () => {
      const there = await world(TWO, [{ script }, {}]);
      assert.equal(await attempt(there), "delivered 250 2.0.0");
      assert.deepEqual(seen(there), [0, 1]);
    });
  }

  for (const { what, remote } of [
    { what: "refuses the recipient", remote: { script: at("RCPT", "550 5.1.1 Gone") } },
    { what: "greylists", remote: { script: at("RCPT", "451 4.7.1 Later") } },
    { what: "left everybody in doubt", remote: { script: at("DOT", { cut: true }) } },
  ] satisfies readonly { what: string; remote: RemoteOptions }[]) {
    it(`does not go on when the first exchanger ${what}`, async () => {
      const there = await world(TWO, [remote, {}]);
      assert.notEqual(await attempt(there), "delivered 250 2.0.0");
      assert.deepEqual(seen(there), [0, 0]);
      assert.equal(there.hosts[1]?.connections(), 0);
    });
  }

  it("tries the addresses of a host in turn", async () => {
    const zone: Zone = { "receiver.example": [a("127.0.0.9"), a("127.0.0.2")] };
    const there = await world(zone, [{}, {}]);
    assert.equal(await attempt(there), "delivered 250 2.0.0");
    assert.deepEqual(seen(there), [0, 1]);
  });

  it("spreads over equal exchangers", async () => {
    const zone: Zone = { ...TWO, "receiver.example": [mx(10, "mx1.receiver.example"), mx(10, "mx2.receiver.example")] };
    let draw = 0;
    // The exchangers' lots: 0, 1/2 and then 1/2, 0: the first goes first, then the second.
    const there = await world(zone, [{}, {}], { random: () => [0, 0.5, 0.5, 0][draw++ % 4] ?? 0 });
    await attempt(there);
    await attempt(there);
    assert.deepEqual(seen(there), [1, 1]);
  });

  it("goes to the domain's own address when it has no exchanger", async () => {
    const there = await world({ "receiver.example": [a("127.0.0.1")] }, [{}]);
    assert.equal(await attempt(there), "delivered 250 2.0.0");
  });

  it("goes to an address literal without asking anybody", async () => {
    const there = await world({}, [{}]);
    const literal = delivery({
      transport: null,
      recipientDomain: "[127.0.0.1]",
      recipients: [{ messageId: 1, address: "you@[127.0.0.1]", notify: null, originalRecipient: "" }],
    });
    assert.equal(await attempt(there, literal), "delivered 250 2.0.0");
    assert.deepEqual(there.dns.questions, []);
  });

  it("tries an exchanger that has no address, and then the next", async () => {
    const zone: Zone = { ...TWO, "receiver.example": [mx(5, "missing.example"), mx(10, "mx1.receiver.example")] };
    const there = await world(zone, [{}]);
    assert.equal(await attempt(there), "delivered 250 2.0.0");
  });

  for (const { what, zone, outcome } of [
    { what: "does not exist", zone: {}, outcome: "rejected for good 0 5.1.2" },
    { what: "has neither exchanger nor address", zone: { "receiver.example": [] }, outcome: "rejected for good 0 5.1.2" },
    { what: "wants no mail (null MX)", zone: { "receiver.example": [mx(0, ".")] }, outcome: "rejected for good 556 5.1.10" },
    { what: "has exchangers without addresses", zone: { "receiver.example": [mx(1, "missing.example")] }, outcome: "rejected 0 4.4.4" },
    { what: "cannot be asked about", zone: { "receiver.example": "SERVFAIL" }, outcome: "rejected 0 4.4.3" },
    { what: "is not answered for", zone: { "receiver.example": "silence" }, outcome: "rejected 0 4.4.3" },
    {
      what: "has an exchanger that cannot be asked about",
      zone: { "receiver.example": [mx(1, "mx1.receiver.example")], "mx1.receiver.example": "SERVFAIL" },
      outcome: "rejected 0 4.4.3",
    },
    { what: "leads back here", zone: { "receiver.example": [mx(10, "sender.example")] }, outcome: "rejected for good 0 5.4.6" },
  ] satisfies readonly { what: string; zone: Zone; outcome: string }[]) {
    it(`to a domain that ${what} is "${outcome}"`, async () => {
      assert.equal(await attempt(await world(zone, [])), outcome);
    });
  }

  it("as a backup exchanger goes to better exchangers only", async () => {
    const zone: Zone = {
      ...TWO,
      "receiver.example": [mx(10, "mx1.receiver.example"), mx(20, "sender.example"), mx(30, "mx2.receiver.example")],
    };
    const there = await world(zone, [{ script: at("CONNECT", "421 4.3.2 Busy") }, {}]);
    assert.equal(await attempt(there), "rejected 421 4.3.2");
    assert.equal(there.hosts[1]?.connections(), 0);
  });

  it("reports what may pass rather than what will not", async () => {
    const there = await world(TWO, [{ script: at("CONNECT", "421 4.3.2 Busy") }, { script: at("CONNECT", "554 5.3.2 Not here") }]);
    assert.equal(await attempt(there), "rejected 421 4.3.2");
  });

  it("is not drawn into hundreds of addresses", async () => {
    const zone: Zone = { "receiver.example": Array.from({ length: 20 }, (_, index) => a(`127.0.1.${index + 1}`)) };
    const there = await world(zone, []);
    assert.equal(await attempt(there), "rejected 0");
  });

  it("uses a kept session without asking for addresses again", async () => {
    const there = await world(TWO, [{}, {}]);
    await attempt(there);
    const asked = there.dns.questions.length;
    await attempt(there);
    assert.deepEqual(there.dns.questions.slice(asked), ["MX receiver.example"]);
    assert.equal(there.hosts[0]?.connections(), 1);
  });

  it("stops while the DNS is silent", async () => {
    const there = await world({ "receiver.example": "silence" }, [], {
      resolver: { mx: () => new Promise(() => undefined), addresses: () => new Promise(() => undefined) },
    });
    const stop = new AbortController();
    const delivering = there.courier.deliver(toMx, stop.signal);
    stop.abort();
    assert.equal(inShort((await delivering).get(1)), "interrupted");
  });
});
