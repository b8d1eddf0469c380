/** What the benchmark has started or made, to be ended in reverse order: at its end, when it fails, and on Ctrl-C. */

export type Cleanup = {
  /**
   * Registers an end; the answer carries it out early, once. To be called before what it ends is started.
   *
   * @throws when everything is being ended already: then nothing new must be started.
   */
  readonly add: (end: () => Promise<void> | void) => () => Promise<void>;
  /** Ends everything, the newest first. What fails is told and does not keep the rest from ending. */
  readonly run: () => Promise<void>;
};

/** @param onError - told of an end that failed. */
export const cleanup = (onError: (error: unknown) => void): Cleanup => {
  const open: (() => Promise<void>)[] = [];
  let isEnding = false;
  return {
    add: (end) => {
      if (isEnding) throw new Error("the benchmark is ending");
      let ending: Promise<void> | undefined;
      const once = (): Promise<void> =>
        (ending ??= (async () => {
          await end();
          const at = open.indexOf(once);
          if (at >= 0) open.splice(at, 1);
        })());
      open.push(once);
      return once;
    },
    run: async () => {
      isEnding = true;
      for (let end = open.pop(); end !== undefined; end = open.pop()) await end().catch(onError);
    },
  };
};
