/** Counts what arrives somewhere, and lets others wait until so much has arrived. */

/** The machine's monotonic clock, the same in every process, ms. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

export type Counter = {
  readonly count: () => number;
  readonly set: (count: number) => void;
  /** Resolves, with the instant by {@link monotonicMs}, when the count is reached; rejects when it stands still for too long. */
  readonly reached: (count: number) => Promise<number>;
  /** Resolves when nothing has arrived for a while. */
  readonly quiet: (idleMs: number) => Promise<void>;
};

/** Nothing arriving for so long means that something is stuck. */
const STUCK_MS = 30_000;

/** @param what - names what is counted, for errors. */
export const counter = (what: string): Counter => {
  let current = 0;
  let changedAt = monotonicMs();
  let waiting: { readonly count: number; readonly resolve: (at: number) => void }[] = [];

  const set = (count: number): void => {
    if (count === current) return;
    current = count;
    changedAt = monotonicMs();
    if (waiting.length === 0) return;
    for (const waiter of waiting) if (waiter.count <= count) waiter.resolve(changedAt);
    waiting = waiting.filter((waiter) => waiter.count > count);
  };

  const reached = (count: number): Promise<number> => {
    if (current >= count) return Promise.resolve(changedAt);
    const waitsSince = monotonicMs();
    return new Promise((resolve, reject) => {
      const timer = setInterval(() => {
        if (monotonicMs() - Math.max(changedAt, waitsSince) < STUCK_MS) return;
        clearInterval(timer);
        reject(new Error(`${what}: ${count - current} of what was sent did not arrive, and nothing came for ${STUCK_MS / 1_000} s`));
      }, 1_000);
      waiting.push({
        count,
        resolve: (at) => {
          clearInterval(timer);
          resolve(at);
        },
      });
    });
  };

  const quiet = (idleMs: number): Promise<void> => {
    const waitsSince = monotonicMs();
    return new Promise((resolve) => {
      const timer = setInterval(() => {
        if (monotonicMs() - Math.max(changedAt, waitsSince) < idleMs) return;
        clearInterval(timer);
        resolve();
      }, 50);
    });
  };

  return { count: () => current, set, reached, quiet };
};
