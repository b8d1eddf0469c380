/** What holds for every message, whatever is asked of it in whatever order. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { MINUTE_MS } from "../../../src/domain/clock.ts";
import type { MessageCommand, MessageTerms } from "../../../src/domain/message/commands.ts";
import { DSN_ACTIONS, type MatchedBy, type MessageEvent, type UncertainPolicy } from "../../../src/domain/message/events.ts";
import { evolveMessage, unbornMessage, type MessageState } from "../../../src/domain/message/machine.ts";
import { messageKind } from "../../../src/domain/runtime/kinds.ts";
import { live, type Life } from "../../support/life.ts";
import { aMessage, NOON, operator, rule, smtpResult } from "../../support/samples.ts";
import { busy, delivered, gone, rejected, stopped, unknown } from "./given-message.ts";

const MAX_ATTEMPTS = 3;
const RUNS = { numRuns: 1_500 };

/** Failing for now and claiming are likelier, so that lives get long. */
const command = fc.oneof(
  { weight: 6, arbitrary: fc.constant<MessageCommand>({ type: "attempt", deadlineMs: 5 * MINUTE_MS }) },
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        fc.constantFrom(busy, busy, stopped, unknown, rejected(smtpResult(0)), delivered, gone),
        fc.constantFrom(0, 0, 0, -1, 1),
        fc.nat(3),
      )
      // `attempt` is relative to the open one: 0 is the open one itself.
      .map(([outcome, attempt, failuresBefore]): MessageCommand => ({ type: "record", outcome, attempt, failuresBefore })),
  },
  fc.constantFrom<MessageCommand>({ type: "hold", by: rule }, { type: "release", by: operator }),
  fc.constantFrom<MessageCommand>({ type: "fail", by: operator }, { type: "cancel", by: operator }, { type: "remove" }),
  fc
    .tuple(fc.nat(6), fc.constantFrom<MatchedBy>("fromid", "envelope-id", "message-id"), fc.constantFrom(...DSN_ACTIONS), fc.nat(3))
    .map(([receivedId, matchedBy, action, failuresBefore]): MessageCommand => {
      const news = { isDsn: true, action, code: 550, enhancedCode: "5.1.1", error: "gone", remoteHost: "" };
      return { type: "noteDsn", receivedId, matchedBy, news, failuresBefore, isListed: failuresBefore > 2 };
    }),
  fc
    .tuple(fc.nat(6), fc.constantFrom<MatchedBy>("fromid", "message-id"), fc.constantFrom("abuse", "not-spam", "other"))
    .map(([receivedId, matchedBy, feedbackType]): MessageCommand => {
      return { type: "noteComplaint", receivedId, matchedBy, feedbackType, isListed: receivedId > 5 };
    }),
  fc.boolean().map((overdueOnly): MessageCommand => ({ type: "abandon", reason: "lost", overdueOnly })),
  fc
    .integer({ min: -60, max: 60 })
    .map((minutes): MessageCommand => ({ type: "schedule", nextAttemptAt: NOON + minutes * MINUTE_MS, by: operator })),
  fc.constantFrom<MessageCommand>(
    { type: "setTransport", transport: "relay", by: operator },
    { type: "setRequireTls", requireTls: true, by: operator },
    { type: "suppress", baseAddress: "bob@there.example", suppression: { stream: "recipient-shop/bob@there.example", revision: 0 } },
    { type: "queue", message: aMessage({ maxAttempts: MAX_ATTEMPTS }), holdBy: null },
  ),
);

const step = fc.record({
  command,
  minutes: fc.constantFrom(0, 0, 1, 8, 600),
  spread: fc.double({ min: -1, max: 1, noNaN: true }),
  uncertainDelivery: fc.constantFrom<UncertainPolicy>("retry", "stop", "wait"),
});

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

const lifeOf = (steps: readonly Step[]): Life<MessageState, MessageEvent> => {
  let now = NOON;
  let id = 1_000;
  const birth = (): readonly [MessageCommand, MessageTerms] => [
    { type: "queue", message: aMessage({ maxAttempts: MAX_ATTEMPTS }), holdBy: null },
    { now, spread: 0, callIds: [++id, ++id], policy: { keepRetiredMs: 0, uncertainDelivery: "wait" } },
  ];
  const rest = steps.map((each) => (state: MessageState): readonly [MessageCommand, MessageTerms] => {
    now += each.minutes * MINUTE_MS;
    const asked =
      each.command.type === "record" ? { ...each.command, attempt: state.context.attempts + each.command.attempt } : each.command;
    const policy = { keepRetiredMs: 0, uncertainDelivery: each.uncertainDelivery };
    return [asked, { now, spread: each.spread, callIds: [++id, ++id], policy }];
  });
  return live(messageKind, [birth, ...rest]);
};

