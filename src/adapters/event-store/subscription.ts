/** Catch-up and then live, as one loop over "what comes after my position": there is no seam where an event could be lost. */
import type { Position } from "../../domain/event-log.ts";
import type { StoredBatch } from "./event-store.ts";

/** Most events in one batch. */
const BATCH_LIMIT = 1_024;

/** Wakes the subscribers that wait for news. */
export type NewsBell = {
  /** Resolves at the next ring or when the signal aborts; rejects when the bell breaks or is broken. */
  readonly next: (signal: AbortSignal) => Promise<void>;
  readonly ring: () => void;
  /** Nothing more will come: those who wait, and all who come later, get the error. */
  readonly break: (error: Error) => void;
};

export const newsBell = (): NewsBell => {
  type Waiting = { readonly resolve: () => void; readonly reject: (error: Error) => void };
  let waiting = new Set<Waiting>();
  let broken: Error | undefined;

  const takeAll = (): Set<Waiting> => {
    const all = waiting;
    waiting = new Set();
    return all;
  };

  return {
    next: (signal) =>
      new Promise((resolve, reject) => {
        if (broken !== undefined) return void reject(broken);
        if (signal.aborted) return void resolve();
        const done = (): void => {
          waiting.delete(entry);
          signal.removeEventListener("abort", done);
          resolve();
        };
        const entry: Waiting = {
          resolve: done,
          reject: (error) => {
            signal.removeEventListener("abort", done);
            reject(error);
          },
        };
        waiting.add(entry);
        signal.addEventListener("abort", done, { once: true });
      }),
    ring: () => {
      if (waiting.size > 0) for (const entry of takeAll()) entry.resolve();
    },
    break: (error) => {
      broken ??= error;
      for (const entry of takeAll()) entry.reject(error);
    },
  };
};

/** What a subscription reads from. */
export type SubscriptionSource = {
  readonly head: () => Position;
  /**
   * At most `limit` events after a position below the head. `upTo` must move forward, also when the events up to the head
   * are gone.
   */
  readonly read: (after: Position, limit: number) => StoredBatch | Promise<StoredBatch>;
  readonly bell: NewsBell;
};

/** The batches after a position, without end, until the signal aborts. */
export async function* subscription(
  source: SubscriptionSource,
  after: Position,
  signal: AbortSignal,
): AsyncGenerator<StoredBatch, void, void> {
  const wanted = (): boolean => !signal.aborted;
  let position = after;
  while (wanted()) {
    if (source.head() <= position) {
      await source.bell.next(signal);
      continue;
    }
    const batch = await source.read(position, BATCH_LIMIT);
    position = batch.upTo;
    if (wanted()) yield batch;
  }
}
