import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../src/domain/clock.ts";
import type { MessageEvent, QueuedMessage } from "../../src/domain/message/events.ts";
import type { ReceivedEvent } from "../../src/domain/received/events.ts";
import type { WebhookEvent } from "../../src/domain/webhook/events.ts";
import { messages } from "../../src/projections/messages.ts";
import { received } from "../../src/projections/received.ts";
import { schedule, type ScheduleRow } from "../../src/projections/schedule.ts";
import { webhookCalls } from "../../src/projections/webhook-calls.ts";
import { called, happened, mailed, NOON } from "../support/samples.ts";
import { derivedFrom, rowAfter } from "./folding.ts";

const step = (...events: readonly MessageEvent[]): ScheduleRow | undefined =>
  derivedFrom<ScheduleRow>(schedule, "messages", rowAfter(messages, [42], "message-42", happened("MessageQueued"), ...events))[0];

const callStep = (...events: readonly WebhookEvent[]): ScheduleRow | undefined =>
  derivedFrom<ScheduleRow>(schedule, "webhookCalls", rowAfter(webhookCalls, [90], "webhook-90", ...events))[0];

const brief = (row: ScheduleRow | undefined) => row && [row.kind, row.lane, row.dueAt];

const batchOf = (changes: Partial<QueuedMessage>): string | undefined => {
  const row = rowAfter(messages, [42], "message-42", happened("MessageQueued", changes));
  return derivedFrom<ScheduleRow>(schedule, "messages", row)[0]?.batch;
};

describe("the schedule of a message", () => {
  it("is to deliver it in the lane of its domain", () => {
    assert.deepEqual(brief(step()), ["deliver", "there.example", NOON]);
    assert.deepEqual([step()?.actor, step()?.id], ["message", 42]);
  });

  it("has nothing for a message on hold or of unknown fate", () => {
    assert.equal(step(happened("MessageHeld")), undefined);
    assert.equal(step(happened("DeliveryAttempted"), happened("DeliveryUncertain")), undefined);
  });

  it("is to close an attempt that nobody ends, also when the message is held meanwhile", () => {
    const attempted = happened("DeliveryAttempted", { nextAttemptAt: NOON + HOUR_MS });
    assert.deepEqual(brief(step(attempted)), ["interrupt", "interrupt", NOON + HOUR_MS]);
    assert.deepEqual(brief(step(attempted, happened("MessageHeld"))), ["interrupt", "interrupt", NOON + HOUR_MS]);
    assert.equal(step(attempted, happened("MessageHeld"), happened("DeliveryDeferred")), undefined);
  });

  it("is to deliver again after a deferral, a release, a new time", () => {
    const later = { nextAttemptAt: NOON + HOUR_MS };
    const expected = ["deliver", "there.example", NOON + HOUR_MS];
    assert.deepEqual(brief(step(happened("DeliveryAttempted"), happened("DeliveryDeferred", later))), expected);
    assert.deepEqual(brief(step(happened("DeliveryAttempted"), happened("DeliveryInterrupted", later))), expected);
    assert.deepEqual(
      brief(step(happened("DeliveryAttempted"), happened("DeliveryUncertain"), happened("MessageRequeued", later))),
      expected,
    );
    assert.deepEqual(brief(step(happened("MessageRescheduled", later))), expected);
    assert.deepEqual(brief(step(happened("MessageHeld"), happened("MessageRescheduled", later), happened("MessageReleased"))), expected);
  });

  it("is to remove it at the end of its keep period", () => {
    const retired = happened("MessageRetired", { keepUntil: NOON + 3 * DAY_MS });
    assert.deepEqual(brief(step(happened("MessageCanceled"), retired)), ["remove", "remove", NOON + 3 * DAY_MS]);
  });

  it("is to delete its stream when it was in the log for a day at least", () => {
    const done = [happened("MessageCanceled"), happened("MessageRetired")];
    const soon = happened("MessageRemoved", { at: NOON + MINUTE_MS });
    assert.deepEqual(brief(step(...done, soon)), ["delete", "delete", NOON + DAY_MS]);
    const late = happened("MessageRemoved", { at: NOON + 2 * DAY_MS });
    assert.deepEqual(brief(step(...done, late)), ["delete", "delete", NOON + 2 * DAY_MS]);
  });
});

describe("messages that may share an SMTP transaction", () => {
  it("are those of one submission that agree in everything the transaction has once", () => {
    assert.equal(batchOf({ id: 42 }), batchOf({ id: 43, recipient: "eve@there.example" }));
    const different: readonly Partial<QueuedMessage>[] = [
      { submissionId: 99 },
      { mailFrom: "orders+token@shop.example" },
      { requireTls: true },
      { requireTls: false },
      { transport: "relay" },
      { smtpUtf8: true },
    ];
    const batches = new Set([{}, ...different].map(batchOf));
    assert.equal(batches.size, different.length + 1);
  });

  it("are at the same attempt", () => {
    const again = step(happened("DeliveryAttempted"), happened("DeliveryDeferred"));
    assert.notEqual(again?.batch, step()?.batch);
  });
});

describe("the schedule of a webhook call", () => {
  it("is to make it in the lane of its host, alone", () => {
    const row = callStep(called("WebhookQueued"));
    assert.deepEqual([row?.kind, row?.lane, row?.batch, row?.dueAt, row?.actor], ["call", "hooks.shop.example", "", NOON, "webhook"]);
  });

  it("has nothing for a call that waits for another", () => {
    const waiting = called("WebhookQueued", { after: 89 });
    assert.equal(callStep(waiting), undefined);
    assert.equal(callStep(waiting, called("WebhookUnblocked"))?.kind, "call");
  });

  it("keeps an open attempt in sight when a newer call comes", () => {
    const story = [called("WebhookQueued"), called("WebhookAttempted", { nextAttemptAt: NOON + 8 }), called("WebhookSuperseded")];
    assert.deepEqual(brief(callStep(...story)), ["interrupt", "interrupt", NOON + 8]);
  });

  it("ends like that of a message", () => {
    const retired = [called("WebhookQueued"), called("WebhookCanceled"), called("WebhookRetired", { keepUntil: NOON + 5 })];
    assert.deepEqual(brief(callStep(...retired)), ["remove", "remove", NOON + 5]);
    assert.deepEqual(brief(callStep(...retired, called("WebhookRemoved"))), ["delete", "delete", NOON + DAY_MS]);
  });
});

describe("the schedule of a message in a mailbox", () => {
  const step = (keepUntil: number | null, ...events: readonly ReceivedEvent[]): ScheduleRow | undefined => {
    const row = rowAfter(received, [70], "received-70", mailed("MessageReceived", { keepUntil }), ...events);
    return derivedFrom<ScheduleRow>(schedule, "received", row)[0];
  };

  it("is empty while it is kept for as long as the account likes", () => {
    assert.equal(step(null), undefined);
    assert.equal(step(null, mailed("MessageMoved")), undefined);
  });

  it("is to delete it when it was kept long enough", () => {
    assert.deepEqual(step(NOON + DAY_MS), { actor: "received", id: 70, kind: "remove", lane: "remove", batch: "", dueAt: NOON + DAY_MS });
  });

  it("is to delete the stream of one that is deleted", () => {
    for (const keepUntil of [null, NOON + DAY_MS])
      assert.deepEqual(brief(step(keepUntil, mailed("MessageDeleted"))), ["delete", "delete", NOON]);
  });
});
