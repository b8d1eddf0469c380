/** Contents go when nothing needs them any more, and not before. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { DAY_MS, HOUR_MS } from "../../../src/domain/clock.ts";
import type { Content } from "../../../src/domain/event-log.ts";
import { anAccount, anIncomingCall, called, mailed, shopOwner as by } from "../../support/samples.ts";
import { world, type World } from "../../support/world.ts";

const CONTENT: Content = [new TextEncoder().encode("Subject: Hello\r\n\r\nHi.\r\n")];

describe("the content of mail", () => {
  let one: World;
  beforeEach(async () => {
    one = world({ accounts: [anAccount({ keepReceivedMs: DAY_MS })] });
    await one.begin();
  });
  afterEach(() => one.core.stop(0));

  /** Mail for the shop, to as many of its addresses; the ids. */
  const arrive = async (...addresses: readonly string[]): Promise<readonly number[]> => {
    const { id: _id, account: _account, recipient: _recipient, contentId: _contentId, size: _size, ...facts } = mailed("MessageReceived");
    const { type: _type, at: _at, tag: _tag, callId: _callId, keepUntil: _keepUntil, ...arrival } = facts;
    const recipients = addresses.map((address) => ({ address, account: "shop", tag: "" }));
    const ids = await one.core.receive({ ...arrival, content: CONTENT, recipients });
    await one.quiet();
    return ids;
  };

  const remove = async (id = 0): Promise<void> => {
    assert.equal(await one.core.mailboxes.delete("shop", id, by), "done");
    await one.quiet();
  };

  it("goes with the last message that shares it, and the streams with them", async () => {
    const [first, second] = await arrive("orders@shop.example", "news@shop.example");
    await remove(first);
    assert.equal(one.log.contents.ids().length, 1);
    await remove(second);
    assert.deepEqual(one.log.contents.ids(), []);
    assert.deepEqual(
      one.log.all().filter(({ stream }) => stream.startsWith("received-")),
      [],
    );
  });

  it("goes when the time that the account keeps mail for is over", async () => {
    await arrive("orders@shop.example");
    await one.pass(DAY_MS - 1);
    assert.equal(one.log.contents.ids().length, 1);
    await one.pass(1);
    assert.deepEqual(one.log.contents.ids(), []);
  });

  it("stays for a call that has yet to tell about it", async () => {
    const [id = 0] = await arrive("orders@shop.example");
    const { state } = await one.core.received.load(`received-${id}`);
    const { contentId = 0 } = state.context.message ?? {};
    const callId = one.core.nextId();
    const due = one.clock.now() + HOUR_MS;
    const call = anIncomingCall({ id: callId, messageRef: id, nextAttemptAt: due }, { receivedId: id, contentId });
    one.log.write(`webhook-${callId}`, { ...called("WebhookQueued"), ...call });
    await one.quiet();
    await remove(id);
    assert.deepEqual(one.log.contents.ids(), [contentId]);
    await one.pass(HOUR_MS);
    assert.ok(one.caller.calls.some((made) => made.id === callId));
    assert.deepEqual(one.log.contents.ids(), []);
  });
});
