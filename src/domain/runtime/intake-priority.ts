/**
 * Acknowledging comes before delivering: while many submissions are being stored at the same time, deliveries are started
 * at a bounded rate, so that those who wait for an answer are not kept waiting by work that can wait. How many deliveries
 * run at a time is not touched: slow remotes cost nothing here.
 */
import type { Clock, Instant } from "../clock.ts";

/** Submissions in progress from which on intake counts as busy. */
const BUSY_SUBMISSIONS = 4;

/** Deliveries start no closer together than this while intake is busy, ms. */
const SPACING_MS = 2;

export type IntakePriority = {
  /** Runs a submission, counted as in progress until it ends. */
  readonly during: <Result>(submission: () => Promise<Result>) => Promise<Result>;
  /** Time to wait before the next delivery may start, ms; 0 = none, and it counts as started. */
  readonly holdBack: () => number;
};

export const intakePriority = (clock: Pick<Clock, "now">): IntakePriority => {
  let inProgress = 0;
  let startedAt: Instant = 0;
  return {
    during: async (submission) => {
      inProgress += 1;
      try {
        return await submission();
      } finally {
        inProgress -= 1;
      }
    },
    holdBack: () => {
      if (inProgress < BUSY_SUBMISSIONS) return 0;
      const now = clock.now();
      // A clock that was set back must not hold deliveries up.
      const sinceMs = now - startedAt;
      if (sinceMs >= 0 && sinceMs < SPACING_MS) return SPACING_MS - sinceMs;
      startedAt = now;
      return 0;
    },
  };
};
