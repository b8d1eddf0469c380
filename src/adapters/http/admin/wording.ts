/** How instants, spans, sizes and events are said to people: on the pages and on the command line alike. */
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, type Instant } from "../../../domain/clock.ts";
import type { Recorded } from "../../../domain/event-log.ts";
import type { DomainEvent, DomainEventType } from "../../../domain/events.ts";
import type { Identity } from "../../../domain/identity.ts";
import type { Bounce } from "../../../domain/message/bounce.ts";
import type { ReceivedMessage } from "../../../domain/received/events.ts";
import type { AttemptResult } from "../../../domain/smtp-result.ts";
import type { CallResult } from "../../../domain/webhook/events.ts";

const UNITS = [
  ["d", DAY_MS],
  ["h", HOUR_MS],
  ["min", MINUTE_MS],
  ["s", SECOND_MS],
] as const;

/** The two largest units of a span: `7 min 30 s`, `2 d 4 h`, `350 ms`. */
export const spanText = (ms: number): string => {
  if (ms < SECOND_MS) return `${Math.round(ms)} ms`;
  const first = UNITS.findIndex(([, unitMs]) => ms >= unitMs);
  const parts: string[] = [];
  let rest = ms;
  for (const [name, unitMs] of UNITS.slice(first, first + 2)) {
    const amount = Math.floor(rest / unitMs);
    if (amount > 0) parts.push(`${amount} ${name}`);
    rest -= amount * unitMs;
  }
  return parts.join(" ");
};

/** `in 7 min 30 s`, `12 s ago`, `now`. */
export const relativeText = (at: Instant, now: Instant): string => {
  const distance = at - now;
  if (Math.abs(distance) < SECOND_MS) return "now";
  return distance > 0 ? `in ${spanText(distance)}` : `${spanText(-distance)} ago`;
};

const pad = (value: number): string => `${value}`.padStart(2, "0");

/** Time of day where this runs, with the date unless it is today's: `2026-06-01 12:00:07`. */
export const localTimeText = (at: Instant, now: Instant): string => {
  const date = new Date(at);
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  const time = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
  return date.toDateString() === new Date(now).toDateString() ? time : `${day} ${time}`;
};

/** `812 B`, `4.2 kB`, `25.0 MB`, in powers of 1000. */
export const sizeText = (octets: number): string => {
  if (octets < 1_000) return `${octets} B`;
  return octets < 1e6 ? `${(octets / 1e3).toFixed(1)} kB` : `${(octets / 1e6).toFixed(1)} MB`;
};

/** What a remote server said, or what went wrong: `451 4.3.0 try again later`. */
export const replyText = (result: Pick<AttemptResult, "code" | "enhancedCode" | "error">): string => {
  const codes = [result.code === 0 ? "" : `${result.code}`, result.enhancedCode].filter((part) => part !== "");
  // The error is the reply's text: it may start with the codes itself.
  const text = codes.reduce((rest, part) => (rest.startsWith(part) ? rest.slice(part.length).trimStart() : rest), result.error);
  return [...codes, text].filter((part) => part !== "").join(" ");
};

const answerText = ({ status, error }: CallResult): string =>
  [status === 0 ? "" : `${status}`, error].filter((part) => part !== "").join(" ");

const who = ({ kind, name }: Identity): string =>
  kind === "holdrule" ? `hold rule ${name}` : kind === "system" ? `the server (${name})` : name;

type Sentences = { readonly [Type in DomainEventType]: (event: Extract<DomainEvent, { type: Type }>) => string };

const iso = (at: Instant): string => new Date(at).toISOString().replace(".000Z", "Z");

const reached = ({ remoteHost, remoteAddress, durationMs }: AttemptResult): string => {
  const host = remoteHost === "" ? remoteAddress : remoteHost;
  return `${host === "" ? "" : ` at ${host}`} after ${spanText(durationMs)}`;
};

/** ` (mailbox-full, by rule enhanced-full)` */
const classText = (bounce: Bounce | null): string => (bounce === null ? "" : ` (${bounce.class}, by rule ${bounce.rule})`);

const arrived = ({ origin, from, recipient, mailbox }: ReceivedMessage): string => {
  if (origin === "sent") return `a copy of what was sent from ${from} kept in ${mailbox}`;
  return origin === "report" ? `a report for ${recipient} put into ${mailbox}` : `received from ${from} for ${recipient}, into ${mailbox}`;
};

