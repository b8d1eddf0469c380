/** Calls about one message: a newer one takes the place of those that still wait, or waits for the one before it. */
import { idOfWebhook, webhookStream, type WebhookEvent } from "../webhook/events.ts";
import type { Recorded } from "../event-log.ts";
import type { Webhooks } from "../runtime/kinds.ts";
import type { ReadModel } from "../runtime/read-model.ts";
import type { Reaction } from "./facts.ts";

type QueuedEvent = Extract<WebhookEvent, { type: "WebhookQueued" }>;

export const orderCalls = ({ webhooks, readModel }: { readonly webhooks: Webhooks; readonly readModel: ReadModel }): Reaction => {
  const supersedeOlder = async ({ id, messageRef }: QueuedEvent): Promise<void> => {
    const older = readModel.unfinishedCalls(messageRef).filter((other) => other < id);
    await Promise.all(older.map((other) => webhooks.execute(webhookStream(other), { type: "supersede", supersededBy: id })));
  };

  /** The call to wait for may have ended before this one was stored. */
  const unblockIfFree = async (id: number, after: number): Promise<void> => {
    const { state } = await webhooks.load(webhookStream(after));
    const isOver = state.value === "retired" || state.value === "removed" || state.value === "unborn";
    if (isOver) await webhooks.execute(webhookStream(id), { type: "unblock" });
  };

  const unblockNext = async (id: number): Promise<void> => {
    await Promise.all(readModel.callsAfter(id).map((next) => webhooks.execute(webhookStream(next), { type: "unblock" })));
  };

  const reactTo = ({ event, stream }: Recorded): readonly Promise<void>[] => {
    if (event.type === "WebhookRetired") return [unblockNext(idOfWebhook(stream))];
    // Each message that arrives is told about by one call of its own.
    if (event.type !== "WebhookQueued" || event.kind === "incoming") return [];
    return [event.after === null ? supersedeOlder(event) : unblockIfFree(event.id, event.after)];
  };

  return async ({ events }) => {
    await Promise.all(events.flatMap(reactTo));
    return 0;
  };
};
