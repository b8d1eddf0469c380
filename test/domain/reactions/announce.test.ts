/** Which mail that arrives makes a call of an account's incoming webhook. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MINUTE_MS } from "../../../src/domain/clock.ts";
import { REACTIONS_CHECKPOINT } from "../../../src/domain/reactions/reactions.ts";
import type { ReceivedMessage } from "../../../src/domain/received/events.ts";
import { receivedStream } from "../../../src/domain/received/events.ts";
import { anAccount, anIncomingCall, aReceivedMessage, httpResult, mailed } from "../../support/samples.ts";
import { refusedWith, taken, world, type World } from "../../support/world.ts";
import { eventsOf, webhook } from "./reacting.ts";

const account = anAccount({ outgoingWebhook: webhook(), incomingWebhook: { url: "https://Hooks.shop.example:8443/incoming?a=b" } });

const withIncoming = (): World => world({ accounts: [account] });

const arrive = ({ log }: World, changes: Partial<ReceivedMessage> = {}): void => {
  const message = aReceivedMessage(changes);
  log.write(receivedStream(message.id), mailed("MessageReceived", message));
};

describe("mail that arrived", () => {
  it("is told by one call, which says how it came and names its cause", async () => {
    const one = withIncoming();
    await one.begin();
    arrive(one, { mailFromValidated: true, dkimVerifiedDomains: ["there.example"], automated: true });
    await one.quiet();
    const [call, ...others] = eventsOf(one.log, "WebhookQueued");
    const { type: _type, at: _at, ...queued } = call!;
    assert.deepEqual(
      queued,
      anIncomingCall(
        { url: "https://Hooks.shop.example:8443/incoming?a=b", host: "hooks.shop.example:8443" },
        { mailFromValidated: true, dkimVerifiedDomains: ["there.example"], automated: true },
      ),
    );
    assert.deepEqual(others, []);
    assert.deepEqual(
      one.caller.calls.map(({ kind, id }) => [kind, id]),
      [["incoming", 72]],
    );
    await one.core.stop(0);
  });

  it("is told to nobody without an incoming webhook, or when it was not sent here", async () => {
    const none = world({ accounts: [anAccount({ outgoingWebhook: webhook() })] });
    await none.begin();
    arrive(none);
    await none.quiet();
    assert.deepEqual(eventsOf(none.log, "WebhookQueued"), []);
    await none.core.stop(0);
    const one = withIncoming();
    await one.begin();
    arrive(one, { id: 80, origin: "sent", callId: 81 });
    arrive(one, { id: 82, origin: "report", callId: 83 });
    arrive(one, { id: 84, account: "stranger", callId: 85 });
    await one.quiet();
    assert.deepEqual(eventsOf(one.log, "WebhookQueued"), []);
    await one.core.stop(0);
  });

  it("is told once, however often the reaction runs", async () => {
    const one = withIncoming();
    await one.begin();
    arrive(one);
    await one.quiet();
    await one.core.stop(0);
    one.log.checkpoints.set(REACTIONS_CHECKPOINT, 0);
    const again = world({ log: one.log, clock: one.clock, accounts: [account] });
    await again.begin();
    await again.quiet();
    assert.equal(eventsOf(one.log, "WebhookQueued").length, 1);
    assert.deepEqual(again.caller.calls, []);
    await again.core.stop(0);
  });

  it("is told by a call of its own, which no other takes the place of", async () => {
    const one = withIncoming();
    one.caller.answer = () => refusedWith(500);
    await one.begin();
    arrive(one);
    arrive(one, { id: 90, callId: 91 });
    await one.quiet();
    assert.deepEqual(eventsOf(one.log, "WebhookSuperseded"), []);
    one.caller.answer = () => taken;
    await one.pass(MINUTE_MS);
    assert.deepEqual(
      eventsOf(one.log, "WebhookDelivered").map(({ attempt }) => attempt),
      [2, 2],
    );
    assert.deepEqual(one.caller.calls.map(({ id }) => id).sort(), [72, 72, 91, 91]);
    await one.core.stop(0);
  });

  it("is not told any more when it is gone", async () => {
    const one = withIncoming();
    one.caller.answer = () => ({ kind: "impossible", result: httpResult(0, { error: "deleted" }) });
    await one.begin();
    arrive(one);
    await one.quiet();
    assert.deepEqual(one.log.types("webhook-72"), ["WebhookQueued", "WebhookAttempted", "WebhookFailed", "WebhookRetired"]);
    await one.core.stop(0);
  });

  it("keeps its content as long as a call has yet to tell it, although it is deleted", async () => {
    const one = withIncoming();
    one.caller.answer = () => refusedWith(500);
    await one.log.append([], [{ id: 71, pieces: [new Uint8Array([1])] }]);
    await one.begin();
    arrive(one);
    one.log.write(receivedStream(70), mailed("MessageDeleted"));
    await one.quiet();
    assert.deepEqual(one.log.contents.ids(), [71]);
    one.caller.answer = () => taken;
    await one.pass(MINUTE_MS);
    assert.deepEqual(one.log.contents.ids(), []);
    await one.core.stop(0);
  });
});
