/** When a webhook call is made, made again, and given up (webapi.md, "Webhooks"). */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CLAIM_MARGIN_MS } from "../../../src/domain/claim.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../../../src/domain/clock.ts";
import { CALL_RETRY_DELAYS_MS, CALL_RETRY_SPREAD, MAX_CALL_ATTEMPTS } from "../../../src/domain/webhook/backoff.ts";
import type { WebhookCommand } from "../../../src/domain/webhook/commands.ts";
import type { WebhookEvent } from "../../../src/domain/webhook/events.ts";
import { aCall, called, httpResult, NOON } from "../../support/samples.ts";
import {
  answered,
  attempt,
  claimed,
  DEADLINE_MS,
  deferredTimes,
  given,
  LATER,
  lostTimes,
  queued,
  record,
  retired,
  SOON,
  stopped,
  unreachable,
} from "./given-webhook.ts";

const MINUTES: readonly number[] = [1, 2, 4, 7.5, 15, 30, 60, 120, 240, 480, 960];

const nextOf = (events: readonly WebhookEvent[]): number | undefined => {
  const [event] = events;
  return event !== undefined && "nextAttemptAt" in event ? event.nextAttemptAt : undefined;
};

describe("the schedule of calls", () => {
  it("is twelve calls, the first right away", () => {
    assert.equal(MAX_CALL_ATTEMPTS, 12);
    assert.equal(CALL_RETRY_SPREAD, 0.01);
    assert.deepEqual(
      CALL_RETRY_DELAYS_MS.map((ms) => ms / MINUTE_MS),
      MINUTES,
    );
  });

  for (const [index, minutes] of MINUTES.entries()) {
    for (const spread of [-1, 0, 1]) {
      it(`waits ${minutes} minutes ${spread < 0 ? "- 1 %" : spread > 0 ? "+ 1 %" : ""} after call ${index + 1}`, () => {
        const { events } = given(queued, ...deferredTimes(index), claimed(index + 1)).when(record(index + 1, answered(500)), {
          now: SOON,
          spread,
        });
        assert.equal(nextOf(events), NOON + Math.round(minutes * MINUTE_MS * (1 + spread / 100)));
      });
    }
  }

  it("ends with the twelfth", () => {
    given(queued, ...deferredTimes(10), claimed(11))
      .when(record(11, answered(500)))
      .thenOfTypes("WebhookDeferred");
    given(queued, ...deferredTimes(11), claimed(12))
      .when(record(12, answered(500)))
      .then(called("WebhookFailed", { attempt: 12, result: httpResult(500) }), retired());
  });

  it("ends at once when there is nothing left to tell", () => {
    const result = httpResult(0, { error: "deleted" });
    given(queued, claimed(1))
      .when(record(1, { kind: "impossible", result }))
      .then(called("WebhookFailed", { attempt: 1, result }), retired());
  });

  it("never lies in the past", () => {
    const { events } = given(queued, claimed(1)).when(record(1, unreachable), { now: NOON + HOUR_MS });
    assert.equal(nextOf(events), NOON + HOUR_MS);
  });
});

describe("a call", () => {
  it("is claimed, with the time of the next one, before it is made", () => {
    given(queued)
      .when(attempt)
      .then(called("WebhookAttempted", { nextAttemptAt: NOON + DEADLINE_MS + CLAIM_MARGIN_MS }))
      .asksFor({ type: "call", call: queued, attempt: 1 });
  });

  for (const [index, minutes] of [...MINUTES, 960].entries()) {
    it(`number ${index + 1} is nobody's after ${minutes} minutes, and never before it can have ended`, () => {
      const { events } = given(queued, ...deferredTimes(index)).when(attempt, { spread: -1 });
      assert.equal(nextOf(events), NOON + Math.max(DEADLINE_MS + CLAIM_MARGIN_MS, Math.round(minutes * MINUTE_MS * 0.99)));
    });
  }

  it("waits for its time", () => {
    const later = called("WebhookQueued", { nextAttemptAt: NOON + 1 });
    given(later).when(attempt).changesNothing();
    given(later)
      .when(attempt, { now: NOON + 1 })
      .thenOfTypes("WebhookAttempted");
  });

  it("is not made while another attempt is open, nor when done", () => {
    given(queued, claimed(1)).when(attempt).changesNothing();
    given(queued, claimed(1)).when(attempt, { now: LATER }).refuses();
    given(queued, called("WebhookCanceled"), retired()).when(attempt).refuses();
    given().when(attempt).refuses();
  });

  it("is queued once", () => {
    given().when({ type: "queue", call: aCall() }).then(queued);
    given(queued).when({ type: "queue", call: aCall() }).refuses();
  });
});

