import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DAY_MS, HOUR_MS } from "../../src/domain/clock.ts";
import type { WebhookEvent } from "../../src/domain/webhook/events.ts";
import { WEBHOOK_CALLS, WEBHOOK_RETIRED, webhookCalls, type CallRow } from "../../src/projections/webhook-calls.ts";
import { called, httpResult, NOON, webhookSamples } from "../support/samples.ts";
import { rowAfter } from "./folding.ts";

const story = (...events: readonly WebhookEvent[]): CallRow => {
  const row = rowAfter<CallRow>(webhookCalls, [90], "webhook-90", ...events);
  assert.ok(row !== undefined);
  return row;
};

const after = (...events: readonly WebhookEvent[]): CallRow => story(called("WebhookQueued"), ...events);

describe("the row of a webhook call", () => {
  it("says where the call goes and what it is about", () => {
    const row = after();
    assert.deepEqual(Object.keys(row).sort(), Object.keys(WEBHOOK_CALLS.columns).sort());
    assert.deepEqual(
      [row.state, row.host, row.messageRef, row.event, row.subject, row.queuedAt],
      ["queued", "hooks.shop.example", 42, "delivered", "Your order", NOON],
    );
    assert.equal(webhookCalls.home(row), WEBHOOK_CALLS);
  });

  it("waits for the call that must be done before it", () => {
    const waiting = called("WebhookQueued", { after: 89 });
    assert.deepEqual([story(waiting).state, story(waiting).after], ["waiting", 89]);
    assert.equal(story(waiting, called("WebhookUnblocked")).state, "queued");
  });

  it("is in flight from its attempt to the answer", () => {
    const open = after(called("WebhookAttempted", { nextAttemptAt: NOON + HOUR_MS }));
    assert.deepEqual([open.state, open.attempts, open.openUntil, open.nextAttemptAt], ["attempting", 1, NOON + HOUR_MS, NOON]);
    const deferred = after(called("WebhookAttempted"), called("WebhookDeferred", { nextAttemptAt: NOON + 7, result: httpResult(500) }));
    assert.deepEqual(
      [deferred.state, deferred.openUntil, deferred.nextAttemptAt, deferred.lastStatus, deferred.lastError],
      ["queued", null, NOON + 7, 500, "no luck"],
    );
  });

  it("gives way to a newer call at once while it waits", () => {
    const row = after(called("WebhookSuperseded", { supersededBy: 91 }));
    assert.deepEqual([row.state, row.supersededBy], ["superseded", 91]);
  });

  it("keeps its open attempt when a newer call comes, and gives way when that ends without success", () => {
    const superseded = [called("WebhookAttempted"), called("WebhookSuperseded", { supersededBy: 91 })];
    assert.deepEqual([after(...superseded).state, after(...superseded).supersededBy], ["attempting", 91]);
    assert.equal(after(...superseded, called("WebhookDeferred")).state, "superseded");
    assert.equal(after(...superseded, called("WebhookInterrupted")).state, "superseded");
    assert.equal(after(...superseded, called("WebhookDelivered")).state, "delivered");
  });

  it("moves to the done ones when it is retired, with its outcome", () => {
    const row = after(called("WebhookCanceled"), called("WebhookRetired", { keepUntil: NOON + DAY_MS }));
    assert.deepEqual([row.state, row.keepUntil], ["canceled", NOON + DAY_MS]);
    assert.equal(webhookCalls.home(row), WEBHOOK_RETIRED);
  });

  it("keeps its outcome when an answer is recorded after it was retired", () => {
    const row = after(called("WebhookCanceled"), called("WebhookRetired"), called("WebhookDelivered", { at: NOON + 3 }));
    assert.deepEqual([row.state, row.lastStatus, row.lastActivityAt], ["canceled", 200, NOON + 3]);
  });

  it("stands nowhere any more when it is removed", () => {
    assert.equal(webhookCalls.home(after(called("WebhookFailed"), called("WebhookRetired"), called("WebhookRemoved"))), undefined);
  });

  it("is touched by every kind of fact about a call", () => {
    assert.deepEqual([...webhookCalls.types].sort(), Object.keys(webhookSamples).sort());
  });
});
