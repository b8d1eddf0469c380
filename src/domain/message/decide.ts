/** The policy of the queue: what follows from a command. Which events are possible at all is the chart's business. */
import type { MessageCommand, MessageTerms } from "./commands.ts";
import { claimEndsAt } from "../claim.ts";
import { delayAfter, RETRY_DELAYS_MS, RETRY_SPREAD_MS } from "./backoff.ts";
import { classify } from "./bounce.ts";
import type { Identity } from "../identity.ts";
import type { AttemptResult, DeliveryOutcome } from "../smtp-result.ts";
import type { MessageEvent } from "./events.ts";
import { noteComplaint, noteDsn } from "./feedback.ts";
import type { MessageContext, MessageState } from "./machine.ts";
import { suppressionDecision } from "./suppressing.ts";

type CommandOf<Type extends MessageCommand["type"]> = Extract<MessageCommand, { type: Type }>;
type Events = readonly MessageEvent[];

const NOTHING: Events = [];

/** Spread around the table's delay after the nth attempt that counts, in whole milliseconds as every instant is. */
const retryDelayMs = (nth: number, spread: number): number => Math.round(delayAfter(RETRY_DELAYS_MS, nth) + spread * RETRY_SPREAD_MS);

const countedAttempts = ({ attempts, interruptions }: MessageContext): number => attempts - interruptions;

const isLast = (context: MessageContext): boolean => countedAttempts(context) >= (context.message?.maxAttempts ?? 0);

/** The final event of a life, and retirement with it. */
const ended = (event: MessageEvent, { now, policy }: MessageTerms): Events => [
  event,
  { type: "MessageRetired", at: now, keepUntil: now + policy.keepRetiredMs },
];

const queue = ({ message, holdBy }: CommandOf<"queue">, { now: at }: MessageTerms): Events => [
  { type: "MessageQueued", at, ...message },
  ...(holdBy === null ? [] : [{ type: "MessageHeld", at, by: holdBy } as const]),
];

const attempt = ({ deadlineMs }: CommandOf<"attempt">, { context }: MessageState, { now, spread }: MessageTerms): Events => {
  if (context.nextAttemptAt > now) return NOTHING;
  const untilRetryMs = retryDelayMs(countedAttempts(context) + 1, spread);
  return [{ type: "DeliveryAttempted", at: now, attempt: context.attempts + 1, nextAttemptAt: claimEndsAt(now, untilRetryMs, deadlineMs) }];
};

/** The retry is counted from the start of the attempt, unless the attempt took longer than that. */
const retryAt = (context: MessageContext, { now, spread }: MessageTerms): number =>
  Math.max(now, context.attemptedAt + retryDelayMs(countedAttempts(context), spread));

const rejected = (
  { result, permanent }: Extract<DeliveryOutcome, { kind: "rejected" }>,
  failuresBefore: number,
  { context }: MessageState,
  terms: MessageTerms,
): Events => {
  const bounce = classify(result.code, result.enhancedCode, result.error);
  const common = { at: terms.now, attempt: context.attempts, result, bounce, callId: terms.callIds[0] };
  if (!permanent && !isLast(context)) return [{ type: "DeliveryDeferred", ...common, nextAttemptAt: retryAt(context, terms) }];
  return ended(
    { type: "DeliveryFailed", ...common, suppress: suppressionDecision(result.code, result.enhancedCode, failuresBefore) },
    terms,
  );
};

const uncertain = (result: AttemptResult, { context }: MessageState, terms: MessageTerms): Events => {
  const { now: at, policy, callIds } = terms;
  const doubt = {
    type: "DeliveryUncertain",
    at,
    attempt: context.attempts,
    result,
    policy: policy.uncertainDelivery,
    callId: callIds[0],
  } as const;
  const by = { kind: "system", name: "uncertain delivery" } as const;
  const giveUp = (reason: string): Events => [doubt, ...ended({ type: "MessageFailed", at, reason, by, callId: callIds[1] }, terms)];
  switch (policy.uncertainDelivery) {
    case "wait":
      return [doubt];
    case "stop":
      return giveUp("the outcome of the delivery is unknown, and the account does not want another attempt");
    case "retry":
      if (isLast(context)) return giveUp("the outcome of the last attempt is unknown");
      return [doubt, { type: "MessageRequeued", at, nextAttemptAt: retryAt(context, terms), by }];
  }
};

