/** How far the views are, for those who wait until they have passed a position. */
import type { Position } from "../../domain/event-log.ts";
import type { Soonest } from "../../domain/runtime/read-model.ts";

export type ViewsProgress = {
  readonly position: () => Position;
  /** Resolves when the views have passed `position`; rejects when they never will. */
  readonly passed: (position: Position) => Promise<void>;
  /** Calls back after every step forward, with what it put into the schedule, until the returned function is called. */
  readonly onAdvance: (listener: (soonest?: Soonest) => void) => () => void;
  readonly advance: (position: Position, soonest?: Soonest) => void;
  /** No step will follow: those who wait, and who come later, get the error. */
  readonly stop: (error: Error) => void;
};

type Waiter = { readonly position: Position; readonly resolve: () => void; readonly reject: (error: Error) => void };

export const viewsProgress = (start: Position): ViewsProgress => {
  let reached = start;
  let stopped: Error | undefined;
  /** Ascending by position: most come for a position at or above the last one's. */
  let waiters: Waiter[] = [];
  const listeners = new Set<(soonest?: Soonest) => void>();

  const enqueue = (waiter: Waiter): void => {
    let index = waiters.length;
    while (index > 0 && (waiters[index - 1]?.position ?? 0) > waiter.position) index -= 1;
    waiters.splice(index, 0, waiter);
  };

  return {
    position: () => reached,
    passed: (position) => {
      if (position <= reached) return Promise.resolve();
      if (stopped !== undefined) return Promise.reject(stopped);
      return new Promise((resolve, reject) => {
        enqueue({ position, resolve, reject });
      });
    },
    onAdvance: (listener) => {
      // A wrapper of its own, so that the same function may be added twice and taken away once.
      const entry = (soonest?: Soonest): void => {
        listener(soonest);
      };
      listeners.add(entry);
      return () => void listeners.delete(entry);
    },
    advance: (position, soonest) => {
      if (position > reached) {
        reached = position;
        const later = waiters.findIndex((waiter) => waiter.position > position);
        const due = later === -1 ? waiters : waiters.slice(0, later);
        waiters = later === -1 ? [] : waiters.slice(later);
        for (const { resolve } of due) resolve();
      }
      for (const listener of [...listeners]) listener(soonest);
    },
    stop: (error) => {
      stopped ??= error;
      for (const { reject } of waiters) reject(stopped);
      waiters = [];
    },
  };
};
