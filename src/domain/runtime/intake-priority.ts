/**
 * Acknowledging comes before delivering: while many submissions are being stored at the same time, deliveries are started
 * at a bounded rate, so that those who wait for an answer are not kept waiting by work that can wait. How many deliveries
 * run at a time is not touched: slow remotes cost nothing here.
 */
import type { Clock, Instant } from "../clock.ts";
import { SECOND_MS } from "../clock.ts";

/** Submissions in progress from which on intake counts as busy. */
const BUSY_SUBMISSIONS = 4;

/** Intake that was not busy for so long starts a new burst when it is again, ms. */
const PAUSE_MS = 500;

/** A burst is taken in first. What lasts longer is no burst, and has to share with deliveries. */
const BURST_MS = 3 * SECOND_MS;

/** Distance between deliveries: per recipient in a burst, per SMTP transaction after it, ms. */
const BURST_SPACING_MS = 5;
const LASTING_SPACING_MS = 1;

export type IntakePriority = {
  /** Runs a submission, counted as in progress until it ends. */
  readonly during: <Result>(submission: () => Promise<Result>) => Promise<Result>;
  /** Time to wait before the next delivery may start, ms; 0 = none. */
  readonly holdBack: () => number;
  /** A delivery to so many recipients has been started. */
  readonly started: (recipients: number) => void;
};

export const intakePriority = (clock: Pick<Clock, "now">): IntakePriority => {
  let inProgress = 0;
  let busyFrom: Instant = 0;
  let lastBusyAt: Instant = Number.NEGATIVE_INFINITY;
  let nextAt: Instant = 0;

  const isBusy = (): boolean => inProgress >= BUSY_SUBMISSIONS;

  const noteBusy = (now: Instant): void => {
    // A clock that was set back starts a new burst: that is the shortest wait.
    if (now - lastBusyAt > PAUSE_MS || now < lastBusyAt) busyFrom = now;
    lastBusyAt = now;
  };

  return {
    during: async (submission) => {
      inProgress += 1;
      if (isBusy()) noteBusy(clock.now());
      try {
        return await submission();
      } finally {
        inProgress -= 1;
      }
    },
    holdBack: () => {
      if (!isBusy()) return 0;
      const waitMs = nextAt - clock.now();
      // A clock that was set back must not hold deliveries up.
      return waitMs > 0 && waitMs <= BURST_MS ? waitMs : 0;
    },
    started: (recipients) => {
      if (!isBusy()) return;
      const now = clock.now();
      const spacingMs = now - busyFrom < BURST_MS ? BURST_SPACING_MS * recipients : LASTING_SPACING_MS;
      nextAt = now + spacingMs;
    },
  };
};
