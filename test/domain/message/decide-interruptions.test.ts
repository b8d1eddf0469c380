/** Attempts that nobody finished, and attempts of which nobody knows the end. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../../../src/domain/clock.ts";
import type { MessageCommand } from "../../../src/domain/message/commands.ts";
import type { UncertainPolicy } from "../../../src/domain/message/events.ts";
import { happened, NOON, operator, smtpResult, system } from "../../support/samples.ts";
import {
  attempt,
  busy,
  claimed,
  deferredTimes,
  delivered,
  given,
  KEEP_MS,
  LATER,
  lostTimes,
  queued,
  record,
  retired,
  SOON,
  stopped,
  unknown,
} from "./given-message.ts";

const lost: MessageCommand = { type: "abandon", reason: "the process was lost", overdueOnly: false };
const overdue: MessageCommand = { type: "abandon", reason: "no end was recorded", overdueOnly: true };

describe("an attempt that was lost with its process", () => {
  it("puts the message back at once the first time", () => {
    given(queued, claimed(1))
      .when(lost, { now: SOON })
      .then(happened("DeliveryInterrupted", { at: SOON, reason: "the process was lost", nextAttemptAt: SOON }));
  });

  for (const [index, minutes] of [7.5, 15, 30, 60, 120, 240, 480, 480].entries()) {
    it(`delays it by ${minutes} minutes when that happens for the ${index + 2}. time`, () => {
      const [event] = given(queued, ...lostTimes(index + 1), claimed(index + 2)).when(lost, { spread: 1 }).events;
      assert.equal(event?.type === "DeliveryInterrupted" && event.nextAttemptAt, NOON + minutes * MINUTE_MS + 5 * SECOND_MS);
    });
  }

  it("never counts against the eight", () => {
    const past = [queued, ...lostTimes(20), ...deferredTimes(7).map((event, index) => ({ ...event, attempt: 21 + Math.floor(index / 2) }))];
    given(...past, claimed(28))
      .when(record(28, busy))
      .thenOfTypes("DeliveryFailed", "MessageRetired");
    given(...past.slice(0, -2), claimed(27))
      .when(record(27, busy))
      .thenOfTypes("DeliveryDeferred");
  });

  it("leaves the schedule where it was: the next failure waits as after the first attempt", () => {
    const [event] = given(queued, ...lostTimes(3), claimed(4)).when(record(4, busy)).events;
    assert.equal(event?.type === "DeliveryDeferred" && event.nextAttemptAt, NOON + 7.5 * MINUTE_MS);
  });

  it("is followed by an attempt with a number of its own", () => {
    const [event] = given(queued, ...lostTimes(1)).when(attempt).events;
    assert.equal(event?.type === "DeliveryAttempted" && event.attempt, 2);
  });

  it("is given up by the clock only when its time is over", () => {
    given(queued, claimed(1))
      .when(overdue, { now: NOON + 7.5 * MINUTE_MS - 1 })
      .changesNothing();
    given(queued, claimed(1))
      .when(overdue, { now: NOON + 7.5 * MINUTE_MS })
      .thenOfTypes("DeliveryInterrupted");
  });

  it("does not take along the attempt that came after it", () => {
    given(queued, ...lostTimes(1), claimed(2, SOON))
      .when(overdue, { now: SOON + MINUTE_MS })
      .changesNothing();
  });

  it("cannot be given up when none is open", () => {
    given(queued).when(lost).refuses();
    given(queued, claimed(1), happened("DeliveryUncertain")).when(lost).refuses();
    given(queued, ...lostTimes(1))
      .when(overdue, { now: LATER })
      .refuses();
  });
});

describe("an attempt that an orderly stop ended", () => {
  it("may be made again at once, however often that happens", () => {
    for (const times of [0, 1, 5]) {
      given(queued, ...lostTimes(times), claimed(times + 1))
        .when(record(times + 1, stopped), { now: SOON })
        .then(happened("DeliveryInterrupted", { at: SOON, attempt: times + 1, reason: "the server stops", nextAttemptAt: SOON }));
    }
  });
});

describe("the late result of an attempt given up for lost", () => {
  it("is refused while nothing else is tried", () => {
    given(queued, ...lostTimes(1))
      .when(record(1, delivered))
      .refuses();
  });

  it("changes nothing while the next attempt is open", () => {
    for (const outcome of [delivered, busy, unknown, stopped]) {
      given(queued, ...lostTimes(1), claimed(2))
        .when(record(1, outcome))
        .changesNothing();
    }
  });

  it("changes nothing after the message was delivered by the next", () => {
    given(queued, ...lostTimes(1), claimed(2), happened("DeliverySucceeded", { attempt: 2 }), retired())
      .when(record(1, busy))
      .changesNothing();
  });

  it("cannot come from an attempt that was never made", () => {
    given(queued, claimed(1)).when(record(2, delivered)).changesNothing();
    given().when(record(1, delivered)).changesNothing();
  });
});

describe("a delivery whose end nobody knows", () => {
  const under = (uncertainDelivery: UncertainPolicy) => ({ now: SOON, policy: { keepRetiredMs: KEEP_MS, uncertainDelivery } });
  const doubt = (policy: UncertainPolicy, attemptNumber = 1) =>
    happened("DeliveryUncertain", { at: SOON, attempt: attemptNumber, policy, result: smtpResult(0, "", { error: "connection lost" }) });

  it("waits for an operator where the account wants that", () => {
    const { state } = given(queued, claimed(1)).when(record(1, unknown), under("wait")).then(doubt("wait"));
    assert.equal(state.value, "uncertain");
  });

  it("is tried again on schedule where the account prefers twice to never", () => {
    const requeued = happened("MessageRequeued", { at: SOON, nextAttemptAt: NOON + 7.5 * MINUTE_MS, by: system("uncertain delivery") });
    const { state } = given(queued, claimed(1)).when(record(1, unknown), under("retry")).then(doubt("retry"), requeued);
    assert.equal(state.value, "queued");
  });

  it("fails where the account prefers never to twice, and a call of its own tells so", () => {
    const failed = happened("MessageFailed", {
      at: SOON,
      reason: "the outcome of the delivery is unknown, and the account does not want another attempt",
      by: system("uncertain delivery"),
      callId: 1_002,
    });
    given(queued, claimed(1)).when(record(1, unknown), under("stop")).then(doubt("stop"), failed, retired(SOON));
  });

  it("fails at the eighth attempt even where it would be tried again", () => {
    given(queued, ...deferredTimes(7), claimed(8))
      .when(record(8, unknown), under("retry"))
      .thenOfTypes("DeliveryUncertain", "MessageFailed", "MessageRetired");
  });

  it("is never tried again by itself while it waits", () => {
    given(queued, claimed(1), happened("DeliveryUncertain")).when(attempt, { now: LATER }).refuses();
  });

  it("goes on when an operator says when", () => {
    given(queued, claimed(1), happened("DeliveryUncertain"))
      .when({ type: "schedule", nextAttemptAt: NOON + HOUR_MS, by: operator })
      .then(happened("MessageRequeued", { nextAttemptAt: NOON + HOUR_MS }));
    given(queued, claimed(1), happened("DeliveryUncertain"))
      .when({ type: "release", by: operator }, { now: SOON })
      .then(happened("MessageRequeued", { at: SOON, nextAttemptAt: SOON }));
  });

  it("ends when an operator says so", () => {
    for (const type of ["fail", "cancel"] as const) {
      given(queued, claimed(1), happened("DeliveryUncertain"))
        .when({ type, by: operator })
        .thenOfTypes(type === "fail" ? "MessageFailed" : "MessageCanceled", "MessageRetired");
    }
  });

  it("may be attempted once more by an operator after the eighth, and fails then", () => {
    const past = [
      queued,
      ...deferredTimes(7),
      claimed(8),
      happened("DeliveryUncertain", { attempt: 8 }),
      happened("MessageRequeued", { nextAttemptAt: NOON }),
    ];
    given(...past)
      .when(attempt)
      .thenOfTypes("DeliveryAttempted");
    given(...past, claimed(9))
      .when(record(9, busy))
      .thenOfTypes("DeliveryFailed", "MessageRetired");
  });
});
