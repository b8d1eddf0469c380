/** The queue as an operator sees it, and the messages that left it: one row per message, which moves at retirement. */
import type { Instant } from "../domain/clock.ts";
import type { Recorded } from "../domain/event-log.ts";
import type { Bounce } from "../domain/message/bounce.ts";
import type { DsnAction, MessageEvent, QueuedMessage } from "../domain/message/events.ts";
import type { AttemptResult } from "../domain/smtp-result.ts";
import { submissionOf } from "../domain/submission/envelope-id.ts";
import { erase, tableOf, type ColumnsOf, type Fold, type Index } from "./projection.ts";

/** `removed` is never stored: it is what a message's last event leaves for the schedule to delete the stream. */
export type MessageState = "queued" | "held" | "attempting" | "uncertain" | "delivered" | "failed" | "suppressed" | "canceled" | "removed";

/** One message. After retirement `state` is its outcome. Fields as in {@link QueuedMessage} unless said. */
export type MessageRow = Pick<
  QueuedMessage,
  | "id"
  | "submissionId"
  | "account"
  | "mailFrom"
  | "from"
  | "senderDomain"
  | "recipient"
  | "recipientDomain"
  | "fromId"
  | "contentId"
  | "size"
  | "messageId"
  | "envelopeId"
  | "subject"
  | "extra"
  | "requireTls"
  | "smtpUtf8"
  | "transport"
  | "nextAttemptAt"
  | "maxAttempts"
> & {
  readonly source: string;
  readonly state: MessageState;
  /** Whether the envelope id is the submitter's own, from which nothing can be concluded. */
  readonly envelopeChosen: boolean;
  /** Set while on hold, also when an attempt under way has yet to end. */
  readonly hold: boolean;
  /** While an attempt is open, when it counts as nobody's; null otherwise. `nextAttemptAt` is when it was due then. */
  readonly openUntil: Instant | null;
  /** Attempts begun. */
  readonly attempts: number;
  readonly queuedAt: Instant;
  readonly lastAttemptAt: Instant | null;
  /** What the last attempt that ended came to; 0 and empty before that. */
  readonly lastCode: number;
  readonly lastEnhancedCode: string;
  readonly lastError: string;
  /** Class of the last refusal, by a reply or a DSN, and the rule that gave it; empty without one. */
  readonly bounceClass: string;
  readonly bounceRule: string;
  /** What the last report about it said: the action of a DSN, or `complained`; empty without reports. */
  readonly feedback: DsnAction | "complained" | "";
  /** Code of that DSN; 0 when it named none. */
  readonly feedbackCode: number;
  /** When the last event of the message's own happened. */
  readonly lastActivityAt: Instant;
  readonly retiredAt: Instant | null;
  readonly keepUntil: Instant | null;
};

const COLUMNS: ColumnsOf<MessageRow> = {
  id: "integer",
  submissionId: "integer",
  account: "text",
  mailFrom: "text",
  from: "text",
  senderDomain: "text",
  recipient: "text",
  recipientDomain: "text",
  fromId: "text",
  contentId: "integer",
  size: "integer",
  messageId: "text",
  envelopeId: "text",
  envelopeChosen: "boolean",
  subject: "text",
  extra: "json",
  requireTls: "boolean?",
  smtpUtf8: "boolean",
  transport: "text?",
  source: "text",
  state: "text",
  hold: "boolean",
  nextAttemptAt: "integer",
  openUntil: "integer?",
  attempts: "integer",
  maxAttempts: "integer",
  queuedAt: "integer",
  lastAttemptAt: "integer?",
  lastCode: "integer",
  lastEnhancedCode: "text",
  lastError: "text",
  bounceClass: "text",
  bounceRule: "text",
  feedback: "text",
  feedbackCode: "integer",
  lastActivityAt: "integer",
  retiredAt: "integer?",
  keepUntil: "integer?",
};

