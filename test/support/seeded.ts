/** Chance that a test can repeat: the same seed, the same story. */

export type Seeded = {
  /** A whole number from 0 to below `limit`. */
  readonly below: (limit: number) => number;
  /** True once in `times`, on average. */
  readonly oneIn: (times: number) => boolean;
  readonly pick: <Item>(items: readonly Item[]) => Item;
};

/** Marsaglia's xorshift with 32 bits: good enough to vary a test. */
export const seeded = (seed: number): Seeded => {
  let state = seed | 0 || 1;
  const below = (limit: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
  return {
    below,
    oneIn: (times) => below(times) === 0,
    pick: (items) => {
      const item = items[below(items.length)];
      if (item === undefined) throw new RangeError("nothing to pick from");
      return item;
    },
  };
};