const always = (check: (life: Life<MessageState, MessageEvent>) => void): void => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      check(lifeOf(steps));
    }),
    RUNS,
  );
};

const REPORTS: ReadonlySet<MessageEvent["type"]> = new Set(["DsnReceived", "ComplaintReceived"]);

const ENDINGS: ReadonlySet<MessageEvent["type"]> = new Set([
  "DeliverySucceeded",
  "DeliveryFailed",
  "MessageFailed",
  "MessageCanceled",
  "MessageSuppressed",
]);

describe("any message", () => {
  it("is the fold of its events", () => {
    always(({ log, states }) => {
      const folded = log.reduce(evolveMessage, unbornMessage);
      assert.equal(folded.value, states.at(-1)?.value);
      assert.deepEqual(folded.context, states.at(-1)?.context);
    });
  });

  it("is attempted at most as often as it may, but for interruptions and an operator's wish after an unclear end", () => {
    always(({ log, states }) => {
      const wishes = log.filter((event) => event.type === "MessageRequeued" && event.by.kind === "operator").length;
      const { attempts = 0, interruptions = 0 } = states.at(-1)?.context ?? {};
      assert.equal(log.filter(({ type }) => type === "DeliveryAttempted").length, attempts);
      assert.equal(log.filter(({ type }) => type === "DeliveryInterrupted").length, interruptions);
      assert.ok(attempts - interruptions <= MAX_ATTEMPTS + wishes);
    });
  });

  it("numbers its attempts from 1 without a gap, and each end belongs to the claim before it", () => {
    always(({ log }) => {
      let open = 0;
      for (const event of log) {
        if (event.type === "DeliveryAttempted") assert.equal(event.attempt, (open += 1));
        else if ("attempt" in event) assert.equal(event.attempt, open);
      }
    });
  });

  it("ends at most once, retires with the same breath, and nothing but reports and removal come after", () => {
    always(({ log, states }) => {
      const ends = log.flatMap(({ type }, index) => (ENDINGS.has(type) ? [index] : []));
      assert.ok(ends.length <= 1);
      const [end] = ends;
      if (end !== undefined) assert.equal(log[end + 1]?.type, "MessageRetired");
      const after = log.slice((end ?? log.length) + 2).flatMap(({ type }) => (REPORTS.has(type) ? [] : [type]));
      assert.ok(after.length <= 1 && after.every((type) => type === "MessageRemoved"));
      assert.equal(ends.length === 1, ["retired", "removed"].includes(states.at(-1)?.value ?? ""));
    });
  });

  it("notes each report once, none before its first attempt or after its removal, and is where it was before", () => {
    always(({ log, states }) => {
      const noted = log.flatMap((event) => ("receivedId" in event ? [event.receivedId] : []));
      assert.equal(new Set(noted).size, noted.length);
      assert.deepEqual(states.at(-1)?.context.reports, noted);
      const first = log.findIndex(({ type }) => REPORTS.has(type));
      if (first >= 0) assert.ok(log.slice(0, first).some(({ type }) => type === "DeliveryAttempted"));
      assert.ok(!REPORTS.has(log.at(-1)?.type ?? "MessageQueued") || states.at(-1)?.value === states.at(-2)?.value);
      assert.ok(!log.slice(0, -1).some(({ type }) => type === "MessageRemoved"));
    });
  });

  it("lists an address only because of a report that cannot have been made up", () => {
    always(({ log }) => {
      for (const event of log) {
        if (!("matchedBy" in event) || event.matchedBy !== "message-id") continue;
        assert.ok(event.suppress === null || event.suppress === false);
      }
    });
  });

  it("never uses the id of a notification twice", () => {
    always(({ log }) => {
      const ids = log.flatMap((event) => ("callId" in event ? [event.callId] : []));
      assert.equal(new Set(ids).size, ids.length);
    });
  });

  it("is at any time exactly one of: waiting for a known time, held, in flight, waiting for an operator, done", () => {
    always(({ states }) => {
      for (const { value, context } of states.slice(1)) {
        const places = [
          value === "queued" && Number.isFinite(context.nextAttemptAt) && !context.hold,
          value === "held" && context.hold,
          value === "attempting" && context.nextAttemptAt > context.attemptedAt,
          value === "uncertain",
          value === "retired" || value === "removed",
        ];
        assert.equal(places.filter(Boolean).length, 1, value);
      }
    });
  });

  it("is claimed until after the courier's deadline, and waits after every failure for the time that the claim left it", () => {
    always(({ log }) => {
      for (const event of log) {
        if (event.type === "DeliveryAttempted") assert.ok(event.nextAttemptAt >= event.at + 5.5 * MINUTE_MS);
        if (event.type === "DeliveryDeferred" || event.type === "DeliveryInterrupted") assert.ok(event.nextAttemptAt >= event.at);
      }
    });
  });
});
