/** When a message is tried again: the retry schedule as a table, so that it can be read, printed and tested. */
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../clock.ts";

/** Wait after the first, second, ... failed attempt, counted from the start of that attempt. */
export const RETRY_DELAYS_MS: readonly number[] = [
  7.5 * MINUTE_MS,
  15 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
  2 * HOUR_MS,
  4 * HOUR_MS,
  8 * HOUR_MS,
];

/** Attempts in all: one at once and one after each delay. */
export const MAX_ATTEMPTS = RETRY_DELAYS_MS.length + 1;

/** Retries are spread by this much either way, so that messages of one moment do not come back as one. */
export const RETRY_SPREAD_MS = 5 * SECOND_MS;

/** Entry of a delay table for the nth try (from 1); past its end the last one holds. */
export const delayAfter = (delaysMs: readonly number[], nth: number): number =>
  delaysMs[Math.min(Math.max(nth, 1), delaysMs.length) - 1] ?? 0;
