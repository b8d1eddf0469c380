/**
 * A map that forgets: what has not been set for long gives way to what is set now. In two generations, since taking the
 * oldest entry out of a Map again and again makes it walk over the holes.
 */

export type RecentMap<Value> = {
  readonly get: (key: string) => Value | undefined;
  readonly set: (key: string, value: Value) => void;
  readonly delete: (key: string) => void;
  readonly clear: () => void;
  readonly isEmpty: () => boolean;
};

/** Holds at most `capacity` entries, and surely the half of them that were set last. */
export const recentMap = <Value>(capacity: number): RecentMap<Value> => {
  let young = new Map<string, Value>();
  let old = new Map<string, Value>();
  return {
    get: (key) => young.get(key) ?? old.get(key),
    set: (key, value) => {
      if (young.size >= capacity / 2 && !young.has(key)) {
        old = young;
        young = new Map();
      }
      young.set(key, value);
    },
    delete: (key) => {
      young.delete(key);
      old.delete(key);
    },
    clear: () => {
      young.clear();
      old.clear();
    },
    isEmpty: () => young.size === 0 && old.size === 0,
  };
};
