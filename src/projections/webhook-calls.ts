/** Webhook calls that wait or are in flight, and those that are done: one row per call, which moves at retirement. */
import type { Instant } from "../domain/clock.ts";
import type { Recorded } from "../domain/event-log.ts";
import { OUTGOING_EVENTS, type CallResult, type WebhookEvent } from "../domain/webhook/events.ts";
import { numberOf } from "./messages.ts";
import { erase, tableOf, type ColumnsOf, type Fold } from "./projection.ts";

/** `removed` is never stored: it is what a call's last event leaves for the schedule to delete the stream. */
export type CallState = "waiting" | "queued" | "attempting" | "delivered" | "failed" | "superseded" | "canceled" | "removed";

/** What a call tells: an event of a message of ours, or that one arrived. */
export const CALL_EVENTS = [...OUTGOING_EVENTS, "incoming"] as const;
export type CallEvent = (typeof CALL_EVENTS)[number];

/** One call. After retirement `state` is its outcome. */
export type CallRow = {
  readonly id: number;
  readonly account: string;
  readonly kind: string;
  readonly url: string;
  readonly host: string;
  readonly messageRef: number;
  /** The message's Message-ID and subject, for lists. */
  readonly messageId: string;
  readonly subject: string;
  /** What the call tells of; `incoming` for mail that arrived. */
  readonly event: CallEvent;
  readonly suppressing: boolean;
  /** The mail that an incoming call brings along; null for other calls. */
  readonly contentId: number | null;
  readonly state: CallState;
  /** The call that must be done before this one; null without one. */
  readonly after: number | null;
  /** The newer call that takes its place; null without one. */
  readonly supersededBy: number | null;
  /** Attempts begun. */
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly queuedAt: Instant;
  readonly nextAttemptAt: Instant;
  /** While an attempt is open, when it counts as nobody's; null otherwise. `nextAttemptAt` is when it was due then. */
  readonly openUntil: Instant | null;
  readonly lastAttemptAt: Instant | null;
  /** HTTP status and error of the last attempt that ended; 0 and empty before that. */
  readonly lastStatus: number;
  readonly lastError: string;
  readonly lastActivityAt: Instant;
  readonly retiredAt: Instant | null;
  readonly keepUntil: Instant | null;
};

const COLUMNS: ColumnsOf<CallRow> = {
  id: "integer",
  account: "text",
  kind: "text",
  url: "text",
  host: "text",
  messageRef: "integer",
  messageId: "text",
  subject: "text",
  event: "text",
  suppressing: "boolean",
  contentId: "integer?",
  state: "text",
  after: "integer?",
  supersededBy: "integer?",
  attempts: "integer",
  maxAttempts: "integer",
  queuedAt: "integer",
  nextAttemptAt: "integer",
  openUntil: "integer?",
  lastAttemptAt: "integer?",
  lastStatus: "integer",
  lastError: "text",
  lastActivityAt: "integer",
  retiredAt: "integer?",
  keepUntil: "integer?",
};

/** What lists of calls are narrowed by. */
export const CALL_DIMENSIONS = ["account", "event", "messageRef"] as const;

const listedBy = (sort: string) => [
  { columns: [sort] },
  ...CALL_DIMENSIONS.flatMap((dimension) => [{ columns: [dimension] }, { columns: [dimension, sort] }]),
];

/** Calls not retired. */
export const WEBHOOK_CALLS = tableOf<CallRow>({
  name: "webhook_calls",
  columns: COLUMNS,
  key: ["id"],
  indexes: [...listedBy("nextAttemptAt"), { columns: ["after"], where: "state = 'waiting'" }],
});

/** Calls that are done, until their keep period ends. */
export const WEBHOOK_RETIRED = tableOf<CallRow>({
  name: "webhook_retired",
  columns: COLUMNS,
  key: ["id"],
  indexes: listedBy("lastActivityAt"),
});

