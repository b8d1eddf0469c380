/**
 * Acknowledging comes before delivering: while many submissions come in, deliveries are started at a bounded rate, so that
 * those who wait for an answer are not kept waiting by work that can wait. How many deliveries run at a time is not
 * touched: slow remotes cost nothing here.
 */
import type { Clock, Instant } from "../clock.ts";
import { SECOND_MS } from "../clock.ts";

/** Intake is busy with so many submissions in progress, or with so many begun within a window. */
const BUSY_SUBMISSIONS = 4;
const BUSY_WINDOW_SUBMISSIONS = 15;
const WINDOW_MS = 50;

/**
 * It stays so for this long: one commit ends all that waited for it, and their clients take a moment to come again. Without
 * this each commit would let a swarm of deliveries go, ms.
 */
const LINGER_MS = 50;

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
  let windowFrom: Instant = Number.NEGATIVE_INFINITY;
  let inWindow = 0;
  let busyFrom: Instant = 0;
  let lastBusyAt: Instant = Number.NEGATIVE_INFINITY;
  let nextAt: Instant = 0;

  const isBusy = (now: Instant): boolean => {
    const idleMs = now - lastBusyAt;
    return inProgress >= BUSY_SUBMISSIONS || (idleMs >= 0 && idleMs < LINGER_MS);
  };

  const noteBusy = (now: Instant): void => {
    // A clock that was set back starts a new burst: that is the shortest wait.
    if (now - lastBusyAt > PAUSE_MS || now < lastBusyAt) busyFrom = now;
    lastBusyAt = now;
  };

  const begun = (now: Instant): void => {
    if (now - windowFrom >= WINDOW_MS || now < windowFrom) {
      windowFrom = now;
      inWindow = 0;
    }
    inWindow += 1;
    if (inProgress >= BUSY_SUBMISSIONS || inWindow >= BUSY_WINDOW_SUBMISSIONS) noteBusy(now);
  };

  return {
    during: async (submission) => {
      inProgress += 1;
      begun(clock.now());
      try {
        return await submission();
      } finally {
        inProgress -= 1;
      }
    },
    holdBack: () => {
      const now = clock.now();
      if (!isBusy(now)) return 0;
      const waitMs = nextAt - now;
      // A clock that was set back must not hold deliveries up.
      return waitMs > 0 && waitMs <= BURST_MS ? waitMs : 0;
    },
    started: (recipients) => {
      const now = clock.now();
      if (!isBusy(now)) return;
      const spacingMs = now - busyFrom < BURST_MS ? BURST_SPACING_MS * recipients : LASTING_SPACING_MS;
      nextAt = now + spacingMs;
    },
  };
};
