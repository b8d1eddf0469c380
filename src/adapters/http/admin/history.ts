/**
 * One message or webhook call with everything that happened to it, folded from its stream: never behind the log, as
 * views may be by a moment. The folds are those of the views, so that both tell the same story.
 */
import type { EventLog, Recorded } from "../../../domain/event-log.ts";
import { messageStream } from "../../../domain/message/events.ts";
import { receivedStream } from "../../../domain/received/events.ts";
import { webhookStream } from "../../../domain/webhook/events.ts";
import { attempts, type AttemptRow } from "../../../projections/attempts.ts";
import { feedback, type FeedbackRow } from "../../../projections/feedback.ts";
import { messages, type MessageRow } from "../../../projections/messages.ts";
import type { AnyRow, Fold } from "../../../projections/projection.ts";
import { received, type ReceivedRow } from "../../../projections/received.ts";
import { webhookAttempts, type CallAttemptRow } from "../../../projections/webhook-attempts.ts";
import { webhookCalls, type CallRow } from "../../../projections/webhook-calls.ts";

export type MessageHistory = {
  readonly message: MessageRow;
  readonly attempts: readonly AttemptRow[];
  /** What came back about it, first to last. */
  readonly feedback: readonly FeedbackRow[];
  readonly events: readonly Recorded[];
};

export type CallHistory = {
  readonly call: CallRow;
  readonly attempts: readonly CallAttemptRow[];
  readonly events: readonly Recorded[];
};

/** The rows that a view would have after these events. */
const rowsOf = (fold: Fold, events: readonly Recorded[]): readonly AnyRow[] => {
  const rows = new Map<string, AnyRow>();
  for (const recorded of events) {
    if (!fold.types.includes(recorded.event.type)) continue;
    for (const key of fold.keys(recorded)) {
      const name = JSON.stringify(key);
      const row = fold.fold(rows.get(name), recorded, key);
      if (row === undefined) rows.delete(name);
      else rows.set(name, row);
    }
  }
  return [...rows.values()];
};

type Reader = Pick<EventLog, "read">;

/** Undefined when there is no such message, or no longer. */
export const messageHistory = async (log: Reader, id: number): Promise<MessageHistory | undefined> => {
  const events = await log.read(messageStream(id));
  const [message] = rowsOf(messages, events) as readonly MessageRow[];
  if (message === undefined || message.state === "removed") return undefined;
  return {
    message,
    attempts: rowsOf(attempts, events) as readonly AttemptRow[],
    feedback: rowsOf(feedback, events) as readonly FeedbackRow[],
    events,
  };
};

/** Undefined when there is no such call, or no longer. */
export const callHistory = async (log: Reader, id: number): Promise<CallHistory | undefined> => {
  const events = await log.read(webhookStream(id));
  const [call] = rowsOf(webhookCalls, events) as readonly CallRow[];
  if (call === undefined || call.state === "removed") return undefined;
  return { call, attempts: rowsOf(webhookAttempts, events) as readonly CallAttemptRow[], events };
};

export type ReceivedHistory = { readonly message: ReceivedRow; readonly events: readonly Recorded[] };

/** Undefined when there is no such message in any mailbox, or no longer. */
export const receivedHistory = async (log: Reader, id: number): Promise<ReceivedHistory | undefined> => {
  const events = await log.read(receivedStream(id));
  const [message] = rowsOf(received, events) as readonly ReceivedRow[];
  return message?.deletedAt === null ? { message, events } : undefined;
};

/** As {@link receivedHistory}, the message alone. */
export const receivedMessage = async (log: Reader, id: number): Promise<ReceivedRow | undefined> =>
  (await receivedHistory(log, id))?.message;
