import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { type Route, transportFor } from "../../../src/adapters/smtp-out/transport.ts";
import { delivery, inShort, noSignal, resultOf, stages, testCourier } from "../../support/scripted-courier.ts";
import { type Script, scriptedRemote } from "../../support/scripted-remote.ts";

const route = (rest: Partial<Route>): Route => ({
  accounts: [],
  senderDomains: [],
  recipientDomains: [],
  minAttempt: 1,
  transport: "found",
  ...rest,
});

describe("the transport of a delivery", () => {
  const undecided = delivery({ transport: null });
  for (const { what, rest, matches } of [
    { what: "without conditions", rest: {}, matches: true },
    { what: "for its account", rest: { accounts: ["other", "app"] }, matches: true },
    { what: "for another account", rest: { accounts: ["other"] }, matches: false },
    { what: "for its sender's domain", rest: { senderDomains: ["sender.example"] }, matches: true },
    { what: "for another sender's domain", rest: { senderDomains: ["example"] }, matches: false },
    { what: "for its recipient's domain", rest: { recipientDomains: ["receiver.example"] }, matches: true },
    { what: "for the domains above its recipient's", rest: { recipientDomains: [".example"] }, matches: true },
    { what: "for the domains below its recipient's", rest: { recipientDomains: [".receiver.example"] }, matches: false },
    { what: "for a domain that ends alike", rest: { recipientDomains: ["eiver.example"] }, matches: false },
    { what: "whose conditions it meets in part", rest: { accounts: ["app"], recipientDomains: ["elsewhere.example"] }, matches: false },
    { what: "for later attempts", rest: { minAttempt: 2 }, matches: false },
    { what: "for this attempt", rest: { minAttempt: 1 }, matches: true },
  ] satisfies readonly { what: string; rest: Partial<Route>; matches: boolean }[]) {
    it(`is ${matches ? "" : "not "}that of a route ${what}`, () => {
      assert.equal(transportFor(undecided, [route(rest)]), matches ? "found" : "direct");
    });
  }

  it("is the first matching route's", () => {
    const routes = [route({ minAttempt: 9, transport: "no" }), route({ transport: "first" }), route({ transport: "second" })];
    assert.equal(transportFor(undecided, routes), "first");
  });

  it("is the operator's, whatever the routes say", () => {
    assert.equal(transportFor(delivery({ transport: "mine" }), [route({})]), "mine");
  });
});

describe("a transport that fails", () => {
  for (const { code, outcome } of [
    { code: 550, outcome: "rejected for good 550 5.7.0" },
    { code: 451, outcome: "rejected 451 4.7.0" },
  ]) {
    it(`with ${code} answers every message so`, async () => {
      const courier = testCourier({ transports: { blocked: { kind: "fail", code, message: "Not from here" } } });
      const result = (await courier.deliver(delivery({ transport: "blocked" }), noSignal())).get(1);
      assert.equal(inShort(result), outcome);
      assert.equal(resultOf(result).error, "Not from here");
      assert.equal(resultOf(result).transport, "blocked");
    });
  }
});

describe("a transport that is not there", () => {
  for (const name of ["gone", "constructor", "__proto__"]) {
    it(`makes the message wait (${name})`, async () => {
      const result = (await testCourier({}).deliver(delivery({ transport: name }), noSignal())).get(1);
      assert.equal(inShort(result), "rejected 0");
      assert.match(resultOf(result).error, /no transport/u);
    });
  }
});

describe("a smarthost given by name", () => {
  const stage = stages();
  it("is looked up as the system does it", async () => {
    const { courier } = await stage({}, {}, { host: "localhost" });
    const result = (await courier.deliver(delivery(), noSignal())).get(1);
    assert.equal(inShort(result), "delivered 250 2.0.0");
    assert.equal(resultOf(result).remoteHost, "localhost");
  });
});

describe("local delivery", () => {
  const recipients = ["a", "permerror", "b"].map((name, index) => ({
    messageId: index + 1,
    address: `${name}@localhost`,
    notify: null,
    originalRecipient: "",
  }));
  const failing = (): Script => {
    const failingOn = new Set<number>();
    return ({ phase, line, connection }) => {
      if (phase === "MAIL") failingOn.delete(connection);
      if (phase === "RCPT" && line.includes("permerror")) failingOn.add(connection);
      return phase === "DOT" && failingOn.has(connection) ? "550 5.0.0 On purpose" : undefined;
    };
  };

  it("gives each recipient a transaction of its own, so that one that fails on purpose fails alone", async () => {
    const remote = await scriptedRemote({ script: failing() });
    const courier = testCourier({ transports: { local: { kind: "local", host: "127.0.0.1", port: remote.port } } });
    const outcomes = await courier.deliver(delivery({ transport: "local", recipients, requireTls: true }), noSignal());
    assert.deepEqual(
      [1, 2, 3].map((id) => inShort(outcomes.get(id))),
      ["delivered 250 2.0.0", "rejected for good 550 5.0.0", "delivered 250 2.0.0"],
    );
    assert.deepEqual(remote.mails.map(({ to }) => to[0]).sort(), ["a@localhost", "b@localhost"]);
    await courier.close();
    await remote.close();
  });

  it("carries many recipients over few connections", async () => {
    const remote = await scriptedRemote();
    const courier = testCourier({ transports: { local: { kind: "local", host: "127.0.0.1", port: remote.port } } });
    const many = Array.from({ length: 100 }, (_, index) => ({
      messageId: index,
      address: `r${index}@localhost`,
      notify: null,
      originalRecipient: "",
    }));
    const outcomes = await courier.deliver(delivery({ transport: "local", recipients: many }), noSignal());
    assert.equal([...outcomes.values()].filter(({ kind }) => kind === "delivered").length, 100);
    assert.ok(remote.connections() <= 20);
    await courier.close();
    await remote.close();
  });
});
