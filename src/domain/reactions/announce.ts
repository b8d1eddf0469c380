/** Mail that arrived becomes a call of the account's incoming webhook, once: the arrival carries the call's id. */
import type { Directory } from "../account/account.ts";
import type { EventLog, Position } from "../event-log.ts";
import type { Webhooks } from "../runtime/kinds.ts";
import { MAX_CALL_ATTEMPTS } from "../webhook/backoff.ts";
import { webhookStream, type QueuedCall } from "../webhook/events.ts";
import type { ReceivedFact } from "./facts.ts";

const callOf = ({ recorded, event }: ReceivedFact, url: string): QueuedCall => ({
  id: event.callId,
  account: event.account,
  kind: "incoming",
  url,
  host: new URL(url).host.toLowerCase(),
  messageRef: event.id,
  payload: {
    receivedId: event.id,
    contentId: event.contentId,
    mailFrom: event.mailFrom,
    mailFromValidated: event.mailFromValidated,
    msgFromValidated: event.msgFromValidated,
    recipient: event.recipient,
    dkimVerifiedDomains: event.dkimVerifiedDomains,
    remoteAddress: event.remoteAddress,
    receivedAt: event.at,
    mailbox: event.mailbox,
    automated: event.automated,
    messageId: event.messageId,
    subject: event.subject,
  },
  nextAttemptAt: event.at,
  maxAttempts: MAX_CALL_ATTEMPTS,
  after: null,
  cause: { stream: recorded.stream, revision: recorded.revision },
});

/**
 * Queues the call about a message that arrived; does nothing for an account without an incoming webhook. Whether the
 * message is one to tell about, and not a report about mail of ours, is decided before. Resolves with where the call
 * stands in the log: the views must know that it needs the content before they are asked for contents that nobody needs.
 */
export const announcing = (options: {
  readonly log: Pick<EventLog, "head">;
  readonly webhooks: Webhooks;
  readonly directory: Directory;
  /** Told of calls that are stored and due now. */
  readonly onDue?: (call: QueuedCall, position: Position) => void;
}): ((fact: ReceivedFact) => Promise<Position>) => {
  const { log, webhooks, directory, onDue } = options;
  return async (fact) => {
    const url = directory.account(fact.event.account)?.incomingWebhook?.url;
    if (url === undefined) return 0;
    const call = callOf(fact, url);
    const position = await webhooks.create(
      [{ stream: webhookStream(call.id), events: [{ type: "WebhookQueued", at: fact.event.at, ...call }] }],
      [],
    );
    if (position !== false) onDue?.(call, position);
    // Not new: this ran before and was cut off before its checkpoint.
    return position === false ? log.head() : position;
  };
};
