import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../src/domain/clock.ts";
import type { MessageEvent } from "../../src/domain/message/events.ts";
import { messages, QUEUE, RETIRED, type MessageRow } from "../../src/projections/messages.ts";
import { aMessage, happened, messageSamples, NOON, smtpResult } from "../support/samples.ts";
import { recordedIn, rowAfter } from "./folding.ts";

const after = (...events: readonly MessageEvent[]): MessageRow => {
  const row = rowAfter<MessageRow>(messages, [42], "message-42", happened("MessageQueued"), ...events);
  assert.ok(row !== undefined);
  return row;
};

const homeOf = (row: MessageRow) => messages.home(row);

describe("the row of a message", () => {
  it("says everything about a message that was just queued", () => {
    const { eightBit: _eightBit, notify: _notify, returnContent: _return, originalRecipient: _original, ...message } = aMessage();
    assert.deepEqual(after(), {
      ...message,
      state: "queued",
      envelopeChosen: true,
      hold: false,
      openUntil: null,
      attempts: 0,
      queuedAt: NOON,
      lastAttemptAt: null,
      lastCode: 0,
      lastEnhancedCode: "",
      lastError: "",
      bounceClass: "",
      bounceRule: "",
      feedback: "",
      feedbackCode: 0,
      lastActivityAt: NOON,
      retiredAt: null,
      keepUntil: null,
    });
    assert.equal(homeOf(after()), QUEUE);
  });

  it("has all columns of its tables and no others", () => {
    assert.deepEqual(Object.keys(after()).sort(), Object.keys(QUEUE.columns).sort());
    assert.deepEqual(QUEUE.columns, RETIRED.columns);
  });

  it("is on hold after it was held, until it is released", () => {
    const held = after(happened("MessageHeld"));
    assert.deepEqual([held.state, held.hold], ["held", true]);
    const released = after(happened("MessageHeld"), happened("MessageReleased"));
    assert.deepEqual([released.state, released.hold], ["queued", false]);
  });

  it("knows its open attempt and when that counts as nobody's, and keeps the time it was due", () => {
    const row = after(happened("DeliveryAttempted", { at: NOON + 1, nextAttemptAt: NOON + HOUR_MS }));
    assert.deepEqual(
      [row.state, row.attempts, row.lastAttemptAt, row.openUntil, row.nextAttemptAt],
      ["attempting", 1, NOON + 1, NOON + HOUR_MS, NOON],
    );
  });

  it("stays in its attempt when it is held meanwhile, and is on hold when the attempt is deferred", () => {
    const attempted = [happened("DeliveryAttempted"), happened("MessageHeld")];
    assert.deepEqual([after(...attempted).state, after(...attempted).hold], ["attempting", true]);
    const deferred = after(...attempted, happened("DeliveryDeferred", { nextAttemptAt: NOON + HOUR_MS }));
    assert.deepEqual([deferred.state, deferred.openUntil, deferred.nextAttemptAt], ["held", null, NOON + HOUR_MS]);
    assert.equal(after(...attempted, happened("DeliveryInterrupted")).state, "held");
    assert.equal(after(...attempted, happened("MessageReleased"), happened("DeliveryInterrupted")).state, "queued");
    assert.equal(after(...attempted, happened("DeliverySucceeded")).state, "delivered");
  });

  it("tells what the last attempt came to", () => {
    const result = smtpResult(451, "4.7.1", { error: "come back later" });
    const row = after(happened("DeliveryAttempted"), happened("DeliveryDeferred", { result }));
    assert.deepEqual([row.state, row.lastCode, row.lastEnhancedCode, row.lastError], ["queued", 451, "4.7.1", "come back later"]);
  });

  it("waits for a decision when nobody knows what became of it", () => {
    const attempt = [happened("DeliveryAttempted"), happened("DeliveryUncertain")];
    assert.deepEqual([after(...attempt).state, after(...attempt).openUntil], ["uncertain", null]);
    assert.equal(after(...attempt, happened("MessageHeld")).state, "uncertain");
    const requeued = after(...attempt, happened("MessageRequeued", { nextAttemptAt: NOON + 5 }));
    assert.deepEqual([requeued.state, requeued.nextAttemptAt], ["queued", NOON + 5]);
    assert.equal(after(...attempt, happened("MessageHeld"), happened("MessageRequeued")).state, "held");
  });

  it("takes over what operators set", () => {
    const row = after(
      happened("MessageTransportSet", { transport: "relay" }),
      happened("MessageRequireTlsSet", { requireTls: false }),
      happened("MessageRescheduled", { nextAttemptAt: NOON + 9, at: NOON + 3 }),
    );
    assert.deepEqual([row.transport, row.requireTls, row.nextAttemptAt, row.lastActivityAt], ["relay", false, NOON + 9, NOON + 3]);
  });

  for (const [type, outcome] of [
    ["MessageSuppressed", "suppressed"],
    ["MessageFailed", "failed"],
    ["MessageCanceled", "canceled"],
  ] as const) {
    it(`ends as ${outcome} by ${type}, and leaves the queue when it is retired`, () => {
      const ended = after(happened(type));
      assert.equal(ended.state, outcome);
      assert.equal(homeOf(ended), QUEUE);
      const retired = after(happened(type), happened("MessageRetired", { at: NOON + 1, keepUntil: NOON + DAY_MS }));
      assert.deepEqual([retired.state, retired.retiredAt, retired.keepUntil], [outcome, NOON + 1, NOON + DAY_MS]);
      assert.equal(homeOf(retired), RETIRED);
    });
  }

  it("stands nowhere any more when it is removed", () => {
    const row = after(happened("MessageCanceled"), happened("MessageRetired"), happened("MessageRemoved", { at: NOON + MINUTE_MS }));
    assert.equal(homeOf(row), undefined);
    assert.equal(row.lastActivityAt, NOON + MINUTE_MS);
  });

  it("comes out the same when the facts are told again", () => {
    const facts = [happened("DeliveryAttempted"), happened("MessageHeld"), happened("DeliveryDeferred")];
    assert.deepEqual(after(...facts), after(...facts));
  });

  it("takes no notice of facts about a message that it does not know", () => {
    for (const event of Object.values(messageSamples)) {
      if (event.type === "MessageQueued") continue;
      const [recorded] = recordedIn("message-42", [event]);
      assert.ok(recorded !== undefined);
      assert.equal(messages.fold(undefined, recorded, [42]), undefined);
    }
  });

  it("is touched by every kind of fact about a message", () => {
    assert.deepEqual([...messages.types].sort(), Object.keys(messageSamples).sort());
  });
});
