/** Single messages and calls as the views show them, each with its attempts. */
import type { AttemptRow } from "../../../projections/attempts.ts";
import { ATTEMPTS } from "../../../projections/attempts.ts";
import { FEEDBACK, type FeedbackRow } from "../../../projections/feedback.ts";
import { QUEUE, RETIRED, type MessageRow } from "../../../projections/messages.ts";
import type { AnyRow, Table } from "../../../projections/projection.ts";
import type { CallAttemptRow } from "../../../projections/webhook-attempts.ts";
import { WEBHOOK_ATTEMPTS } from "../../../projections/webhook-attempts.ts";
import { WEBHOOK_CALLS, WEBHOOK_RETIRED, type CallRow } from "../../../projections/webhook-calls.ts";
import type { Reader } from "../reader.ts";
import { MOST_ROWS } from "./page.ts";

export type Histories = {
  /** A message in the queue or retired; undefined when there is none, or none any more. */
  readonly message: (id: number) => MessageRow | undefined;
  /** Attempts to deliver a message, first to last. */
  readonly attempts: (messageId: number) => readonly AttemptRow[];
  /** Reports that came back about a message, in the order of their ids. */
  readonly feedback: (messageId: number) => readonly FeedbackRow[];
  /** A webhook call, waiting or retired. */
  readonly call: (id: number) => CallRow | undefined;
  /** Requests made for a call, first to last. */
  readonly callAttempts: (callId: number) => readonly CallAttemptRow[];
};

export const histories = (reader: Reader): Histories => {
  /** A message or call stands in one of two tables. */
  const find = (id: number, tables: readonly Table[]): AnyRow | undefined => {
    for (const table of tables) {
      const [row] = reader.rows<AnyRow>(table, "WHERE id = ?", [id]);
      if (row !== undefined) return row;
    }
    return undefined;
  };
  return {
    message: (id) => find(id, [QUEUE, RETIRED]) as MessageRow | undefined,
    attempts: (id) => reader.rows<AttemptRow>(ATTEMPTS, "WHERE messageRef = ? ORDER BY attempt LIMIT ?", [id, MOST_ROWS]),
    feedback: (id) => reader.rows<FeedbackRow>(FEEDBACK, "WHERE messageRef = ? ORDER BY receivedId LIMIT ?", [id, MOST_ROWS]),
    call: (id) => find(id, [WEBHOOK_CALLS, WEBHOOK_RETIRED]) as CallRow | undefined,
    callAttempts: (id) => reader.rows<CallAttemptRow>(WEBHOOK_ATTEMPTS, "WHERE callRef = ? ORDER BY attempt LIMIT ?", [id, MOST_ROWS]),
  };
};
