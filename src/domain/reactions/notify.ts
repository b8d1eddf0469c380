/** Events of messages become webhook calls, each once: the event that causes a call carries the call's id. */
import type { Account, Directory } from "../account/account.ts";
import { NO_STREAM, type EventLog, type Position } from "../event-log.ts";
import type { DomainEventType } from "../events.ts";
import { notificationOf, type Notification } from "./notifications.ts";
import type { Webhooks } from "../runtime/kinds.ts";
import type { ReadModel } from "../runtime/read-model.ts";
import { MAX_CALL_ATTEMPTS } from "../webhook/backoff.ts";
import { webhookStream, type OutgoingEvent, type QueuedCall } from "../webhook/events.ts";
import { lastOf, type MessageFact, type Reaction } from "./facts.ts";

type Endpoint = NonNullable<Account["outgoingWebhook"]>;

/** Complaints are news of Posthorn's own: a client written for mox does not know them, unless it asked by name. */
const wants = ({ events }: Endpoint, event: OutgoingEvent): boolean => (events === null ? event !== "complained" : events.has(event));

const callOf = (
  { recorded, event, message }: MessageFact,
  { url }: Endpoint,
  { callId, payload }: Notification,
  after: number | null,
): QueuedCall => ({
  id: callId,
  account: message.account,
  kind: "outgoing",
  url,
  host: new URL(url).host.toLowerCase(),
  messageRef: message.id,
  payload,
  nextAttemptAt: event.at,
  maxAttempts: MAX_CALL_ATTEMPTS,
  after,
  cause: { stream: recorded.stream, revision: recorded.revision },
});

/**
 * `early` queues the calls that need nothing of the views, as soon as their events are stored; what it was cut off from is
 * made up for by `late`, which sees to every call.
 */
export type Notify = { readonly early: Reaction; readonly late: Reaction };

/** Events that may lead to early calls. */
export const EARLY_NEWS: ReadonlySet<DomainEventType> = new Set(["DeliverySucceeded"] as const);

export const notify = (options: {
  readonly log: EventLog;
  readonly webhooks: Webhooks;
  readonly readModel: ReadModel;
  readonly directory: Directory;
  /** Told of calls that are stored and due now. */
  readonly onDue?: (call: QueuedCall, position: Position) => void;
}): Notify => {
  const { log, webhooks, readModel, directory, onDue } = options;

  /** The call about the same message that has to be done first, where every event is wanted in order. */
  const predecessor = (messageId: number, id: number, last: ReadonlyMap<number, number>): number | null =>
    last.get(messageId) ?? readModel.unfinishedCalls(messageId).findLast((other) => other < id) ?? null;

  const queue = async (fact: MessageFact, endpoint: Endpoint, notification: Notification, after: number | null): Promise<number> => {
    const call = callOf(fact, endpoint, notification, after);
    // Not new: this reaction ran before and was cut off before its checkpoint.
    const position = await webhooks.create(
      [{ stream: webhookStream(call.id), events: [{ type: "WebhookQueued", at: fact.event.at, ...call }] }],
      [],
    );
    if (position !== false && after === null) onDue?.(call, position);
    if (endpoint.mode === "latest") return 0;
    return position === false ? log.head() : position;
  };

  /** Nothing has to be known from the views, and nobody is told of a suppression before the list shows it. */
  const isEarly = ({ event }: MessageFact, { mode }: Endpoint): boolean => mode === "latest" && EARLY_NEWS.has(event.type);

  const unlessQueued = async (callId: number, run: () => Promise<number>): Promise<number> => {
    const { revision } = await webhooks.load(webhookStream(callId));
    return revision === NO_STREAM ? run() : 0;
  };

  const react = (facts: readonly MessageFact[], early: boolean): Promise<number> => {
    const last = new Map<number, number>();
    const jobs: Promise<number>[] = [];
    for (const fact of facts) {
      const { event, message } = fact;
      const endpoint = directory.account(message.account)?.outgoingWebhook;
      const notification = endpoint ? notificationOf(event, message) : undefined;
      if (!endpoint || notification === undefined || !wants(endpoint, notification.payload.event)) continue;
      const mayBeEarly = isEarly(fact, endpoint);
      if (early && !mayBeEarly) continue;
      const after = endpoint.mode === "every" ? predecessor(message.id, notification.callId, last) : null;
      last.set(message.id, notification.callId);
      const run = () => queue(fact, endpoint, notification, after);
      jobs.push(mayBeEarly && !early ? unlessQueued(notification.callId, run) : run());
    }
    return lastOf(jobs);
  };
  return { early: ({ facts }) => react(facts, true), late: ({ facts }) => react(facts, false) };
};
