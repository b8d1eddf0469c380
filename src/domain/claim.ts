/** Claims: for how long an attempt belongs to whoever announced it, and whether there is time left to make it. */
import { SECOND_MS, type Instant } from "./clock.ts";

/** What a claim leaves beyond the time that the attempt may take: half for storing the claim, half for storing its end. */
export const CLAIM_MARGIN_MS = 30 * SECOND_MS;

/** When others may try: at the retry that is due if this attempt fails, but never before it can have ended. */
export const claimEndsAt = (now: Instant, untilRetryMs: number, deadlineMs: number): Instant =>
  now + Math.max(untilRetryMs, deadlineMs + CLAIM_MARGIN_MS);

/**
 * Whether an attempt that was claimed until `endsAt` may still begin. A claim whose acknowledgement took too long (a
 * stalled process, a slow network) may be somebody else's by the time the attempt ends.
 */
export const mayBegin = (endsAt: Instant, now: Instant, deadlineMs: number): boolean => now + deadlineMs + CLAIM_MARGIN_MS / 2 <= endsAt;
