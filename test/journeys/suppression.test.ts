import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { houses, type House } from "../support/posthorn.ts";
import type { Script } from "../support/scripted-remote.ts";

const house = houses();

/** A remote that answers RCPT as it is told at the moment. */
const changing = () => {
  const state: { reply: string | undefined } = { reply: undefined };
  const script: Script = ({ phase }) => (phase === "RCPT" ? state.reply : undefined);
  return { state, script };
};

const present = async ({ webapi }: House, EmailAddress: string): Promise<boolean> =>
  ((await webapi("SuppressionPresent", { EmailAddress })).body as { Present: boolean }).Present;

describe("a message to an address that does not exist", () => {
  it("fails, and puts the address on the suppression list with its cause", async () => {
    const { state, script } = changing();
    state.reply = "550 5.1.1 No such user";
    const ours = await house({ remote: { script } });
    const id = await ours.sendTo("Bob+Orders@There.example");
    const { body } = await ours.receiver.next("failed");
    assert.deepEqual([body.QueueMsgID, body.Suppressing, body.SMTPCode, body.SMTPEnhancedCode], [id, true, 550, "5.1.1"]);

    const { event } = await ours.awaitEvent("SuppressionAdded");
    const failed = await ours.awaitEvent("DeliveryFailed");
    assert.deepEqual(event.cause, { stream: `message-${id}`, revision: failed.revision });
    await ours.quiet();
    const { Suppressions } = (await ours.webapi("SuppressionList", {})).body as { Suppressions: readonly Record<string, unknown>[] };
    assert.deepEqual(
      Suppressions.map(({ BaseAddress, OriginalAddress, Manual, Account }) => ({ BaseAddress, OriginalAddress, Manual, Account })),
      [{ BaseAddress: "bob@there.example", OriginalAddress: "Bob+Orders@there.example", Manual: false, Account: "shop" }],
    );
  });

  it("is followed by messages that are not tried, until the address is taken off the list", async () => {
    const { state, script } = changing();
    state.reply = "550 5.1.1 No such user";
    const ours = await house({ remote: { script } });
    await ours.sendTo("bob@there.example");
    await ours.receiver.next("failed");
    await ours.quiet();
    const connections = ours.remote.connections();
    const steps = ours.remote.steps.filter(({ phase }) => phase === "MAIL").length;

    const second = await ours.sendTo("bob+other@there.example");
    const { body } = await ours.receiver.next("suppressed");
    await ours.quiet();
    assert.deepEqual([body.QueueMsgID, body.SMTPCode, body.Suppressing], [second, 0, false]);
    assert.equal(ours.remote.connections(), connections);
    assert.equal(ours.remote.steps.filter(({ phase }) => phase === "MAIL").length, steps);
    assert.deepEqual(
      (await ours.list("/retired?state=suppressed")).map(({ id, attempts }) => [id, attempts]),
      [[second, 0]],
    );

    state.reply = undefined;
    assert.equal(await present(ours, "BOB@there.example"), true);
    assert.equal((await ours.webapi("SuppressionRemove", { EmailAddress: "bob@there.example" })).status, 200);
    assert.equal(await present(ours, "bob@there.example"), false);
    await ours.sendTo("bob@there.example");
    await ours.receiver.next("delivered");
    assert.deepEqual(
      ours.remote.mails.map(({ to }) => to),
      [["bob@there.example"]],
    );
  });
});

describe("an address that the application suppresses itself", () => {
  it("gets nothing from the next call on", async () => {
    const ours = await house();
    assert.equal(
      (await ours.webapi("SuppressionAdd", { EmailAddress: "bob@there.example", Manual: true, Reason: "asked for it" })).status,
      200,
    );
    await ours.sendTo("bob@there.example");
    await ours.receiver.next("suppressed");
    assert.equal(ours.remote.connections(), 0);
  });
});

describe("failures that say nothing about the address", () => {
  const fail = async (ours: House, reply: string, state: { reply: string | undefined }): Promise<boolean> => {
    state.reply = reply;
    await ours.sendTo("bob@there.example");
    const { body } = await ours.receiver.next("failed");
    await ours.quiet();
    return body.Suppressing;
  };

  it("suppress it when they are three in a row", async () => {
    const { state, script } = changing();
    const ours = await house({ remote: { script } });
    assert.equal(await fail(ours, "554 5.3.0 Something is wrong", state), false);
    assert.equal(await fail(ours, "552 5.2.2 Mailbox full", state), false);
    assert.equal(await present(ours, "bob@there.example"), false);
    assert.equal(await fail(ours, "554 5.7.5 Policy", state), true);
    assert.equal(await present(ours, "bob@there.example"), true);
  });

  it("are counted anew after a delivery", async () => {
    const { state, script } = changing();
    const ours = await house({ remote: { script } });
    assert.equal(await fail(ours, "554 5.3.0 Something is wrong", state), false);
    assert.equal(await fail(ours, "554 5.3.0 Something is wrong", state), false);
    state.reply = undefined;
    await ours.sendTo("bob@there.example");
    await ours.receiver.next("delivered");
    await ours.quiet();
    assert.equal(await fail(ours, "554 5.3.0 Something is wrong", state), false);
    assert.equal(await fail(ours, "554 5.3.0 Something is wrong", state), false);
    assert.equal(await fail(ours, "554 5.3.0 Something is wrong", state), true);
  });
});
