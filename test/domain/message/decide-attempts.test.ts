/** When a message is attempted, tried again and given up (queue.md, "Message queue"). */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CLAIM_MARGIN_MS } from "../../../src/domain/claim.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../../../src/domain/clock.ts";
import { delayAfter, MAX_ATTEMPTS, RETRY_DELAYS_MS, RETRY_SPREAD_MS } from "../../../src/domain/message/backoff.ts";
import { aMessage, happened, NOON, rule, smtpResult } from "../../support/samples.ts";
import {
  attempt,
  busy,
  claimed,
  deferredTimes,
  delivered,
  given,
  gone,
  LATER,
  queued,
  record,
  rejected,
  retired,
  SOON,
} from "./given-message.ts";

const TRY_LATER = { class: "policy", rule: "enhanced-policy" } as const;
const NO_SUCH_USER = { class: "bad-address", rule: "enhanced-recipient" } as const;
const NO_CONNECTION = { class: "infrastructure", rule: "code-system" } as const;

const MINUTES_AFTER_ATTEMPT: readonly number[] = [7.5, 15, 30, 60, 120, 240, 480];

describe("the retry schedule", () => {
  it("is eight attempts, the first at once", () => {
    assert.equal(MAX_ATTEMPTS, 8);
    assert.deepEqual(
      RETRY_DELAYS_MS.map((ms) => ms / MINUTE_MS),
      MINUTES_AFTER_ATTEMPT,
    );
    assert.equal(RETRY_SPREAD_MS, 5 * SECOND_MS);
  });

  it("has no entry before its first and holds its last", () => {
    assert.deepEqual(
      [-1, 0, 1, 7, 8, 100].map((nth) => delayAfter(RETRY_DELAYS_MS, nth) / MINUTE_MS),
      [7.5, 7.5, 7.5, 480, 480, 480],
    );
    assert.equal(delayAfter([], 1), 0);
  });

  for (const [index, minutes] of MINUTES_AFTER_ATTEMPT.entries()) {
    for (const spread of [-1, 0, 0.5, 1]) {
      it(`puts ${minutes} minutes ${spread * 5} seconds between attempt ${index + 1} and the next, from the start of the attempt`, () => {
        const nextAttemptAt = NOON + minutes * MINUTE_MS + spread * RETRY_SPREAD_MS;
        given(queued, ...deferredTimes(index), claimed(index + 1))
          .when(record(index + 1, busy), { now: SOON, spread })
          .then(
            happened("DeliveryDeferred", {
              at: SOON,
              attempt: index + 1,
              result: smtpResult(451, "4.7.1"),
              bounce: TRY_LATER,
              nextAttemptAt,
            }),
          );
      });
    }
  }

  it("has instants in whole milliseconds, whatever chance spreads them by", () => {
    for (const spread of [-0.123456789, 0.000_01, 0.777_777]) {
      const [deferral] = given(queued, claimed(1)).when(record(1, busy), { now: SOON, spread }).events;
      assert.ok(deferral?.type === "DeliveryDeferred" && Number.isInteger(deferral.nextAttemptAt));
      const [claim] = given(queued).when(attempt, { spread }).events;
      assert.ok(claim?.type === "DeliveryAttempted" && Number.isInteger(claim.nextAttemptAt));
    }
  });

  it("never retries in the past, when the attempt took longer than the wait", () => {
    const [event] = given(queued, claimed(1)).when(record(1, busy), { now: NOON + HOUR_MS }).events;
    assert.equal(event?.type === "DeliveryDeferred" && event.nextAttemptAt, NOON + HOUR_MS);
  });
});

describe("a new message", () => {
  it("is queued", () => {
    given().when({ type: "queue", message: aMessage(), holdBy: null }).then(queued);
  });

  it("is held from the start by a rule that matches", () => {
    const answer = given()
      .when({ type: "queue", message: aMessage(), holdBy: rule })
      .then(queued, happened("MessageHeld", { by: rule }));
    assert.equal(answer.state.value, "held");
  });

  it("is not queued twice", () => {
    given(queued).when({ type: "queue", message: aMessage(), holdBy: null }).refuses();
  });
});

