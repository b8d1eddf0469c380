/** Contents go when the last message that refers to them has retired. */
import type { ContentStore } from "../event-log.ts";
import type { ReadModel } from "../runtime/read-model.ts";
import type { Reaction } from "./facts.ts";

export const discard =
  ({ contents, readModel }: { readonly contents: ContentStore; readonly readModel: ReadModel }): Reaction =>
  async ({ facts }, later) => {
    const ids = new Set(facts.flatMap(({ event, message }) => (event.type === "MessageRetired" ? [message.contentId] : [])));
    const free = ids.size === 0 ? [] : readModel.unreferenced([...ids]);
    if (free.length > 0) later(contents.delete(free));
    return 0;
  };
