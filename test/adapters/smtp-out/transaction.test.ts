import assert from "node:assert/strict";
import { describe, it } from "node:test";

import type { DeliveryRecipient } from "../../../src/domain/delivery.ts";
import { at, CONTENT, delivery, inShort, noSignal, resultOf, stages, storing } from "../../support/scripted-courier.ts";
import { ALL_EXTENSIONS, greylisting, type Script } from "../../support/scripted-remote.ts";

const stage = stages();

const recipients = (...names: string[]): readonly DeliveryRecipient[] =>
  names.map((name, index) => ({ messageId: index + 1, address: `${name}@receiver.example`, notify: null, originalRecipient: "" }));

const bothWays = [
  { how: "with pipelining", extensions: ALL_EXTENSIONS },
  { how: "command by command", extensions: ALL_EXTENSIONS.filter((extension) => extension !== "PIPELINING") },
];

describe("a delivery that the remote accepts", () => {
  for (const { how, extensions } of bothWays) {
    it(`arrives byte for byte, ${how}`, async () => {
      const content = Buffer.concat([CONTENT, Buffer.from(".\r\n..two\r\n.hidden\r\nöäü\r\n\r\n")]);
      const { remote, courier } = await stage({ extensions }, { contents: storing(content) });
      const outcomes = await courier.deliver(delivery({ eightBit: true }), noSignal());
      assert.equal(inShort(outcomes.get(1)), "delivered 250 2.0.0");
      assert.deepEqual(remote.mails[0]?.content, content);
      assert.deepEqual(remote.mails[0].to, ["you@receiver.example"]);
      assert.match(remote.mails[0].mailLine, /^MAIL FROM:<app@sender\.example> .*BODY=8BITMIME/u);
    });
  }

  it("records where it went and when", async () => {
    const { remote, courier } = await stage();
    const result = resultOf((await courier.deliver(delivery(), noSignal())).get(1));
    assert.deepEqual(result, {
      startedAt: Date.UTC(2026, 5, 1, 12),
      durationMs: 0,
      code: 250,
      enhancedCode: "2.0.0",
      error: "",
      remoteHost: "127.0.0.1",
      remoteAddress: "127.0.0.1",
      transport: "smarthost",
    });
    assert.equal(remote.steps[1]?.line, "EHLO sender.example");
  });

  it("announces its size only to those who asked", async () => {
    const { remote, courier } = await stage();
    await courier.deliver(delivery(), noSignal());
    assert.equal(remote.mails[0]?.mailLine, `MAIL FROM:<app@sender.example> SIZE=${CONTENT.length}`);
    const plain = await stage({ extensions: [] });
    await plain.courier.deliver(delivery(), noSignal());
    assert.equal(plain.remote.mails[0]?.mailLine, "MAIL FROM:<app@sender.example>");
  });

  it("may have the null reverse path and a large content", async () => {
    const content = Buffer.concat([CONTENT, Buffer.from(`${"x".repeat(76)}\r\n.\r\n`.repeat(20_000))]);
    const { remote, courier } = await stage({}, { contents: storing(content) });
    const outcomes = await courier.deliver(delivery({ mailFrom: "" }), noSignal());
    assert.equal(inShort(outcomes.get(1)), "delivered 250 2.0.0");
    assert.equal(remote.mails[0]?.from, "");
    assert.ok(remote.mails[0].content.equals(content));
  });

  it("is sent once to an address that stands there twice, and delivered for both", async () => {
    const { remote, courier } = await stage();
    const outcomes = await courier.deliver(delivery({ recipients: recipients("you", "you") }), noSignal());
    assert.deepEqual([inShort(outcomes.get(1)), inShort(outcomes.get(2))], ["delivered 250 2.0.0", "delivered 250 2.0.0"]);
    assert.deepEqual(remote.mails[0]?.to, ["you@receiver.example"]);
  });

  it("gets SMTPUTF8 when only its header needs it, and not the one after it", async () => {
    const { remote, courier } = await stage();
    await courier.deliver(delivery({ smtpUtf8: true }), noSignal());
    await courier.deliver(delivery({ smtpUtf8: true, mailFrom: "jörg@sender.example" }), noSignal());
    await courier.deliver(delivery(), noSignal());
    assert.deepEqual(
      remote.mails.map(({ mailLine }) => mailLine.match(/SMTPUTF8/gu)?.length ?? 0),
      [1, 1, 0],
    );
    assert.equal(remote.connections(), 1);
  });
});

