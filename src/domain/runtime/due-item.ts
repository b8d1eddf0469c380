/** What the schedule says of a message or a call that waits for its time, for the views and for work that skips them. */
import type { QueuedMessage } from "../message/events.ts";
import { messageStream } from "../message/events.ts";
import { webhookStream, type QueuedCall } from "../webhook/events.ts";
import type { DueItem } from "./read-model.ts";

/** Whatever the recipients of one SMTP transaction have in common besides the domain (RFC 5321 section 4.5.4.1). */
export const batchOf = (
  message: Pick<QueuedMessage, "submissionId" | "requireTls" | "smtpUtf8" | "transport" | "mailFrom">,
  attempts: number,
): string => JSON.stringify([message.submissionId, attempts, message.requireTls, message.smtpUtf8, message.transport, message.mailFrom]);

/** A message that was queued just now. */
export const dueMessage = (message: QueuedMessage): DueItem => ({
  stream: messageStream(message.id),
  id: message.id,
  lane: message.recipientDomain,
  batch: batchOf(message, 0),
  dueAt: message.nextAttemptAt,
});

/** A call that was queued just now. */
export const dueCall = ({ id, host, nextAttemptAt }: QueuedCall): DueItem => ({
  stream: webhookStream(id),
  id,
  lane: host,
  batch: "",
  dueAt: nextAttemptAt,
});
