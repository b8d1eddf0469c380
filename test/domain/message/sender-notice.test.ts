import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HOUR_MS, MINUTE_MS } from "../../../src/domain/clock.ts";
import type { MessageEvent, QueuedMessage } from "../../../src/domain/message/events.ts";
import { mayReport, senderNotice } from "../../../src/domain/message/sender-notice.ts";
import { aMessage, happened, messageSamples, NOON, smtpResult } from "../../support/samples.ts";

const born = (message: QueuedMessage): MessageEvent => ({ type: "MessageQueued", at: NOON - HOUR_MS, ...message });

const noticeAfter = (message: QueuedMessage, ...events: readonly MessageEvent[]) => senderNotice([born(message), ...events], message);

/** Attempts 1 to n, all of which failed. */
const failures = (count: number): readonly MessageEvent[] =>
  Array.from({ length: count }, (_, index) => index + 1).flatMap((attempt) => [
    happened("DeliveryAttempted", { attempt, at: NOON + attempt * MINUTE_MS }),
    happened("DeliveryDeferred", { attempt, callId: 1_000 + attempt, nextAttemptAt: NOON + HOUR_MS }),
  ]);

describe("the sender of a message", () => {
  it("is told of every way in which it can fail, but not that it was canceled", () => {
    for (const type of ["DeliveryFailed", "MessageFailed", "MessageSuppressed"] as const) {
      const notice = noticeAfter(aMessage(), happened(type));
      assert.deepEqual([notice?.action, notice?.id, notice?.arrivedAt], ["failed", 1_001, NOON - HOUR_MS], type);
    }
    assert.equal(noticeAfter(aMessage(), happened("MessageCanceled")), undefined);
  });

  it("is told what the server said, and the class of it", () => {
    const bounce = { class: "mailbox-full", rule: "mailbox-full" } as const;
    const result = smtpResult(552, "5.2.2", { error: "full" });
    const notice = noticeAfter(aMessage(), happened("DeliveryAttempted"), happened("DeliveryFailed", { result, bounce }));
    assert.deepEqual([notice?.reply, notice?.bounce, notice?.lastAttemptAt, notice?.retryUntil], [result, bounce, NOON, null]);
  });

  it("is told of a delay once, at the fifth failed attempt, with the end of trying", () => {
    const told = Array.from({ length: 7 }, (_, index) => noticeAfter(aMessage(), ...failures(index + 1)));
    assert.deepEqual(
      told.map((notice) => notice?.action),
      [undefined, undefined, undefined, undefined, "delayed", undefined, undefined],
    );
    // The sixth attempt, and after it 4 and 8 hours until the eighth.
    assert.deepEqual([told[4]?.id, told[4]?.retryUntil], [1_005, NOON + HOUR_MS + 12 * HOUR_MS]);
  });

  it("is told of a delay later when the fifth failure was an uncertain one", () => {
    const four = failures(4);
    const unclear = [happened("DeliveryAttempted", { attempt: 5 }), happened("DeliveryUncertain", { attempt: 5 })];
    assert.equal(noticeAfter(aMessage(), ...four, ...unclear), undefined);
    const sixth = [happened("DeliveryAttempted", { attempt: 6 }), happened("DeliveryDeferred", { attempt: 6 })];
    assert.equal(noticeAfter(aMessage(), ...four, ...unclear, ...sixth)?.action, "delayed");
  });

  it("does not count attempts that were interrupted", () => {
    const interrupted = Array.from({ length: 6 }, (_, index) => happened("DeliveryInterrupted", { attempt: index + 1 }));
    const deferred = happened("DeliveryDeferred", { attempt: 7 });
    assert.ok(mayReport(deferred, aMessage()));
    assert.equal(noticeAfter(aMessage(), ...interrupted, deferred), undefined);
  });

  it("is told only of what it asked for", () => {
    const failed = happened("DeliveryFailed");
    const told = (notify: QueuedMessage["notify"]) => [
      noticeAfter(aMessage({ notify }), failed)?.action,
      noticeAfter(aMessage({ notify }), ...failures(5))?.action,
      noticeAfter(aMessage({ notify }), happened("DeliverySucceeded"))?.action,
    ];
    assert.deepEqual(told(null), ["failed", "delayed", undefined]);
    assert.deepEqual(told([]), [undefined, undefined, undefined]);
    assert.deepEqual(told(["failure"]), ["failed", undefined, undefined]);
    assert.deepEqual(told(["delay"]), [undefined, "delayed", undefined]);
    assert.deepEqual(told(["success"]), [undefined, undefined, "relayed"]);
  });

  it("is not told of a success by this server when the next one does it", () => {
    const result = smtpResult(250, "2.0.0", { dsnPassedOn: true });
    assert.equal(noticeAfter(aMessage({ notify: ["success"] }), happened("DeliverySucceeded", { result })), undefined);
  });

  it("is told nothing when it is nobody", () => {
    for (const event of Object.values(messageSamples)) assert.equal(mayReport(event, aMessage({ mailFrom: "" })), false, event.type);
  });
});
