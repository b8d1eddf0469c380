/** What holds for every webhook call, whatever is asked of it in whatever order. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { CLAIM_MARGIN_MS } from "../../../src/domain/claim.ts";
import { MINUTE_MS } from "../../../src/domain/clock.ts";
import { webhookKind } from "../../../src/domain/runtime/kinds.ts";
import type { WebhookCommand, WebhookTerms } from "../../../src/domain/webhook/commands.ts";
import type { WebhookEvent } from "../../../src/domain/webhook/events.ts";
import { evolveWebhook, unbornWebhook, type WebhookState } from "../../../src/domain/webhook/machine.ts";
import { live, type Life } from "../../support/life.ts";
import { aCall, NOON, operator } from "../../support/samples.ts";
import { answered, DEADLINE_MS, stopped, unreachable } from "./given-webhook.ts";

const MAX_ATTEMPTS = 3;
const RUNS = { numRuns: 1_500 };

const command = fc.oneof(
  { weight: 6, arbitrary: fc.constant<WebhookCommand>({ type: "attempt", deadlineMs: DEADLINE_MS }) },
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        fc.constantFrom(answered(500), answered(503, 5 * MINUTE_MS), answered(301), answered(204), answered(410), unreachable, stopped),
        fc.constantFrom(0, 0, 0, -1, 1),
      )
      .map(([outcome, attempt]): WebhookCommand => ({ type: "record", outcome, attempt })),
  },
  fc.constantFrom<WebhookCommand>({ type: "unblock" }, { type: "remove" }, { type: "cancel", by: operator }),
  fc.nat(3).map((number): WebhookCommand => ({ type: "supersede", supersededBy: 100 + number })),
  fc.boolean().map((overdueOnly): WebhookCommand => ({ type: "abandon", reason: "lost", overdueOnly })),
  fc
    .integer({ min: -60, max: 60 })
    .map((minutes): WebhookCommand => ({ type: "schedule", nextAttemptAt: NOON + minutes * MINUTE_MS, by: operator })),
);

const lives = fc.record({
  after: fc.constantFrom(null, 80),
  steps: fc.array(fc.record({ command, minutes: fc.constantFrom(0, 0, 1, 8, 600), spread: fc.double({ min: -1, max: 1, noNaN: true }) }), {
    maxLength: 40,
  }),
});

type Plan = typeof lives extends fc.Arbitrary<infer Value> ? Value : never;

const lifeOf = ({ after, steps }: Plan): Life<WebhookState, WebhookEvent> => {
  let now = NOON;
  const birth = (): readonly [WebhookCommand, WebhookTerms] => [
    { type: "queue", call: aCall({ maxAttempts: MAX_ATTEMPTS, after }) },
    { now, spread: 0, keepRetiredMs: 0 },
  ];
  const rest = steps.map((each) => (state: WebhookState): readonly [WebhookCommand, WebhookTerms] => {
    now += each.minutes * MINUTE_MS;
    const asked =
      each.command.type === "record" ? { ...each.command, attempt: state.context.attempts + each.command.attempt } : each.command;
    return [asked, { now, spread: each.spread, keepRetiredMs: 0 }];
  });
  return live(webhookKind, [birth, ...rest]);
};

const always = (check: (life: Life<WebhookState, WebhookEvent>) => void): void => {
  fc.assert(
    fc.property(lives, (plan) => {
      check(lifeOf(plan));
    }),
    RUNS,
  );
};

describe("any webhook call", () => {
  it("is the fold of its events", () => {
    always(({ log, states }) => {
      const folded = log.reduce(evolveWebhook, unbornWebhook);
      assert.equal(folded.value, states.at(-1)?.value);
      assert.deepEqual(folded.context, states.at(-1)?.context);
    });
  });

  it("is made at most as often as it may, but for interruptions", () => {
    always(({ log, states }) => {
      const { attempts = 0, interruptions = 0 } = states.at(-1)?.context ?? {};
      assert.equal(log.filter(({ type }) => type === "WebhookAttempted").length, attempts);
      assert.ok(attempts - interruptions <= MAX_ATTEMPTS);
    });
  });

  it("retires once, in the same breath as its end, and knows how it ended", () => {
    always(({ log, states }) => {
      const retirements = log.flatMap(({ type }, index) => (type === "WebhookRetired" ? [index] : []));
      assert.ok(retirements.length <= 1);
      const { value, context } = states.at(-1) ?? unbornWebhook;
      assert.equal(retirements.length === 1, value === "retired" || value === "removed");
      assert.equal(retirements.length === 1, context.outcome !== undefined);
      const after = log.slice((retirements[0] ?? log.length) + 1).map(({ type }) => type);
      assert.ok(after.length <= 1 && after.every((type) => type === "WebhookRemoved"));
    });
  });

  it("is never made again after success, 410, a successor or its cancellation", () => {
    always(({ log }) => {
      const end = log.findIndex(
        (event) =>
          event.type === "WebhookDelivered" ||
          event.type === "WebhookCanceled" ||
          event.type === "WebhookSuperseded" ||
          ("result" in event && event.result.status === 410),
      );
      if (end >= 0) assert.ok(!log.slice(end).some(({ type }) => type === "WebhookAttempted"));
    });
  });

  it("that must wait is not made before it was let go", () => {
    always(({ log }) => {
      const [birth] = log;
      if (birth?.type !== "WebhookQueued" || birth.after === null) return;
      const made = log.findIndex(({ type }) => type === "WebhookAttempted");
      if (made >= 0) assert.ok(log.slice(0, made).some(({ type }) => type === "WebhookUnblocked"));
    });
  });

  it("is at any time exactly one of: waiting for another, waiting for a known time, in flight, done", () => {
    always(({ states }) => {
      for (const { value, context } of states.slice(1)) {
        const places = [
          value === "waiting",
          value === "queued" && Number.isFinite(context.nextAttemptAt) && context.supersededBy === undefined,
          value === "attempting" && context.nextAttemptAt >= context.attemptedAt + DEADLINE_MS + CLAIM_MARGIN_MS,
          value === "retired" || value === "removed",
        ];
        assert.equal(places.filter(Boolean).length, 1, value);
      }
    });
  });
});
