/** The story of a webhook call in the given/when/then grammar. */
import { DAY_MS, MINUTE_MS, SECOND_MS, type Instant } from "../../../src/domain/clock.ts";
import { webhookKind } from "../../../src/domain/runtime/kinds.ts";
import type { CallOutcome } from "../../../src/domain/webhook/caller.ts";
import type { WebhookCommand, WebhookTerms } from "../../../src/domain/webhook/commands.ts";
import type { WebhookEvent } from "../../../src/domain/webhook/events.ts";
import { grammar } from "../../support/given.ts";
import { called, httpResult, NOON } from "../../support/samples.ts";

export const KEEP_MS = 2 * DAY_MS;
/** What one call may take. */
export const DEADLINE_MS = 60 * SECOND_MS;

const terms: WebhookTerms = { now: NOON, spread: 0, keepRetiredMs: KEEP_MS };

export const given = grammar(webhookKind, terms);

export const attempt: WebhookCommand = { type: "attempt", deadlineMs: DEADLINE_MS };

export const queued = called("WebhookQueued");

export const waiting = called("WebhookQueued", { after: 80 });

export const claimed = (attemptNumber: number, at: Instant = NOON): WebhookEvent =>
  called("WebhookAttempted", { at, attempt: attemptNumber, nextAttemptAt: at + MINUTE_MS });

/** So many attempts that failed for now; due again at NOON. */
export const deferredTimes = (times: number, from = 1): readonly WebhookEvent[] =>
  Array.from({ length: times }, (_, index) => [
    claimed(from + index),
    called("WebhookDeferred", { attempt: from + index, nextAttemptAt: NOON }),
  ]).flat();

/** So many attempts that nobody finished. */
export const lostTimes = (times: number): readonly WebhookEvent[] =>
  Array.from({ length: times }, (_, index) => [
    claimed(index + 1),
    called("WebhookInterrupted", { attempt: index + 1, nextAttemptAt: NOON }),
  ]).flat();

export const retired = (at: Instant = NOON): WebhookEvent => called("WebhookRetired", { at, keepUntil: at + KEEP_MS });

export const record = (attemptNumber: number, outcome: CallOutcome): WebhookCommand => ({
  type: "record",
  attempt: attemptNumber,
  outcome,
});

export const answered = (status: number, retryAfterMs: number | null = null): CallOutcome => ({
  kind: "answered",
  result: httpResult(status),
  retryAfterMs,
});

export const unreachable: CallOutcome = { kind: "unreachable", result: httpResult(0) };
export const stopped: CallOutcome = { kind: "interrupted", reason: "the server stops" };

export const LATER: Instant = NOON + 2 * DAY_MS;
export const SOON: Instant = NOON + 30 * SECOND_MS;
