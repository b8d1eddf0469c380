/** Reads contents, whole or row by row. Between the rows of a large one the event loop turns. */
import { setImmediate as turnOfTheLoop } from "node:timers/promises";
import type { StoredContent } from "../../../domain/event-log.ts";

export type ContentReader = {
  readonly read: (id: number) => Promise<Uint8Array | undefined>;
  readonly open: (id: number) => Promise<StoredContent | undefined>;
};

/** The first row of a content, which is all there is of a small one. */
export type FirstRow = readonly [size: number, bytes: Uint8Array];

/** How rows are found; both throw StoreUnavailable when they cannot read. */
export type ContentRowSource = {
  readonly first: (id: number) => FirstRow | undefined;
  /** Row `chunk`, from 1. */
  readonly next: (id: number, chunk: number) => Uint8Array | undefined;
};

const gone = (id: number): Error => new Error(`content ${id} was deleted while it was read`);

export const contentReader = ({ first, next }: ContentRowSource): ContentReader => {
  async function* pieces(id: number, known: FirstRow | undefined): AsyncGenerator<Uint8Array> {
    const row = known ?? first(id);
    if (row === undefined) throw gone(id);
    const [size, head] = row;
    let handedOut = head.byteLength;
    if (handedOut > 0) yield head;
    for (let chunk = 1; handedOut < size; chunk += 1) {
      await turnOfTheLoop();
      const bytes = next(id, chunk);
      if (bytes === undefined) throw gone(id);
      handedOut += bytes.byteLength;
      yield bytes;
    }
  }

  return {
    open: async (id) => {
      let known = first(id);
      if (known === undefined) return undefined;
      const [size] = known;
      const begin = (): AsyncGenerator<Uint8Array> => {
        const row = known;
        known = undefined; // for whoever is first: it must not be kept as long as the content is open
        return pieces(id, row);
      };
      return { size, pieces: { [Symbol.asyncIterator]: begin } };
    },
    read: async (id) => {
      const row = first(id);
      if (row === undefined) return undefined;
      const [size, head] = row;
      if (head.byteLength >= size) return head;
      const whole = new Uint8Array(size);
      whole.set(head);
      let offset = head.byteLength;
      for (let chunk = 1; offset < size; chunk += 1) {
        await turnOfTheLoop();
        const bytes = next(id, chunk);
        if (bytes === undefined) return undefined; // deleted meanwhile
        whole.set(bytes, offset);
        offset += bytes.byteLength;
      }
      return whole;
    },
  };
};
