/** Delivery history: what each attempt at a message came to. */
import type { Instant } from "../domain/clock.ts";
import type { Recorded } from "../domain/event-log.ts";
import type { Bounce } from "../domain/message/bounce.ts";
import type { MessageEvent } from "../domain/message/events.ts";
import type { AttemptResult, PolicyFacts, TlsFacts } from "../domain/smtp-result.ts";
import { numberOf } from "./messages.ts";
import { erase, tableOf, type Fold } from "./projection.ts";

export type AttemptOutcome = "attempting" | "delivered" | "deferred" | "failed" | "uncertain" | "interrupted";

/** One attempt. Fields of the result as in {@link AttemptResult}; 0 and empty until it ended. */
export type AttemptRow = {
  readonly messageRef: number;
  readonly attempt: number;
  readonly startedAt: Instant;
  /** Null until the attempt ended with a result. */
  readonly durationMs: number | null;
  readonly outcome: AttemptOutcome;
  readonly code: number;
  readonly enhancedCode: string;
  readonly error: string;
  readonly remoteHost: string;
  readonly remoteAddress: string;
  readonly tls: TlsFacts | null;
  readonly policy: PolicyFacts | null;
  readonly transport: string;
  /** Null where none was kept: the attempt delivered, or made no connection. */
  readonly transcript: readonly string[] | null;
  /** Class of the failure and the rule that gave it (`domain/message/bounce.ts`); empty when nothing failed. */
  readonly bounceClass: string;
  readonly bounceRule: string;
};

export const ATTEMPTS = tableOf<AttemptRow>({
  name: "attempts",
  columns: {
    messageRef: "integer",
    attempt: "integer",
    startedAt: "integer",
    durationMs: "integer?",
    outcome: "text",
    code: "integer",
    enhancedCode: "text",
    error: "text",
    remoteHost: "text",
    remoteAddress: "text",
    tls: "json?",
    policy: "json?",
    transport: "text",
    transcript: "json?",
    bounceClass: "text",
    bounceRule: "text",
  },
  key: ["messageRef", "attempt"],
  indexes: [],
});

type AttemptEvent = Extract<MessageEvent, { readonly attempt: number }>;

const begun = (messageRef: number, attempt: number, startedAt: Instant): AttemptRow => ({
  messageRef,
  attempt,
  startedAt,
  durationMs: null,
  outcome: "attempting",
  code: 0,
  enhancedCode: "",
  error: "",
  remoteHost: "",
  remoteAddress: "",
  tls: null,
  policy: null,
  transport: "",
  transcript: null,
  bounceClass: "",
  bounceRule: "",
});

const ended = (row: AttemptRow, outcome: AttemptOutcome, result: AttemptResult, bounce: Bounce | null = null): AttemptRow => ({
  messageRef: row.messageRef,
  attempt: row.attempt,
  startedAt: result.startedAt,
  durationMs: result.durationMs,
  outcome,
  code: result.code,
  enhancedCode: result.enhancedCode,
  error: result.error,
  remoteHost: result.remoteHost,
  remoteAddress: result.remoteAddress,
  tls: result.tls ?? null,
  policy: result.policy ?? null,
  transport: result.transport,
  transcript: result.transcript ?? null,
  bounceClass: bounce?.class ?? "",
  bounceRule: bounce?.rule ?? "",
});

const apply = (row: AttemptRow, event: AttemptEvent): AttemptRow => {
  switch (event.type) {
    case "DeliveryAttempted":
      return row;
    case "DeliverySucceeded":
      return ended(row, "delivered", event.result);
    case "DeliveryDeferred":
      return ended(row, "deferred", event.result, event.bounce);
    case "DeliveryFailed":
      return ended(row, "failed", event.result, event.bounce);
    case "DeliveryUncertain":
      return ended(row, "uncertain", event.result);
    case "DeliveryInterrupted":
      // After an uncertain end this only puts the message back in the queue: nothing became known about the attempt.
      return row.outcome === "attempting" ? { ...row, outcome: "interrupted", error: event.reason } : row;
  }
};

const fold: Fold<AttemptRow> = {
  name: "attempts",
  tables: [ATTEMPTS],
  home: () => ATTEMPTS,
  types: ["DeliveryAttempted", "DeliverySucceeded", "DeliveryDeferred", "DeliveryFailed", "DeliveryUncertain", "DeliveryInterrupted"],
  keys: ({ stream, event }) => [[numberOf(stream), (event as AttemptEvent).attempt]],
  births: ({ event }) => event.type === "DeliveryAttempted",
  fold: (row, recorded) => {
    const { stream, event } = recorded as Recorded<AttemptEvent>;
    return apply(row ?? begun(numberOf(stream), event.attempt, event.at), event);
  },
  belongsTo: "messages",
};

export const attempts = erase(fold);
