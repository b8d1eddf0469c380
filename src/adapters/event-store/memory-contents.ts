/** Contents in memory, as strict and as asynchronous as stored ones. */
import { joinContent } from "../../domain/content.ts";
import { CONTENT_PIECE, type ContentStore, type NewContent } from "../../domain/event-log.ts";
import { takeContent } from "./content-memory.ts";

export type MemoryContents = ContentStore & {
  /** All of them or, where an id is taken, none. */
  readonly insert: (contents: readonly NewContent[]) => void;
  readonly ids: () => readonly number[];
};

/** The content in memory that nobody else has. */
export const ownContent = (content: NewContent): NewContent => {
  const { id, pieces } = takeContent(content);
  const joined = joinContent(pieces);
  return { id, pieces: [joined === content.pieces[0] ? new Uint8Array(joined) : joined] };
};

/** Nothing yet. `later` decides when something is read. */
export const memoryContents = (later: <T>(run: () => T) => Promise<T>): MemoryContents => {
  const all = new Map<number, Uint8Array>();

  async function* pieces(id: number, size: number): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < size; at += CONTENT_PIECE) {
      const bytes = await later(() => all.get(id));
      if (bytes === undefined) throw new Error(`content ${id} was deleted while it was read`);
      yield bytes.slice(at, at + CONTENT_PIECE);
    }
  }

  return {
    insert: (contents) => {
      for (const { id } of contents) if (all.has(id)) throw new Error(`content ${id} exists already`);
      for (const content of contents) all.set(content.id, joinContent(content.pieces));
    },
    ids: () => [...all.keys()],
    read: (id) => later(() => all.get(id)?.slice()),
    open: (id) =>
      later(() => {
        const size = all.get(id)?.byteLength;
        return size === undefined ? undefined : { size, pieces: { [Symbol.asyncIterator]: () => pieces(id, size) } };
      }),
    delete: (ids) => later(() => ids.forEach((id) => all.delete(id))),
  };
};