/**
 * Lists of the queue are narrowed by one of these first. With `hold` behind it both "on hold" and "not on hold" are a
 * range, and a list of both merges two; then comes what is sorted by: nothing (the id, which is the order of queueing)
 * or the next attempt.
 */
export const QUEUE_DIMENSIONS = ["account", "from", "senderDomain", "recipient", "recipientDomain", "transport"] as const;

const queueIndexes = (dimension: (typeof QUEUE_DIMENSIONS)[number]): readonly Index[] => {
  const some = dimension === "transport" ? { where: "transport IS NOT NULL" } : {};
  return [
    { columns: [dimension, "hold"], ...some },
    { columns: [dimension, "hold", "nextAttemptAt"], ...some },
  ];
};

/**
 * In the queue a message is found by what reports name when its first attempt has ended: nobody reports before that, and
 * most messages leave the queue by that attempt, so that the indexes cost them nothing.
 */
export const REPORTABLE = "(attempts > 1 OR attempts = 1 AND openUntil IS NULL)";

const BY_FROM_ID: Index = { columns: ["fromId"], where: "fromId <> ''" };

/** Envelope ids of our own name the submission, whose messages are found by their ids. */
export const ENVELOPE_CHOSEN = "envelopeChosen = 1";

/** Messages not retired. */
export const QUEUE = tableOf<MessageRow>({
  name: "queue",
  columns: COLUMNS,
  key: ["id"],
  indexes: [
    { columns: ["hold"] },
    { columns: ["hold", "nextAttemptAt"] },
    ...QUEUE_DIMENSIONS.flatMap(queueIndexes),
    BY_FROM_ID,
    { columns: ["account", "envelopeId"], where: `${ENVELOPE_CHOSEN} AND ${REPORTABLE}` },
    { columns: ["account", "messageId"], where: REPORTABLE },
  ],
});

/** What lists of retired messages are narrowed by. */
export const RETIRED_DIMENSIONS = ["account", "recipient", "recipientDomain", "state"] as const;

/** Messages that are done, until their keep period ends. */
export const RETIRED = tableOf<MessageRow>({
  name: "retired",
  columns: COLUMNS,
  key: ["id"],
  indexes: [
    { columns: ["lastActivityAt"] },
    ...RETIRED_DIMENSIONS.flatMap((dimension) => [{ columns: [dimension] }, { columns: [dimension, "lastActivityAt"] }]),
    BY_FROM_ID,
    { columns: ["account", "envelopeId"], where: ENVELOPE_CHOSEN },
    { columns: ["account", "messageId"] },
  ],
});

const born = (event: Extract<MessageEvent, { type: "MessageQueued" }>): MessageRow => ({
  id: event.id,
  submissionId: event.submissionId,
  account: event.account,
  mailFrom: event.mailFrom,
  from: event.from,
  senderDomain: event.senderDomain,
  recipient: event.recipient,
  recipientDomain: event.recipientDomain,
  fromId: event.fromId,
  contentId: event.contentId,
  size: event.size,
  messageId: event.messageId,
  envelopeId: event.envelopeId,
  envelopeChosen: event.envelopeId !== "" && submissionOf(event.envelopeId) !== event.submissionId,
  subject: event.subject,
  extra: event.extra,
  requireTls: event.requireTls,
  smtpUtf8: event.smtpUtf8,
  transport: event.transport,
  source: event.source,
  state: "queued",
  hold: false,
  nextAttemptAt: event.nextAttemptAt,
  openUntil: null,
  attempts: 0,
  maxAttempts: event.maxAttempts,
  queuedAt: event.at,
  lastAttemptAt: null,
  lastCode: 0,
  lastEnhancedCode: "",
  lastError: "",
  bounceClass: "",
  bounceRule: "",
  feedback: "",
  feedbackCode: 0,
  lastActivityAt: event.at,
  retiredAt: null,
  keepUntil: null,
});

type Change = Partial<MessageRow>;

