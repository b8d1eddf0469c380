/**
 * Waiting for something to become true without waiting for a time: whoever changes things rings, whoever waits looks
 * again. The limit only turns a test that would hang into one that says what it missed.
 */

const LIMIT_MS = 30_000;

export type Eventually = {
  readonly ring: () => void;
  /** Resolves with what `look` finds, now or after a ring. Rejects with `missing` when nothing was found for half a minute. */
  readonly until: <Found>(look: () => Found | undefined, missing: () => string) => Promise<Found>;
};

export const eventually = (): Eventually => {
  const watchers = new Set<() => void>();
  return {
    ring: () => {
      for (const watcher of [...watchers]) watcher();
    },
    until: (look, missing) => {
      const found = look();
      if (found !== undefined) return Promise.resolve(found);
      // Made here, where the stack still says which line of the test waits.
      const error = new Error("waited in vain");
      return new Promise((resolve, reject) => {
        const limit = setTimeout(() => {
          watchers.delete(check);
          error.message = missing();
          reject(error);
        }, LIMIT_MS);
        const check = (): void => {
          const late = look();
          if (late === undefined) return;
          clearTimeout(limit);
          watchers.delete(check);
          resolve(late);
        };
        watchers.add(check);
      });
    },
  };
};
