/**
 * Contents go when nothing refers to them any more: neither a queued message, nor one in a mailbox, nor a webhook call that
 * has yet to tell about it. This reaction comes last, when the views have seen what the others did.
 */
import type { ContentStore, Recorded } from "../event-log.ts";
import type { ReceivedMessages, Webhooks } from "../runtime/kinds.ts";
import type { ReadModel } from "../runtime/read-model.ts";
import type { Reaction } from "./facts.ts";

const NOTHING: readonly never[] = [];

export const discard = (options: {
  readonly contents: ContentStore;
  readonly received: ReceivedMessages;
  readonly webhooks: Webhooks;
  readonly readModel: ReadModel;
}): Reaction => {
  const { contents, received, webhooks, readModel } = options;

  const ofReceived = async (stream: string): Promise<number | undefined> => (await received.load(stream)).state.context.message?.contentId;

  const ofCall = async (stream: string): Promise<number | undefined> => {
    const { call } = (await webhooks.load(stream)).state.context;
    return call?.kind === "incoming" ? call.payload.contentId : undefined;
  };

  /** The content that the stream lets go with this event, in a list of one; most events let go nothing. */
  const letGo = ({ event, stream }: Recorded): readonly Promise<number | undefined>[] => {
    if (event.type === "MessageDeleted") return [ofReceived(stream)];
    return event.type === "WebhookRetired" ? [ofCall(stream)] : NOTHING;
  };

  return async ({ events, facts }, later) => {
    const ids = new Set(facts.flatMap(({ event, message }) => (event.type === "MessageRetired" ? [message.contentId] : [])));
    for (const id of await Promise.all(events.flatMap(letGo))) if (id !== undefined) ids.add(id);
    const free = ids.size === 0 ? [] : readModel.unreferenced([...ids]);
    if (free.length > 0) later(contents.delete(free));
    return 0;
  };
};