const refused = (bounce: Bounce | null): Change => ({ bounceClass: bounce?.class ?? "", bounceRule: bounce?.rule ?? "" });

const ended = (result: AttemptResult, bounce: Bounce | null = null): Change => ({
  openUntil: null,
  ...refused(bounce),
  lastCode: result.code,
  lastEnhancedCode: result.enhancedCode,
  lastError: result.error,
});

const waiting = (row: MessageRow, nextAttemptAt: Instant): Change => ({
  state: row.hold ? "held" : "queued",
  nextAttemptAt,
  openUntil: null,
});

type Handler<Type extends MessageEvent["type"]> = (row: MessageRow, event: Extract<MessageEvent, { type: Type }>) => Change;

/** What each event changes in a row that stands. */
const CHANGES: { readonly [Type in Exclude<MessageEvent["type"], "MessageQueued">]: Handler<Type> } = {
  MessageHeld: (row) => ({ hold: true, ...(row.state === "queued" && { state: "held" }) }),
  MessageReleased: (row) => ({ hold: false, ...(row.state === "held" && { state: "queued" }) }),
  MessageRescheduled: (_row, event) => ({ nextAttemptAt: event.nextAttemptAt }),
  MessageTransportSet: (_row, event) => ({ transport: event.transport }),
  MessageRequireTlsSet: (_row, event) => ({ requireTls: event.requireTls }),
  DeliveryAttempted: (_row, event) => ({
    state: "attempting",
    attempts: event.attempt,
    lastAttemptAt: event.at,
    // Not nextAttemptAt: most attempts end well at once, and a dozen indexes would move for each.
    openUntil: event.nextAttemptAt,
  }),
  DeliverySucceeded: (_row, event) => ({ state: "delivered", ...ended(event.result) }),
  DeliveryDeferred: (row, event) => ({ ...waiting(row, event.nextAttemptAt), ...ended(event.result, event.bounce) }),
  DeliveryFailed: (_row, event) => ({ state: "failed", ...ended(event.result, event.bounce) }),
  DeliveryUncertain: (_row, event) => ({ state: "uncertain", ...ended(event.result) }),
  DeliveryInterrupted: (row, event) => waiting(row, event.nextAttemptAt),
  MessageRequeued: (row, event) => waiting(row, event.nextAttemptAt),
  MessageSuppressed: () => ({ state: "suppressed" }),
  MessageFailed: (_row, event) => ({ state: "failed", lastError: event.reason }),
  MessageCanceled: () => ({ state: "canceled" }),
  DsnReceived: (_row, event) => ({ feedback: event.action, feedbackCode: event.code, ...(event.bounce !== null && refused(event.bounce)) }),
  ComplaintReceived: () => ({ feedback: "complained", feedbackCode: 0 }),
  MessageRetired: (_row, event) => ({ retiredAt: event.at, keepUntil: event.keepUntil }),
  MessageRemoved: () => ({ state: "removed" }),
};

const apply = (row: MessageRow | undefined, event: MessageEvent): MessageRow | undefined => {
  if (event.type === "MessageQueued") return born(event);
  if (row === undefined) return undefined;
  const change = CHANGES[event.type] as Handler<typeof event.type>;
  return { ...row, ...change(row, event), lastActivityAt: event.at };
};

/** Number of the message or call that a stream is about. */
export const numberOf = (stream: string): number => Number(stream.slice(stream.indexOf("-") + 1));

const fold: Fold<MessageRow> = {
  name: "messages",
  tables: [QUEUE, RETIRED],
  home: (row) => (row.state === "removed" ? undefined : row.retiredAt === null ? QUEUE : RETIRED),
  types: ["MessageQueued", ...(Object.keys(CHANGES) as (keyof typeof CHANGES)[])],
  keys: ({ stream }) => [[numberOf(stream)]],
  births: ({ event }) => event.type === "MessageQueued",
  fold: (row, recorded) => apply(row, (recorded as Recorded<MessageEvent>).event),
};

export const messages = erase(fold);