describe("a remote that refuses", () => {
  for (const { how, extensions } of bothWays) {
    for (const { phase, reply, outcome, text } of [
      { phase: "CONNECT", reply: "554 5.3.2 No service", outcome: "rejected for good 554 5.3.2", text: "No service" },
      { phase: "CONNECT", reply: "421 4.3.2 Later", outcome: "rejected 421 4.3.2", text: "Later" },
      { phase: "EHLO", reply: "421 4.3.2 Later", outcome: "rejected 421 4.3.2", text: "Later" },
      { phase: "MAIL", reply: "550 5.7.1 Not you", outcome: "rejected for good 550 5.7.1", text: "Not you" },
      { phase: "MAIL", reply: "451 4.7.1 Not now", outcome: "rejected 451 4.7.1", text: "Not now" },
      { phase: "MAIL", reply: "421 4.7.0 Slow down", outcome: "rejected 421 4.7.0", text: "Slow down" },
      { phase: "RCPT", reply: "550 5.1.1 Nobody", outcome: "rejected for good 550 5.1.1", text: "Nobody" },
      { phase: "RCPT", reply: "452 4.5.3 Too many", outcome: "rejected 452 4.5.3", text: "Too many" },
      { phase: "RCPT", reply: "550 no enhanced code", outcome: "rejected for good 550", text: "no enhanced code" },
      { phase: "DATA", reply: "554 5.7.1 No", outcome: "rejected for good 554 5.7.1", text: "No" },
      { phase: "DOT", reply: "552 5.2.2 Full", outcome: "rejected for good 552 5.2.2", text: "Full" },
      { phase: "DOT", reply: "421 4.3.0 Bye", outcome: "rejected 421 4.3.0", text: "Bye" },
      { phase: "DOT", reply: "550-5.7.1 Looks\r\n550 5.7.1 like spam", outcome: "rejected for good 550 5.7.1", text: "Looks like spam" },
      { phase: "MAIL", reply: "354 What", outcome: "rejected 0", text: "unexpected reply: 354 What" },
      { phase: "RCPT", reply: "999 What", outcome: "rejected 0", text: "unexpected reply: 999 What" },
    ]) {
      it(`at ${phase} with "${reply.replaceAll("\r\n", " / ")}" is taken at its word, ${how}`, async () => {
        const { courier } = await stage({ extensions, script: at(phase, reply) });
        const outcome1 = (await courier.deliver(delivery(), noSignal())).get(1);
        assert.equal(inShort(outcome1), outcome);
        assert.equal(resultOf(outcome1).error, text);
      });
    }
  }

  it("keeps its words within bounds and free of control characters", async () => {
    const { courier } = await stage({ script: at("RCPT", `550-5.1.1 \u0000\u001b[31mred\r\n550 ${"é".repeat(3_000)}`) });
    const { error } = resultOf((await courier.deliver(delivery(), noSignal())).get(1));
    assert.ok(error.startsWith("[31mred é"), error.slice(0, 20));
    assert.ok(error.length <= 500);
  });

  it("a greylister gets the message at the second try", async () => {
    const { courier, remote } = await stage({ script: greylisting() });
    assert.equal(inShort((await courier.deliver(delivery(), noSignal())).get(1)), "rejected 451 4.7.1");
    assert.equal(inShort((await courier.deliver(delivery({ attempt: 2 }), noSignal())).get(1)), "delivered 250 2.0.0");
    assert.equal(remote.mails.length, 1);
  });

  for (const { how, extensions } of bothWays) {
    it(`some recipients does not keep the message from the others, ${how}`, async () => {
      const script: Script = ({ phase, line }) => {
        if (phase !== "RCPT") return undefined;
        if (line.includes("gone")) return "550 5.1.1 Gone";
        return line.includes("full") ? "452 4.2.2 Full" : undefined;
      };
      const { remote, courier } = await stage({ extensions, script });
      const outcomes = await courier.deliver(delivery({ recipients: recipients("a", "gone", "full", "b") }), noSignal());
      assert.deepEqual(
        [1, 2, 3, 4].map((id) => inShort(outcomes.get(id))),
        ["delivered 250 2.0.0", "rejected for good 550 5.1.1", "rejected 452 4.2.2", "delivered 250 2.0.0"],
      );
      assert.deepEqual(remote.mails[0]?.to, ["a@receiver.example", "b@receiver.example"]);
    });

    it(`all recipients, each with its own words, sees no content, ${how}`, async () => {
      const script: Script = ({ phase, line }) =>
        phase === "RCPT" ? (line.includes("gone") ? "550 5.1.1 Gone" : "450 4.2.1 Busy") : undefined;
      const { remote, courier } = await stage({ extensions, script });
      const outcomes = await courier.deliver(delivery({ recipients: recipients("gone", "busy") }), noSignal());
      assert.deepEqual([inShort(outcomes.get(1)), inShort(outcomes.get(2))], ["rejected for good 550 5.1.1", "rejected 450 4.2.1"]);
      assert.equal(remote.steps.filter(({ phase }) => phase === "DOT").length, 0);
    });
  }

  it("the content leaves the refusals of single recipients as they were", async () => {
    const script: Script = ({ phase, line }) => {
      if (phase === "DOT") return "451 4.3.0 Scanner down";
      return phase === "RCPT" && line.includes("gone") ? "550 5.1.1 Gone" : undefined;
    };
    const { courier } = await stage({ script });
    const outcomes = await courier.deliver(delivery({ recipients: recipients("a", "gone") }), noSignal());
    assert.deepEqual([inShort(outcomes.get(1)), inShort(outcomes.get(2))], ["rejected 451 4.3.0", "rejected for good 550 5.1.1"]);
  });
});