describe("an attempt", () => {
  const message = { ...queued };

  it("is claimed with the time of the next one before anything is sent", () => {
    given(queued)
      .when(attempt)
      .then(happened("DeliveryAttempted", { attempt: 1, nextAttemptAt: NOON + 7.5 * MINUTE_MS }))
      .asksFor({ type: "deliver", message, attempt: 1 });
  });

  for (const [index, minutes] of [...MINUTES_AFTER_ATTEMPT, 480].entries()) {
    it(`number ${index + 1} falls back to ${minutes} minutes later when its end is never recorded`, () => {
      given(queued, ...deferredTimes(index))
        .when(attempt, { spread: 1 })
        .then(happened("DeliveryAttempted", { attempt: index + 1, nextAttemptAt: NOON + minutes * MINUTE_MS + RETRY_SPREAD_MS }));
    });
  }

  it("leaves the courier its whole time, and some to store the end, before anybody else may try", () => {
    for (const deadlineMs of [0, MINUTE_MS, 7.5 * MINUTE_MS, HOUR_MS, DAY_MS]) {
      const [event] = given(queued).when({ type: "attempt", deadlineMs }, { spread: -1 }).events;
      assert.ok(event?.type === "DeliveryAttempted" && event.nextAttemptAt >= NOON + deadlineMs + CLAIM_MARGIN_MS);
    }
  });

  it("waits for its time", () => {
    const later = happened("MessageQueued", { nextAttemptAt: NOON + 1 });
    given(later).when(attempt).changesNothing();
    given(later)
      .when(attempt, { now: NOON + 1 })
      .thenOfTypes("DeliveryAttempted");
  });

  it("is not claimed while another is open, in its time or after", () => {
    given(queued, claimed(1)).when(attempt).changesNothing();
    given(queued, claimed(1)).when(attempt, { now: LATER }).refuses();
  });

  it("is not made on hold, nor for what is done or was never queued", () => {
    given(queued, happened("MessageHeld")).when(attempt).refuses();
    given(queued, happened("MessageCanceled"), retired()).when(attempt).refuses();
    given().when(attempt).refuses();
  });

  it("is made with the transport and TLS requirement that were set meanwhile", () => {
    const changed = { ...message, transport: "relay", requireTls: true };
    given(queued, happened("MessageTransportSet"), happened("MessageRequireTlsSet"))
      .when(attempt)
      .asksFor({ type: "deliver", message: changed, attempt: 1 });
  });
});

describe("the end of an attempt", () => {
  it("that delivered retires the message", () => {
    given(queued, claimed(1))
      .when(record(1, delivered), { now: SOON })
      .then(happened("DeliverySucceeded", { at: SOON, result: smtpResult(250, "2.0.0") }), retired(SOON))
      .asksFor();
  });

  it("with 5xx fails at once, whatever attempts are left", () => {
    const suppress = { rule: "enhanced-code", reason: "delivery failed with 550 5.1.1" } as const;
    given(queued, claimed(1))
      .when(record(1, gone))
      .then(happened("DeliveryFailed", { result: smtpResult(550, "5.1.1"), bounce: NO_SUCH_USER, suppress }), retired());
  });

  it("with trouble of the network or DNS is for now", () => {
    given(queued, claimed(1))
      .when(record(1, rejected(smtpResult(0))))
      .thenOfTypes("DeliveryDeferred");
  });

  it("without a code but for good, as for a domain that takes no mail, fails and suppresses nothing", () => {
    given(queued, claimed(1))
      .when(record(1, { kind: "rejected", permanent: true, result: smtpResult(0) }, 2))
      .then(happened("DeliveryFailed", { result: smtpResult(0), bounce: NO_CONNECTION, suppress: null }), retired());
  });

  it("with 4xx at the eighth attempt fails", () => {
    given(queued, ...deferredTimes(7), claimed(8))
      .when(record(8, busy))
      .then(happened("DeliveryFailed", { attempt: 8, result: smtpResult(451, "4.7.1"), bounce: TRY_LATER, suppress: null }), retired());
    given(queued, ...deferredTimes(6), claimed(7))
      .when(record(7, busy))
      .thenOfTypes("DeliveryDeferred");
  });

  it("counts the failures before it", () => {
    const [event] = given(queued, ...deferredTimes(7), claimed(8)).when(record(8, busy, 2)).events;
    assert.equal(event?.type === "DeliveryFailed" && event.suppress?.rule, "three-in-a-row");
  });

  it("is recorded once", () => {
    given(queued, claimed(1), happened("DeliverySucceeded"), retired()).when(record(1, delivered)).refuses();
    given(queued, ...deferredTimes(1))
      .when(record(1, busy))
      .refuses();
  });

  it("keeps what is known of the attempt in the event", () => {
    const result = smtpResult(250, "2.0.0", { tls: { version: "TLSv1.3", cipher: "AES", verified: true }, transport: "relay" });
    const { state } = given(queued, claimed(1)).when(record(1, { kind: "delivered", result }));
    assert.deepEqual(state.context.last, result);
    assert.equal(state.context.outcome, "delivered");
  });
});

describe("the keep period", () => {
  it("is counted from the moment of retiring", () => {
    const { state } = given(queued, claimed(1)).when(record(1, delivered), {
      now: SOON,
      policy: { keepRetiredMs: 0, uncertainDelivery: "wait" },
    });
    assert.equal(state.value, "retired");
    assert.equal(state.context.keepUntil, SOON);
  });

  it("ends with removal, once", () => {
    const past = [queued, happened("MessageCanceled"), retired()];
    given(...past)
      .when({ type: "remove" }, { now: LATER })
      .then(happened("MessageRemoved", { at: LATER }));
    given(...past, happened("MessageRemoved"))
      .when({ type: "remove" })
      .refuses();
    given(queued).when({ type: "remove" }).refuses();
  });
});
