/** What reactions work on: a run of the log, its message events together with the messages that they are about. */
import { NO_STREAM, type Position, type Recorded } from "../event-log.ts";
import type { DomainEventType } from "../events.ts";
import { messageStream, type MessageEvent, type QueuedMessage } from "../message/events.ts";
import type { ReceivedEvent } from "../received/events.ts";
import type { Messages } from "../runtime/kinds.ts";

/** Events that something follows from; all others are passed over undecoded. */
export const REACTED_TO: ReadonlySet<DomainEventType> = new Set([
  "MessageQueued",
  "MessageHeld",
  "DeliverySucceeded",
  "DeliveryDeferred",
  "DeliveryFailed",
  "DeliveryUncertain",
  "MessageSuppressed",
  "MessageFailed",
  "MessageCanceled",
  "DsnReceived",
  "ComplaintReceived",
  "MessageRetired",
  "MessageReceived",
  "MessageDeleted",
  "WebhookQueued",
  "WebhookRetired",
  "HoldRuleAdded",
] as const);

/** A message's event with the message it is about. */
export type MessageFact = { readonly recorded: Recorded; readonly event: MessageEvent; readonly message: QueuedMessage };

/** A message that arrived, or was put into a mailbox. */
export type ReceivedFact = { readonly recorded: Recorded; readonly event: Extract<ReceivedEvent, { type: "MessageReceived" }> };

/** One run of the log. */
export type Batch = { readonly events: readonly Recorded[]; readonly facts: readonly MessageFact[] };

/**
 * A kind of reaction. Handles a batch, in the order of the log wherever that matters for one stream, and resolves with
 * the last position that the views must have passed before the next batch: 0 when that does not matter. What must be
 * done before the batch counts as reacted to, but need not hold up the next one, it hands to `later`.
 */
export type Reaction = (batch: Batch, later: (job: Promise<unknown>) => void) => Promise<Position>;

const MESSAGE_STREAM = messageStream(0).slice(0, -1);

/** The event of a queued message; undefined when the stream is something else's. */
const messageEvent = ({ stream, event }: Recorded): MessageEvent | undefined =>
  stream.startsWith(MESSAGE_STREAM) ? (event as MessageEvent) : undefined;

/** What was received in this run, in order. */
export const receivedIn = ({ events }: Batch): readonly ReceivedFact[] =>
  events.flatMap((recorded) => (recorded.event.type === "MessageReceived" ? [{ recorded, event: recorded.event }] : []));

/** Loads the messages; one whose stream is gone has been reacted to before, for nothing is removed earlier. */
export const batchOf = async (messages: Messages, events: readonly Recorded[]): Promise<Batch> => {
  const load = async (recorded: Recorded, event: MessageEvent): Promise<MessageFact | undefined> => {
    const { state, revision } = await messages.load(recorded.stream);
    const { message } = state.context;
    return message === undefined || revision === NO_STREAM ? undefined : { recorded, event, message };
  };
  const loading: Promise<MessageFact | undefined>[] = [];
  for (const recorded of events) {
    const event = messageEvent(recorded);
    // Nothing follows from a hold: it only says that there is no need for another.
    if (event === undefined || event.type === "MessageHeld") continue;
    // Its first event is the message.
    loading.push(event.type === "MessageQueued" ? Promise.resolve({ recorded, event, message: event }) : load(recorded, event));
  }
  return { events, facts: (await Promise.all(loading)).filter((fact) => fact !== undefined) };
};

/** Runs jobs that were started in order and gives the largest position that they resolve with. */
export const lastOf = async (jobs: readonly Promise<Position>[]): Promise<Position> => Math.max(0, ...(await Promise.all(jobs)));
