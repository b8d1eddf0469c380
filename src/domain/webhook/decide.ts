/** The policy of webhook calls: what counts as success, when to try again, when to stop. */
import { claimEndsAt } from "../claim.ts";
import { delayAfter } from "../message/backoff.ts";
import { CALL_RETRY_DELAYS_MS, CALL_RETRY_SPREAD, MAX_RETRY_AFTER_MS } from "./backoff.ts";
import type { CallOutcome } from "./caller.ts";
import type { WebhookCommand, WebhookTerms } from "./commands.ts";
import type { WebhookEvent } from "./events.ts";
import type { WebhookContext, WebhookState } from "./machine.ts";

type Events = readonly WebhookEvent[];

const NOTHING: Events = [];

/** The receiver says that this endpoint is no more (RFC 9110 section 15.5.11). */
const GONE = 410;

/** Answers whose Retry-After is followed (RFC 6585 section 4, RFC 9110 section 15.6.4). */
const ASK_FOR_PATIENCE: ReadonlySet<number> = new Set([429, 503]);

const countedAttempts = ({ attempts, interruptions }: WebhookContext): number => attempts - interruptions;

const retryDelayMs = (nth: number, spread: number): number => {
  const delayMs = delayAfter(CALL_RETRY_DELAYS_MS, nth);
  return Math.round(delayMs + spread * CALL_RETRY_SPREAD * delayMs);
};

const ended = (event: WebhookEvent, { now, keepRetiredMs }: WebhookTerms): Events => [
  event,
  { type: "WebhookRetired", at: now, keepUntil: now + keepRetiredMs },
];

/** An attempt's end that puts the call back in the queue, or ends it when a newer call has taken its place. */
const requeued = (event: WebhookEvent, { context }: WebhookState, terms: WebhookTerms): Events =>
  context.supersededBy === undefined ? [event] : ended(event, terms);

const attempt = (deadlineMs: number, { context }: WebhookState, { now, spread }: WebhookTerms): Events => {
  if (context.nextAttemptAt > now) return NOTHING;
  const untilRetryMs = retryDelayMs(countedAttempts(context) + 1, spread);
  return [{ type: "WebhookAttempted", at: now, attempt: context.attempts + 1, nextAttemptAt: claimEndsAt(now, untilRetryMs, deadlineMs) }];
};

const interrupted = (reason: string, orderly: boolean, state: WebhookState, terms: WebhookTerms): Events => {
  const { attempts, interruptions } = state.context;
  const delayMs = orderly || interruptions === 0 ? 0 : retryDelayMs(interruptions, terms.spread);
  return requeued(
    { type: "WebhookInterrupted", at: terms.now, attempt: attempts, reason, nextAttemptAt: terms.now + delayMs },
    state,
    terms,
  );
};

const retryAt = (
  outcome: Exclude<CallOutcome, { kind: "interrupted" }>,
  context: WebhookContext,
  { now, spread }: WebhookTerms,
): number => {
  const scheduledAt = Math.max(now, context.attemptedAt + retryDelayMs(countedAttempts(context), spread));
  if (outcome.kind !== "answered" || outcome.retryAfterMs === null || !ASK_FOR_PATIENCE.has(outcome.result.status)) return scheduledAt;
  return Math.max(scheduledAt, now + Math.min(outcome.retryAfterMs, MAX_RETRY_AFTER_MS));
};

const record = (outcome: CallOutcome, state: WebhookState, terms: WebhookTerms): Events => {
  if (outcome.kind === "interrupted") return interrupted(outcome.reason, true, state, terms);
  const { context } = state;
  const common = { at: terms.now, attempt: context.attempts, result: outcome.result };
  const { status } = outcome.result;
  if (status >= 200 && status <= 299) return ended({ type: "WebhookDelivered", ...common }, terms);
  const last = countedAttempts(context) >= (context.call?.maxAttempts ?? 0);
  if (status === GONE || outcome.kind === "impossible" || (last && context.supersededBy === undefined))
    return ended({ type: "WebhookFailed", ...common }, terms);
  return requeued({ type: "WebhookDeferred", ...common, nextAttemptAt: retryAt(outcome, context, terms) }, state, terms);
};

const supersede = (supersededBy: number, { value, context }: WebhookState, terms: WebhookTerms): Events => {
  if (context.supersededBy !== undefined) return NOTHING;
  const event: WebhookEvent = { type: "WebhookSuperseded", at: terms.now, supersededBy };
  // The result of a call in flight is still recorded: it retires when that comes.
  return value === "attempting" ? [event] : ended(event, terms);
};

/** The events that a command leads to; none when it changes nothing. The chart still says whether they are allowed. */
export const decideWebhook = (command: WebhookCommand, state: WebhookState, terms: WebhookTerms): Events => {
  const { now: at } = terms;
  switch (command.type) {
    case "queue":
      return [{ type: "WebhookQueued", at, ...command.call }];
    case "unblock":
      return state.value === "waiting" ? [{ type: "WebhookUnblocked", at }] : NOTHING;
    case "attempt":
      return attempt(command.deadlineMs, state, terms);
    case "record":
      // A result that comes after the attempt was given up for lost belongs to no open attempt.
      return command.attempt === state.context.attempts ? record(command.outcome, state, terms) : NOTHING;
    case "abandon":
      if (command.overdueOnly && state.context.nextAttemptAt > at) return NOTHING;
      return interrupted(command.reason, false, state, terms);
    case "schedule":
      if (state.context.nextAttemptAt === command.nextAttemptAt) return NOTHING;
      return [{ type: "WebhookRescheduled", at, nextAttemptAt: command.nextAttemptAt, by: command.by }];
    case "supersede":
      return supersede(command.supersededBy, state, terms);
    case "cancel":
      return ended({ type: "WebhookCanceled", at, by: command.by }, terms);
    case "remove":
      return [{ type: "WebhookRemoved", at }];
  }
};