const born = (event: Extract<WebhookEvent, { type: "WebhookQueued" }>): CallRow => ({
  id: event.id,
  account: event.account,
  kind: event.kind,
  url: event.url,
  host: event.host,
  messageRef: event.messageRef,
  messageId: event.payload.messageId,
  subject: event.payload.subject,
  event: event.kind === "outgoing" ? event.payload.event : "incoming",
  suppressing: event.kind === "outgoing" && event.payload.suppressing,
  contentId: event.kind === "incoming" ? event.payload.contentId : null,
  state: event.after === null ? "queued" : "waiting",
  after: event.after,
  supersededBy: null,
  attempts: 0,
  maxAttempts: event.maxAttempts,
  queuedAt: event.at,
  nextAttemptAt: event.nextAttemptAt,
  openUntil: null,
  lastAttemptAt: null,
  lastStatus: 0,
  lastError: "",
  lastActivityAt: event.at,
  retiredAt: null,
  keepUntil: null,
});

type Change = Partial<CallRow>;

const ended = (result: CallResult): Change => ({ openUntil: null, lastStatus: result.status, lastError: result.error });

/** A call that was superseded while in flight does not go back to waiting. */
const waiting = (row: CallRow, nextAttemptAt: Instant): Change => ({
  state: row.supersededBy === null ? "queued" : "superseded",
  nextAttemptAt,
  openUntil: null,
});

type Handler<Type extends WebhookEvent["type"]> = (row: CallRow, event: Extract<WebhookEvent, { type: Type }>) => Change;

/** What each event changes in a row that stands. */
const CHANGES: { readonly [Type in Exclude<WebhookEvent["type"], "WebhookQueued">]: Handler<Type> } = {
  WebhookUnblocked: (row) => (row.state === "waiting" ? { state: "queued" } : {}),
  WebhookAttempted: (_row, event) => ({
    state: "attempting",
    attempts: event.attempt,
    lastAttemptAt: event.at,
    openUntil: event.nextAttemptAt,
  }),
  WebhookDelivered: (_row, event) => ({ state: "delivered", ...ended(event.result) }),
  WebhookDeferred: (row, event) => ({ ...waiting(row, event.nextAttemptAt), ...ended(event.result) }),
  WebhookFailed: (_row, event) => ({ state: "failed", ...ended(event.result) }),
  WebhookInterrupted: (row, event) => waiting(row, event.nextAttemptAt),
  WebhookRescheduled: (_row, event) => ({ nextAttemptAt: event.nextAttemptAt }),
  // In flight, the attempt still has its end to come, and must not be lost to the schedule before.
  WebhookSuperseded: (row, event) => ({
    supersededBy: event.supersededBy,
    ...(row.state !== "attempting" && { state: "superseded" }),
  }),
  WebhookCanceled: () => ({ state: "canceled" }),
  WebhookRetired: (row, event) => ({
    ...(row.state === "attempting" && row.supersededBy !== null && { state: "superseded" }),
    retiredAt: event.at,
    keepUntil: event.keepUntil,
  }),
  WebhookRemoved: () => ({ state: "removed" }),
};

const apply = (row: CallRow | undefined, event: WebhookEvent): CallRow | undefined => {
  if (event.type === "WebhookQueued") return born(event);
  if (row === undefined) return undefined;
  const change = (CHANGES[event.type] as Handler<typeof event.type>)(row, event);
  // What a request came to may be recorded after retirement: it is history by then and changes no outcome.
  if (row.retiredAt !== null && event.type !== "WebhookRemoved") {
    return { ...row, ...change, state: row.state, lastActivityAt: event.at };
  }
  return { ...row, ...change, lastActivityAt: event.at };
};

const fold: Fold<CallRow> = {
  name: "webhookCalls",
  tables: [WEBHOOK_CALLS, WEBHOOK_RETIRED],
  home: (row) => (row.state === "removed" ? undefined : row.retiredAt === null ? WEBHOOK_CALLS : WEBHOOK_RETIRED),
  types: ["WebhookQueued", ...(Object.keys(CHANGES) as (keyof typeof CHANGES)[])],
  keys: ({ stream }) => [[numberOf(stream)]],
  births: ({ event }) => event.type === "WebhookQueued",
  fold: (row, recorded) => apply(row, (recorded as Recorded<WebhookEvent>).event),
};

export const webhookCalls = erase(fold);
