/** History of webhook calls: what each request came to. */
import type { Instant } from "../domain/clock.ts";
import type { Recorded } from "../domain/event-log.ts";
import type { CallResult, WebhookEvent } from "../domain/webhook/events.ts";
import { numberOf } from "./messages.ts";
import { erase, tableOf, type Fold } from "./projection.ts";

export type CallAttemptOutcome = "attempting" | "delivered" | "deferred" | "failed" | "interrupted";

/** One request. Fields of the result as in {@link CallResult}; 0 and empty until it ended. */
export type CallAttemptRow = {
  readonly callRef: number;
  readonly attempt: number;
  readonly startedAt: Instant;
  /** Null until the request ended with a result. */
  readonly durationMs: number | null;
  readonly outcome: CallAttemptOutcome;
  readonly status: number;
  readonly response: string;
  readonly error: string;
};

export const WEBHOOK_ATTEMPTS = tableOf<CallAttemptRow>({
  name: "webhook_attempts",
  columns: {
    callRef: "integer",
    attempt: "integer",
    startedAt: "integer",
    durationMs: "integer?",
    outcome: "text",
    status: "integer",
    response: "text",
    error: "text",
  },
  key: ["callRef", "attempt"],
  indexes: [],
});

type CallAttemptEvent = Extract<WebhookEvent, { readonly attempt: number }>;

const begun = (callRef: number, attempt: number, startedAt: Instant): CallAttemptRow => ({
  callRef,
  attempt,
  startedAt,
  durationMs: null,
  outcome: "attempting",
  status: 0,
  response: "",
  error: "",
});

const ended = (row: CallAttemptRow, outcome: CallAttemptOutcome, result: CallResult): CallAttemptRow => ({
  callRef: row.callRef,
  attempt: row.attempt,
  startedAt: result.startedAt,
  durationMs: result.durationMs,
  outcome,
  status: result.status,
  response: result.response,
  error: result.error,
});

const apply = (row: CallAttemptRow, event: CallAttemptEvent): CallAttemptRow => {
  switch (event.type) {
    case "WebhookAttempted":
      return row;
    case "WebhookDelivered":
      return ended(row, "delivered", event.result);
    case "WebhookDeferred":
      return ended(row, "deferred", event.result);
    case "WebhookFailed":
      return ended(row, "failed", event.result);
    case "WebhookInterrupted":
      return row.outcome === "attempting" ? { ...row, outcome: "interrupted", error: event.reason } : row;
  }
};

const fold: Fold<CallAttemptRow> = {
  name: "webhookAttempts",
  tables: [WEBHOOK_ATTEMPTS],
  home: () => WEBHOOK_ATTEMPTS,
  types: ["WebhookAttempted", "WebhookDelivered", "WebhookDeferred", "WebhookFailed", "WebhookInterrupted"],
  keys: ({ stream, event }) => [[numberOf(stream), (event as CallAttemptEvent).attempt]],
  births: ({ event }) => event.type === "WebhookAttempted",
  fold: (row, recorded) => {
    const { stream, event } = recorded as Recorded<CallAttemptEvent>;
    return apply(row ?? begun(numberOf(stream), event.attempt, event.at), event);
  },
  belongsTo: "webhookCalls",
};

export const webhookAttempts = erase(fold);
