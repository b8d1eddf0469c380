/**
 * Small contents from their append to their delivery, which mostly follows at once: reading them back from the store would
 * cost more than keeping them. A bounded amount of memory; what has left it is read from the store.
 */
import { contentSize, type ContentStore, type EventLog, type NewContent } from "../../domain/event-log.ts";

/** Octets up to which a content counts as small, and of all that are kept. */
const SMALL_OCTETS = 16 * 1_024;
const KEPT_OCTETS = 8 * 1_024 * 1_024;

type Parts = { readonly log: EventLog; readonly contents: ContentStore };

/** The copies that are kept, oldest first. */
const keeping = (limit: number) => {
  const kept = new Map<number, readonly Uint8Array[]>();
  let octets = 0;
  const forget = (id: number): void => {
    octets -= contentSize(kept.get(id) ?? []);
    kept.delete(id);
  };
  return {
    get: (id: number) => kept.get(id),
    forget,
    keep: ({ id, pieces }: NewContent): void => {
      kept.set(id, pieces);
      octets += contentSize(pieces);
      for (const oldest of kept.keys()) {
        if (octets <= limit) break;
        forget(oldest);
      }
    },
  };
};

/** A log and its contents that remember small new contents for a while. */
export const rememberingContents = ({ log, contents }: Parts, limit = KEPT_OCTETS): Parts => {
  const kept = keeping(limit);

  const append: EventLog["append"] = async (writes, added = []) => {
    const small = added.filter(({ pieces }) => contentSize(pieces) <= SMALL_OCTETS);
    const sizes = small.map(({ pieces }) => contentSize(pieces));
    const result = await log.append(writes, added);
    // A store may take memory away; what it took is not kept.
    if (result.appended) small.filter(({ pieces }, index) => contentSize(pieces) === sizes[index]).forEach(kept.keep);
    return result;
  };

  const open: ContentStore["open"] = async (id) => {
    const pieces = kept.get(id);
    if (pieces === undefined) return contents.open(id);
    // Whoever reads pieces owns them.
    async function* copies(): AsyncGenerator<Uint8Array> {
      for (const piece of pieces ?? []) if (piece.byteLength > 0) yield new Uint8Array(piece);
    }
    return { size: contentSize(pieces), pieces: { [Symbol.asyncIterator]: copies } };
  };

  const remove: ContentStore["delete"] = (ids) => {
    ids.forEach(kept.forget);
    return contents.delete(ids);
  };

  return { log: { ...log, append }, contents: { read: contents.read, open, delete: remove } };
};