describe("the answer to a call", () => {
  for (const status of [200, 201, 202, 204, 226, 299]) {
    it(`${status} is success`, () => {
      given(queued, claimed(1))
        .when(record(1, answered(status)), { now: SOON })
        .then(called("WebhookDelivered", { at: SOON, result: httpResult(status) }), retired(SOON));
    });
  }

  for (const status of [100, 199, 300, 301, 302, 303, 307, 308, 400, 401, 404, 409, 411, 429, 500, 502, 503, 599]) {
    it(`${status} is none: it is tried again`, () => {
      given(queued, claimed(1))
        .when(record(1, answered(status)))
        .thenOfTypes("WebhookDeferred");
    });
  }

  it("410 stops it at once", () => {
    given(queued, claimed(1))
      .when(record(1, answered(410)))
      .then(called("WebhookFailed", { result: httpResult(410) }), retired());
  });

  it("that never came is tried again", () => {
    given(queued, claimed(1))
      .when(record(1, unreachable))
      .then(called("WebhookDeferred", { result: httpResult(0), nextAttemptAt: NOON + MINUTE_MS }));
  });

  for (const status of [429, 503]) {
    it(`${status} with Retry-After puts the next call off`, () => {
      const { events } = given(queued, claimed(1)).when(record(1, answered(status, HOUR_MS)), { now: SOON });
      assert.equal(nextOf(events), SOON + HOUR_MS);
    });

    it(`${status} with Retry-After does not bring it forward`, () => {
      const { events } = given(queued, claimed(1)).when(record(1, answered(status, SECOND_MS)));
      assert.equal(nextOf(events), NOON + MINUTE_MS);
    });

    it(`${status} with Retry-After puts it off by a day at most`, () => {
      const { events } = given(queued, claimed(1)).when(record(1, answered(status, 400 * DAY_MS)));
      assert.equal(nextOf(events), NOON + DAY_MS);
    });

    it(`${status} with Retry-After at the twelfth call fails`, () => {
      given(queued, ...deferredTimes(11), claimed(12))
        .when(record(12, answered(status, HOUR_MS)))
        .thenOfTypes("WebhookFailed", "WebhookRetired");
    });
  }

  it("other than 429 and 503 has no say in when", () => {
    for (const status of [301, 404, 500]) {
      const { events } = given(queued, claimed(1)).when(record(1, answered(status, HOUR_MS)));
      assert.equal(nextOf(events), NOON + MINUTE_MS);
    }
  });

  it("is recorded once", () => {
    given(queued, claimed(1), called("WebhookDelivered"), retired())
      .when(record(1, answered(200)))
      .refuses();
  });
});

describe("a call that nobody finished", () => {
  const lost: WebhookCommand = { type: "abandon", reason: "lost", overdueOnly: false };
  const overdue: WebhookCommand = { ...lost, overdueOnly: true };

  it("is made again at once the first time", () => {
    given(queued, claimed(1))
      .when(lost, { now: SOON })
      .then(called("WebhookInterrupted", { at: SOON, nextAttemptAt: SOON }));
  });

  for (const [index, minutes] of MINUTES.entries()) {
    it(`waits ${minutes} minutes when that happens for the ${index + 2}. time`, () => {
      const { events } = given(queued, ...lostTimes(index + 1), claimed(index + 2)).when(lost);
      assert.equal(nextOf(events), NOON + minutes * MINUTE_MS);
    });
  }

  it("waits for nothing when the server was stopped in order", () => {
    const { events } = given(queued, ...lostTimes(4), claimed(5)).when(record(5, stopped), { now: SOON });
    assert.equal(nextOf(events), SOON);
  });

  it("never counts against the twelve", () => {
    given(queued, ...lostTimes(20), ...deferredTimes(10, 21), claimed(31))
      .when(record(31, answered(500)))
      .thenOfTypes("WebhookDeferred");
    given(queued, ...lostTimes(20), ...deferredTimes(11, 21), claimed(32))
      .when(record(32, answered(500)))
      .thenOfTypes("WebhookFailed", "WebhookRetired");
  });

  it("is given up by the clock only when its time is over", () => {
    given(queued, claimed(1))
      .when(overdue, { now: NOON + MINUTE_MS - 1 })
      .changesNothing();
    given(queued, claimed(1))
      .when(overdue, { now: NOON + MINUTE_MS })
      .thenOfTypes("WebhookInterrupted");
  });

  it("has no say any more once it was given up", () => {
    given(queued, ...lostTimes(1))
      .when(record(1, answered(200)))
      .refuses();
    for (const outcome of [answered(200), answered(410), unreachable, stopped]) {
      given(queued, ...lostTimes(1), claimed(2))
        .when(record(1, outcome))
        .changesNothing();
    }
  });
});
