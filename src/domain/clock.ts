/**
 * Time as a port. The core never reads a clock: commands carry instants, and whoever must wait asks this port, so that
 * a test can put days of retries into a second.
 */

/** Milliseconds since the Unix epoch, UTC. Every field that ends in `At` or `Until` holds one. */
export type Instant = number;

/** Stops a timer that has not fired; calling it again, or after it fired, does nothing. */
export type CancelTimer = () => void;

export type Clock = {
  /** The present instant. It may step backwards when the machine's clock is corrected. */
  readonly now: () => Instant;
  /** Runs `run` once when `at` has come; at once (but never before this call returns) when it has passed already. */
  readonly timer: (at: Instant, run: () => void) => CancelTimer;
};

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
