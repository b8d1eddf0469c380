import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { at, delivery, inShort, noSignal, smarthost, stages, testCourier } from "../../support/scripted-courier.ts";
import { closingAfter, type Script, scriptedRemote } from "../../support/scripted-remote.ts";

const stage = stages();

const inTurn = async (courier: ReturnType<typeof testCourier>, times: number): Promise<readonly string[]> => {
  const outcomes: string[] = [];
  for (let n = 0; n < times; n += 1) outcomes.push(inShort((await courier.deliver(delivery(), noSignal())).get(1)));
  return outcomes;
};

describe("a session kept after a delivery", () => {
  it("carries the next message without RSET or another greeting", async () => {
    const { courier, remote } = await stage();
    await inTurn(courier, 3);
    assert.equal(remote.connections(), 1);
    assert.deepEqual(
      remote.steps.map(({ phase }) => phase).filter((phase) => phase === "EHLO" || phase === "RSET" || phase === "DOT"),
      ["EHLO", "DOT", "DOT", "DOT"],
    );
  });

  it("is opened beside others when deliveries come at the same time, and all are used again", async () => {
    const { courier, remote } = await stage();
    const together = (): Promise<unknown> => Promise.all(Array.from({ length: 5 }, () => courier.deliver(delivery(), noSignal())));
    await together();
    await together();
    assert.equal(remote.connections(), 5);
    assert.equal(remote.mails.length, 10);
  });

  it("is closed with QUIT after its number of messages", async () => {
    const { courier, remote } = await stage({}, { kept: { maxMessages: 2 } });
    await inTurn(courier, 4);
    await remote.saw("QUIT", 2);
    assert.equal(remote.connections(), 2);
  });

  it("is closed with QUIT when nothing comes", async () => {
    const { courier, remote } = await stage({}, { kept: { idleMs: 20 } });
    await inTurn(courier, 1);
    await remote.saw("QUIT");
    await remote.idle();
    assert.deepEqual(await inTurn(courier, 1), ["delivered 250 2.0.0"]);
  });

  it("is one of a bounded number", async () => {
    const { courier, remote } = await stage({}, { kept: { maxIdle: 2 } });
    await Promise.all(Array.from({ length: 5 }, () => courier.deliver(delivery(), noSignal())));
    await remote.saw("QUIT", 3);
    assert.equal(remote.mails.length, 5);
  });

  it("is closed with QUIT by close, also when the remote does not answer it", async () => {
    const { courier, remote } = await stage({ script: at("QUIT", { hang: true }) }, { timeouts: { quitMs: 20 } });
    await inTurn(courier, 1);
    await courier.close();
    assert.equal(remote.steps.at(-1)?.phase, "QUIT");
    await remote.idle();
  });

  it("is reset after a refusal and used again", async () => {
    const script: Script = ({ phase, accepted, line }) =>
      phase === "RCPT" && accepted === 0 && line.includes("you") ? "550 5.1.1 Gone" : undefined;
    const { courier, remote } = await stage({ script });
    await inTurn(courier, 1);
    await remote.saw("RSET");
    const other = delivery({ recipients: [{ messageId: 1, address: "other@receiver.example", notify: null, originalRecipient: "" }] });
    assert.equal(inShort((await courier.deliver(other, noSignal())).get(1)), "delivered 250 2.0.0");
    assert.equal(remote.mails[0]?.to[0], "other@receiver.example");
  });

  it("that is refused its reset is closed", async () => {
    const script: Script = ({ phase }) => (phase === "RCPT" ? "550 5.1.1 Gone" : phase === "RSET" ? "500 5.5.1 No" : undefined);
    const { courier, remote } = await stage({ script });
    await inTurn(courier, 1);
    await remote.saw("QUIT");
    await remote.idle();
  });
});

describe("a kept session that went stale", () => {
  for (const reset of [false, true]) {
    it(`because the remote ${reset ? "dropped" : "closed"} it is replaced`, async () => {
      const { courier, remote } = await stage();
      await inTurn(courier, 1);
      remote.hangUp(reset);
      await remote.idle();
      assert.deepEqual(await inTurn(courier, 1), ["delivered 250 2.0.0"]);
      assert.equal(remote.connections(), 2);
    });
  }

  it("at the very moment of the next MAIL FROM is replaced at once", async () => {
    const script: Script = ({ phase, connection, accepted }) =>
      phase === "MAIL" && connection === 1 && accepted === 1 ? { cut: true } : undefined;
    const { courier, remote } = await stage({ script });
    assert.deepEqual(await inTurn(courier, 2), ["delivered 250 2.0.0", "delivered 250 2.0.0"]);
    assert.equal(remote.connections(), 2);
  });

  it("by a 421 at the next MAIL FROM is replaced at once", async () => {
    const { courier, remote } = await stage({ script: closingAfter(2) });
    assert.deepEqual(await inTurn(courier, 5), Array(5).fill("delivered 250 2.0.0"));
    assert.equal(remote.connections(), 3);
  });

  it("by a 421 out of the blue is replaced", async () => {
    const { courier, remote } = await stage();
    await inTurn(courier, 1);
    remote.say("421 4.4.2 Idle for too long\r\n");
    await remote.idle();
    assert.deepEqual(await inTurn(courier, 1), ["delivered 250 2.0.0"]);
  });

  it("after the final dot is in doubt, and not tried again", async () => {
    const script: Script = ({ phase, accepted }) => (phase === "DOT" && accepted === 1 ? { cut: true } : undefined);
    const { courier, remote } = await stage({ script });
    assert.deepEqual(await inTurn(courier, 2), ["delivered 250 2.0.0", "uncertain 0"]);
    assert.equal(remote.connections(), 1);
  });

  it("is replaced once: a remote that keeps failing is believed", async () => {
    const script: Script = ({ phase, connection, accepted }) =>
      phase === "MAIL" && (connection > 1 || accepted > 0) ? { cut: true } : undefined;
    const { courier, remote } = await stage({ script });
    assert.deepEqual(await inTurn(courier, 2), ["delivered 250 2.0.0", "rejected 0"]);
    assert.equal(remote.connections(), 2);
  });
});

describe("sessions of different hosts and logins", () => {
  it("do not stand in for each other", async () => {
    const [one, two] = await Promise.all([scriptedRemote(), scriptedRemote()]);
    const courier = testCourier({ transports: { one: smarthost(one.port), two: smarthost(two.port) } });
    await courier.deliver(delivery({ transport: "one" }), noSignal());
    await courier.deliver(delivery({ transport: "two" }), noSignal());
    assert.deepEqual([one.mails.length, two.mails.length], [1, 1]);
    await courier.close();
    await Promise.all([one.close(), two.close()]);
  });
});