describe("a remote that offers less than the message needs", () => {
  it("does not get 8-bit content, for good", async () => {
    const { remote, courier } = await stage({ extensions: ["PIPELINING"] });
    assert.equal(inShort((await courier.deliver(delivery({ eightBit: true }), noSignal())).get(1)), "rejected for good 0 5.6.3");
    assert.equal(remote.mails.length, 0);
  });

  it("may be a greylister's front door when it offers nothing at all", async () => {
    const { courier } = await stage({ script: at("EHLO", "250 Hello, spam sender") });
    assert.equal(inShort((await courier.deliver(delivery({ eightBit: true }), noSignal())).get(1)), "rejected 0 4.6.3");
  });

  it("does not get UTF-8 addresses or headers", async () => {
    const { courier } = await stage({ extensions: ["8BITMIME"] });
    assert.equal(inShort((await courier.deliver(delivery({ smtpUtf8: true }), noSignal())).get(1)), "rejected for good 0 5.6.7");
  });

  it("does not get a message above its size", async () => {
    const { remote, courier } = await stage({ extensions: ["SIZE 10"] });
    assert.equal(inShort((await courier.deliver(delivery(), noSignal())).get(1)), "rejected for good 0 5.3.4");
    assert.equal(remote.steps.filter(({ phase }) => phase === "MAIL").length, 0);
  });

  it("gets plain messages by HELO when it knows no EHLO", async () => {
    const { remote, courier } = await stage({ script: at("EHLO", "502 5.5.1 Unknown") });
    assert.equal(inShort((await courier.deliver(delivery(), noSignal())).get(1)), "delivered 250 2.0.0");
    assert.equal(remote.mails.length, 1);
  });
});

describe("an address with quoted angle brackets", () => {
  it("fails alone", async () => {
    const { courier } = await stage();
    const odd = { messageId: 2, address: '"a<b"@receiver.example', notify: null, originalRecipient: "" };
    const outcomes = await courier.deliver(delivery({ recipients: [...recipients("you"), odd] }), noSignal());
    assert.deepEqual([inShort(outcomes.get(1)), inShort(outcomes.get(2))], ["delivered 250 2.0.0", "rejected for good 0 5.1.3"]);
  });
});