const SENTENCES: Sentences = {
  MessageQueued: ({ from, recipient, source }) => `queued, from ${from} to ${recipient}, over ${source}`,
  MessageHeld: ({ by }) => `put on hold by ${who(by)}`,
  MessageReleased: ({ by }) => `released by ${who(by)}`,
  MessageRescheduled: ({ nextAttemptAt, by }) => `next attempt set to ${iso(nextAttemptAt)} by ${who(by)}`,
  MessageTransportSet: ({ transport, by }) => `transport set to ${transport ?? "what the routes say"} by ${who(by)}`,
  MessageRequireTlsSet: ({ requireTls, by }) =>
    `TLS ${requireTls === null ? "left to policy" : requireTls ? "required" : "not required"} by ${who(by)}`,
  DeliveryAttempted: ({ attempt }) => `attempt ${attempt} began`,
  DeliverySucceeded: ({ attempt, result }) => `attempt ${attempt} delivered it${reached(result)}`,
  DeliveryDeferred: ({ attempt, result, bounce, nextAttemptAt }) =>
    `attempt ${attempt} failed${reached(result)}: ${replyText(result)}${classText(bounce)}; next at ${iso(nextAttemptAt)}`,
  DeliveryFailed: ({ attempt, result, bounce, suppress }) =>
    `attempt ${attempt} failed for good${reached(result)}: ${replyText(result)}${classText(bounce)}${suppress === null ? "" : "; the address goes on the suppression list"}`,
  DeliveryUncertain: ({ attempt, result }) =>
    `attempt ${attempt} ended without an answer to the message${reached(result)}: nobody knows whether it arrived`,
  DeliveryInterrupted: ({ attempt, reason, nextAttemptAt }) =>
    `attempt ${attempt} was interrupted: ${reason}; next at ${iso(nextAttemptAt)}`,
  MessageRequeued: ({ nextAttemptAt, by }) => `back in the queue by ${who(by)}, next at ${iso(nextAttemptAt)}`,
  MessageSuppressed: ({ baseAddress }) => `not attempted: ${baseAddress} is on the suppression list`,
  MessageFailed: ({ reason }) => `given up: ${reason}`,
  MessageCanceled: ({ by }) => `canceled by ${who(by)}`,
  DsnReceived: ({ action, code, enhancedCode, error, bounce, suppress }) =>
    `a DSN says ${action}${code === 0 ? "" : `: ${replyText({ code, enhancedCode, error })}`}${classText(bounce)}${suppress === null ? "" : "; the address goes on the suppression list"}`,
  ComplaintReceived: ({ feedbackType, suppress }) =>
    `the recipient complained (${feedbackType})${suppress ? "; the address goes on the suppression list" : ""}`,
  MessageRetired: ({ keepUntil }) => `retired, kept until ${iso(keepUntil)}`,
  MessageRemoved: () => "the keep period is over",
  WebhookQueued: (call) =>
    call.kind === "outgoing"
      ? `call for ${call.payload.event} of message ${call.messageRef} queued`
      : `call about received message ${call.messageRef} queued`,
  WebhookUnblocked: () => "the call before it is done",
  WebhookAttempted: ({ attempt }) => `attempt ${attempt} began`,
  WebhookDelivered: ({ attempt, result }) => `attempt ${attempt} was answered ${result.status} after ${spanText(result.durationMs)}`,
  WebhookDeferred: ({ attempt, result, nextAttemptAt }) =>
    `attempt ${attempt} failed: ${answerText(result)}; next at ${iso(nextAttemptAt)}`,
  WebhookFailed: ({ attempt, result }) => `attempt ${attempt} failed for good: ${answerText(result)}`,
  WebhookInterrupted: ({ attempt, reason, nextAttemptAt }) =>
    `attempt ${attempt} was interrupted: ${reason}; next at ${iso(nextAttemptAt)}`,
  WebhookRescheduled: ({ nextAttemptAt, by }) => `next attempt set to ${iso(nextAttemptAt)} by ${who(by)}`,
  WebhookSuperseded: ({ supersededBy }) => `superseded by call ${supersededBy}`,
  WebhookCanceled: ({ by }) => `canceled by ${who(by)}`,
  WebhookRetired: ({ keepUntil }) => `retired, kept until ${iso(keepUntil)}`,
  WebhookRemoved: () => "the keep period is over",
  RecipientContacted: ({ account, baseAddress }) => `${account} wrote to ${baseAddress} for the first time`,
  RecipientDeliveryFailed: ({ baseAddress, failures }) => `a message to ${baseAddress} failed, ${failures} in a row`,
  RecipientDeliveryRecovered: ({ baseAddress }) => `a message to ${baseAddress} arrived again`,
  SuppressionAdded: ({ baseAddress, account, reason, by }) =>
    `${baseAddress} put on the suppression list of ${account} by ${who(by)}${reason === "" ? "" : `: ${reason}`}`,
  SuppressionRemoved: ({ baseAddress, account, by }) => `${baseAddress} taken off the suppression list of ${account} by ${who(by)}`,
  HoldRuleAdded: ({ id, by }) => `hold rule ${id} added by ${who(by)}`,
  HoldRuleRemoved: ({ id, by }) => `hold rule ${id} removed by ${who(by)}`,
  MessageReceived: arrived,
  MessageFlagsAdded: ({ flags, by }) => `flags ${flags.join(" ")} added by ${who(by)}`,
  MessageFlagsRemoved: ({ flags, by }) => `flags ${flags.join(" ")} removed by ${who(by)}`,
  MessageMoved: ({ mailbox, by }) => `moved to ${mailbox} by ${who(by)}`,
  MessageDeleted: ({ by }) => `deleted by ${who(by)}`,
};

/** Every type that the log can hold: the compiler sees to it that each has its sentence. */
export const EVENT_TYPES: ReadonlySet<DomainEventType> = new Set(Object.keys(SENTENCES) as DomainEventType[]);

/** What happened, in a few words. Holds text from outside: to be escaped, or stripped of control characters, for where it goes. */
export const eventText = (event: DomainEvent): string => {
  // An event from a newer server has no sentence here: its name must do.
  const sentence = (SENTENCES as Partial<Record<string, (event: DomainEvent) => string>>)[event.type];
  return sentence === undefined ? event.type : sentence(event);
};

/** An event with what it says in words, for clients that do not know every type. */
export type Told = Recorded & { readonly text: string };

export const told = (recorded: Recorded): Told => ({ ...recorded, text: eventText(recorded.event) });
