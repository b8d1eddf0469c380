/** When a webhook call is made again, as a table. */
import { HOUR_MS, MINUTE_MS } from "../clock.ts";

/** Wait after the first, second, ... failed attempt, counted from the start of that attempt. */
export const CALL_RETRY_DELAYS_MS: readonly number[] = [
  MINUTE_MS,
  2 * MINUTE_MS,
  4 * MINUTE_MS,
  7.5 * MINUTE_MS,
  15 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
  2 * HOUR_MS,
  4 * HOUR_MS,
  8 * HOUR_MS,
  16 * HOUR_MS,
];

/** Attempts in all: one at once and one after each delay. */
export const MAX_CALL_ATTEMPTS = CALL_RETRY_DELAYS_MS.length + 1;

/** Retries are spread by this share of the delay either way. */
export const CALL_RETRY_SPREAD = 0.01;

/** The longest that a Retry-After header can put a call off: a receiver must not park calls for ever. */
export const MAX_RETRY_AFTER_MS = 24 * HOUR_MS;
