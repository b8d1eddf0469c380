/**
 * What senders are told about their messages in a DSN (RFC 3461, RFC 3464): which events call for one, and what it says.
 * Reading it off the message's events keeps it the same however often it is asked.
 */
import type { Instant } from "../clock.ts";
import { delayAfter, RETRY_DELAYS_MS } from "./backoff.ts";
import type { Bounce } from "./bounce.ts";
import type { MessageEvent, NotifyOccasion, QueuedMessage } from "./events.ts";
import type { AttemptResult } from "../smtp-result.ts";

/** A delay is told once, after this many failed attempts. */
export const FAILURES_BEFORE_DELAY_NOTICE = 5;

export type SenderNotice = {
  /** Of the report, of its content and, as `callId`, in the event that caused it. */
  readonly id: number;
  readonly at: Instant;
  /** RFC 3464 section 2.3.3. `relayed`: taken by a server that sends no DSNs of its own. */
  readonly action: "failed" | "delayed" | "relayed";
  readonly message: QueuedMessage;
  readonly arrivedAt: Instant;
  /** What a server said, or what went wrong on the way to it; null when no attempt was what caused the report. */
  readonly reply: Pick<AttemptResult, "code" | "enhancedCode" | "error" | "remoteHost" | "remoteAddress"> | null;
  /** Why it failed, for people, where no attempt says it; empty otherwise. */
  readonly reason: string;
  readonly bounce: Bounce | null;
  readonly lastAttemptAt: Instant | null;
  /** When the server gives up; of a delay only. */
  readonly retryUntil: Instant | null;
};

type Told = Pick<SenderNotice, "action" | "reply" | "reason" | "bounce">;

type Causing = Extract<
  MessageEvent,
  { readonly type: "DeliverySucceeded" | "DeliveryDeferred" | "DeliveryFailed" | "MessageFailed" | "MessageSuppressed" }
>;

const CAUSING: ReadonlySet<MessageEvent["type"]> = new Set<Causing["type"]>([
  "DeliverySucceeded",
  "DeliveryDeferred",
  "DeliveryFailed",
  "MessageFailed",
  "MessageSuppressed",
]);

const isCausing = (event: MessageEvent): event is Causing => CAUSING.has(event.type);

const OCCASION: Readonly<Record<Causing["type"], NotifyOccasion>> = {
  DeliverySucceeded: "success",
  DeliveryDeferred: "delay",
  DeliveryFailed: "failure",
  MessageFailed: "failure",
  MessageSuppressed: "failure",
};

/** Nothing said means delays and failures (RFC 3461 section 5.2.2, which leaves delays to the server). */
const isWanted = ({ notify }: QueuedMessage, occasion: NotifyOccasion): boolean =>
  notify === null ? occasion !== "success" : notify.includes(occasion);

/**
 * Whether an event may call for a report: quick, for the many that do not. A message from nobody gets none, so that no
 * two servers report to each other (RFC 5321 section 4.5.5).
 */
export const mayReport = (event: MessageEvent, message: QueuedMessage): boolean => {
  if (message.mailFrom === "" || !isCausing(event) || !isWanted(message, OCCASION[event.type])) return false;
  if (event.type === "DeliverySucceeded") return event.result.dsnPassedOn !== true;
  return event.type !== "DeliveryDeferred" || event.attempt >= FAILURES_BEFORE_DELAY_NOTICE;
};

const told = (event: Causing): Told => {
  switch (event.type) {
    case "DeliverySucceeded":
      return { action: "relayed", reply: event.result, reason: "", bounce: null };
    case "DeliveryDeferred":
      return { action: "delayed", reply: event.result, reason: "", bounce: event.bounce };
    case "DeliveryFailed":
      return { action: "failed", reply: event.result, reason: "", bounce: event.bounce };
    case "MessageFailed":
      return { action: "failed", reply: null, reason: event.reason, bounce: null };
    case "MessageSuppressed":
      return {
        action: "failed",
        reply: null,
        reason: `no attempt was made: ${event.baseAddress} is on the suppression list, because of what came back before`,
        bounce: null,
      };
  }
};

const isFailedAttempt = ({ type }: MessageEvent): boolean => type === "DeliveryDeferred" || type === "DeliveryUncertain";

/** The event that a delay is told by: later ones say nothing new. */
const delayToldBy = (events: readonly MessageEvent[]): MessageEvent | undefined => {
  let failures = 0;
  return events.find((event) => {
    if (isFailedAttempt(event)) failures += 1;
    return event.type === "DeliveryDeferred" && failures >= FAILURES_BEFORE_DELAY_NOTICE;
  });
};

/** When the last of the attempts that are left is due, if each of them fails at once. */
const lastRetryAt = (nextAttemptAt: Instant, failures: number, maxAttempts: number): Instant => {
  let at = nextAttemptAt;
  for (let attempt = failures + 1; attempt < maxAttempts; attempt += 1) at += delayAfter(RETRY_DELAYS_MS, attempt);
  return at;
};

/**
 * The notice that an event of a message gives rise to; undefined when its sender is told nothing.
 *
 * @param events - of the message, from its first up to and with the event in question.
 */
export const senderNotice = (events: readonly MessageEvent[], message: QueuedMessage): SenderNotice | undefined => {
  const event = events.at(-1);
  if (event === undefined || !isCausing(event) || !mayReport(event, message)) return undefined;
  const failures = events.filter(isFailedAttempt).length;
  if (event.type === "DeliveryDeferred" && delayToldBy(events) !== event) return undefined;
  return {
    id: event.callId,
    at: event.at,
    ...told(event),
    message,
    arrivedAt: events[0]?.at ?? event.at,
    lastAttemptAt: events.findLast(({ type }) => type === "DeliveryAttempted")?.at ?? null,
    retryUntil: event.type === "DeliveryDeferred" ? lastRetryAt(event.nextAttemptAt, failures, message.maxAttempts) : null,
  };
};
