/** The last revisions of the streams written lately, so that the next append to one of them asks no index. Bounded. */

export type RevisionCache = {
  readonly get: (stream: string) => number | undefined;
  readonly set: (stream: string, revision: number) => void;
  readonly delete: (stream: string) => void;
  readonly clear: () => void;
};

/**
 * Remembers at least the `size` streams written last, at most twice as many: two generations, of which the older is
 * dropped when the younger is full, cost nothing per use.
 */
export const revisionCache = (size = 20_000): RevisionCache => {
  let young = new Map<string, number>();
  let old = new Map<string, number>();
  return {
    get: (stream) => young.get(stream) ?? old.get(stream),
    set: (stream, revision) => {
      if (young.size >= size && !young.has(stream)) {
        old = young;
        young = new Map();
      }
      young.set(stream, revision);
    },
    delete: (stream) => {
      young.delete(stream);
      old.delete(stream);
    },
    clear: () => {
      young.clear();
      old.clear();
    },
  };
};