/**
 * A first loss of the process delays nothing; one that loses it again and again waits as long as failures would, so
 * that a message that brings a process down cannot do so in a loop. An orderly stop is nobody's fault.
 */
const interrupted = (reason: string, orderly: boolean, { context }: MessageState, { now, spread }: MessageTerms): Events => {
  const delayMs = orderly || context.interruptions === 0 ? 0 : retryDelayMs(context.interruptions, spread);
  return [{ type: "DeliveryInterrupted", at: now, attempt: context.attempts, reason, nextAttemptAt: now + delayMs }];
};

const record = (command: CommandOf<"record">, state: MessageState, terms: MessageTerms): Events => {
  const { outcome } = command;
  // A result that comes after the attempt was given up for lost belongs to no open attempt.
  if (command.attempt !== state.context.attempts) return NOTHING;
  switch (outcome.kind) {
    case "delivered":
      return ended(
        { type: "DeliverySucceeded", at: terms.now, attempt: command.attempt, result: outcome.result, callId: terms.callIds[0] },
        terms,
      );
    case "rejected":
      return rejected(outcome, command.failuresBefore, state, terms);
    case "uncertain":
      return uncertain(outcome.result, state, terms);
    case "interrupted":
      return interrupted(outcome.reason, true, state, terms);
  }
};

const schedule = ({ nextAttemptAt, by }: CommandOf<"schedule">, state: MessageState, { now: at }: MessageTerms): Events => {
  if (state.value === "uncertain") return [{ type: "MessageRequeued", at, nextAttemptAt, by }];
  return state.context.nextAttemptAt === nextAttemptAt ? NOTHING : [{ type: "MessageRescheduled", at, nextAttemptAt, by }];
};

/** A rule whose hold was released must not hold again: it asks as often as its reaction runs. */
const heldBefore = ({ hold, heldBy }: MessageContext, by: Identity): boolean =>
  hold || (by.kind === "holdrule" && heldBy.includes(by.name));

const release = ({ by }: { readonly by: Identity }, state: MessageState, { now: at }: MessageTerms): Events => {
  const { hold } = state.context;
  const released: Events = hold ? [{ type: "MessageReleased", at, by }] : NOTHING;
  return state.value === "uncertain" ? [...released, { type: "MessageRequeued", at, nextAttemptAt: at, by }] : released;
};

/**
 * The events that a command leads to; none when it changes nothing (a repeated request writes nothing). The caller must
 * still ask the chart whether they are allowed in this state.
 */
export const decideMessage = (command: MessageCommand, state: MessageState, terms: MessageTerms): Events => {
  const { now: at, callIds } = terms;
  const { message } = state.context;
  switch (command.type) {
    case "queue":
      return queue(command, terms);
    case "hold":
      return heldBefore(state.context, command.by) ? NOTHING : [{ type: "MessageHeld", at, by: command.by }];
    case "release":
      return release(command, state, terms);
    case "schedule":
      return schedule(command, state, terms);
    case "setTransport":
      return message?.transport === command.transport
        ? NOTHING
        : [{ type: "MessageTransportSet", at, transport: command.transport, by: command.by }];
    case "setRequireTls":
      return message?.requireTls === command.requireTls
        ? NOTHING
        : [{ type: "MessageRequireTlsSet", at, requireTls: command.requireTls, by: command.by }];
    case "attempt":
      return attempt(command, state, terms);
    case "suppress":
      if (state.context.nextAttemptAt > at) return NOTHING;
      return ended(
        { type: "MessageSuppressed", at, baseAddress: command.baseAddress, suppression: command.suppression, callId: callIds[0] },
        terms,
      );
    case "record":
      return record(command, state, terms);
    case "abandon":
      if (command.overdueOnly && state.context.nextAttemptAt > at) return NOTHING;
      return interrupted(command.reason, false, state, terms);
    case "noteDsn":
      return noteDsn(command, state, terms);
    case "noteComplaint":
      return noteComplaint(command, state, terms);
    case "fail":
      return ended({ type: "MessageFailed", at, reason: `failed by ${command.by.name}`, by: command.by, callId: callIds[0] }, terms);
    case "cancel":
      return ended({ type: "MessageCanceled", at, by: command.by, callId: callIds[0] }, terms);
    case "remove":
      return [{ type: "MessageRemoved", at }];
  }
};
