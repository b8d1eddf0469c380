/** The story of a message in the given/when/then grammar, with terms that hold unless a test changes them. */
import { DAY_MS, MINUTE_MS, SECOND_MS, type Instant } from "../../../src/domain/clock.ts";
import type { MessageCommand, MessageTerms } from "../../../src/domain/message/commands.ts";
import type { MessageEvent } from "../../../src/domain/message/events.ts";
import { messageKind } from "../../../src/domain/runtime/kinds.ts";
import type { AttemptResult } from "../../../src/domain/smtp-result.ts";
import { grammar } from "../../support/given.ts";
import { happened, NOON, smtpResult } from "../../support/samples.ts";

export const KEEP_MS = 3 * DAY_MS;
export const DEADLINE_MS = 5 * MINUTE_MS;

const terms: MessageTerms = {
  now: NOON,
  spread: 0,
  callIds: [1_001, 1_002],
  policy: { keepRetiredMs: KEEP_MS, uncertainDelivery: "wait" },
};

export const given = grammar(messageKind, terms);

export const attempt: MessageCommand = { type: "attempt", deadlineMs: DEADLINE_MS };

export const queued = happened("MessageQueued");

/** A claim of the nth attempt, at an instant. */
export const claimed = (attemptNumber: number, at: Instant = NOON): MessageEvent =>
  happened("DeliveryAttempted", { at, attempt: attemptNumber, nextAttemptAt: at + 7.5 * MINUTE_MS });

/** So many attempts that failed for now, one after the other; due again at NOON. */
export const deferredTimes = (times: number): readonly MessageEvent[] =>
  Array.from({ length: times }, (_, index) => [
    claimed(index + 1),
    happened("DeliveryDeferred", { attempt: index + 1, nextAttemptAt: NOON }),
  ]).flat();

/** So many attempts that nobody finished. */
export const lostTimes = (times: number, from = 1): readonly MessageEvent[] =>
  Array.from({ length: times }, (_, index) => [
    claimed(from + index),
    happened("DeliveryInterrupted", { attempt: from + index, nextAttemptAt: NOON }),
  ]).flat();

export const retired = (at: Instant = NOON): MessageEvent => happened("MessageRetired", { at, keepUntil: at + KEEP_MS });

type Outcome = Extract<MessageCommand, { readonly type: "record" }>["outcome"];

export const record = (attemptNumber: number, outcome: Outcome, failuresBefore = 0): MessageCommand => ({
  type: "record",
  attempt: attemptNumber,
  outcome,
  failuresBefore,
});

export const delivered: Outcome = { kind: "delivered", result: smtpResult(250, "2.0.0") };
export const rejected = (result: AttemptResult): Outcome => ({ kind: "rejected", permanent: result.code >= 500, result });
export const busy: Outcome = rejected(smtpResult(451, "4.7.1"));
export const gone: Outcome = rejected(smtpResult(550, "5.1.1"));
export const unknown: Outcome = { kind: "uncertain", result: smtpResult(0, "", { error: "connection lost" }) };
export const stopped: Outcome = { kind: "interrupted", reason: "the server stops" };

/** Past the longest wait: whatever waits is due. */
export const LATER: Instant = NOON + DAY_MS;
export const SOON: Instant = NOON + 30 * SECOND_MS;
