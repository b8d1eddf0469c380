/**
 * How fast a destination is written to. One that says "too many" (421) gets half as many transactions at a time, and where
 * one is too many, pauses between them. One that refuses for now again and again, or cannot be reached, gets fewer, but
 * never pauses: a greylister wants to see every message once, and a dead host is asked for each, so that none waits for
 * ever. A destination that takes mail gets more again, bit by bit. What waits for this stays in the queue: no attempt is
 * made, so none is counted.
 */
import { type Instant, MINUTE_MS, SECOND_MS } from "../clock.ts";
import type { DeliveryOutcome } from "../smtp-result.ts";

export type PaceLimits = {
  /** Transactions of one lane at a time, when nothing speaks against it. */
  readonly atOnce: number;
  /** Transactions of one lane started per minute; null = no limit. */
  readonly perMinute: number | null;
};

/**
 * What a transaction says about its destination.
 * - `taken`: it took mail, or refused it for good, as whoever is not overwhelmed does.
 * - `tooMuch`: it asked for less (421, RFC 5321 section 3.8).
 * - `troubled`: it refused for now, or could not be reached.
 * - `nothing`: nothing can be learnt from it.
 */
export type Sign = "taken" | "tooMuch" | "troubled" | "nothing";

/** What the scheduler asks, and tells. */
export type LanePace = {
  /** Time to wait before the next transaction may start, ms; 0 = it may, Infinity = not before one that runs has ended. */
  readonly waitMs: (lane: string, now: Instant) => number;
  /** A transaction starts, and has ended. */
  readonly started: (lane: string, now: Instant) => void;
  readonly ended: (lane: string) => void;
};

export type DestinationPace = LanePace & {
  /** A number for a transaction that begins, larger than all before. */
  readonly ticket: () => number;
  /** What the transaction with this ticket, which is about to end, says about its destination. */
  readonly learnt: (lane: string, sign: Sign, ticket: number, now: Instant) => void;
  /** Lanes that something is remembered about. */
  readonly remembered: () => number;
};

type Lane = {
  /** Transactions at a time, now. */
  atOnce: number;
  /** As many as were too much, until this instant: it is not tried again before. */
  tooMany: number;
  tooManyUntil: Instant;
  /** The last ticket when it was slowed down: what had begun by then says nothing new. */
  slowedAt: number;
  /** Transactions taken since the last change. */
  taken: number;
  /** Troubles in a row, the first of them at `troubledSince`. */
  troubles: number;
  troubledSince: Instant;
  /** Between two starts, ms. */
  spacingMs: number;
  /** When the next may start, by spacing and by rate. */
  notBefore: Instant;
};

/** So many troubles in a row within so long are a burst. */
const BURST = 5;
const BURST_MS = MINUTE_MS;
const MIN_SPACING_MS = SECOND_MS;
const MAX_SPACING_MS = MINUTE_MS;
/** Part of the limit that trouble alone leaves. */
const TROUBLED_SHARE = 4;
/** How long what was too much is not tried again. */
const REMEMBER_MS = 10 * MINUTE_MS;
/** Transactions in a row that halve the spacing. */
const CALM = 5;
const MAX_LANES = 10_000;

export const signOf = (outcomes: Iterable<DeliveryOutcome>): Sign => {
  let sign: Sign = "nothing";
  for (const outcome of outcomes) {
    if (outcome.kind === "delivered") sign = "taken";
    if (outcome.kind !== "rejected") continue;
    const { code } = outcome.result;
    if (code === 421) return "tooMuch";
    if (code >= 500) sign = "taken";
    else if (sign === "nothing" && !outcome.permanent) sign = "troubled";
  }
  return sign;
};

const isOrdinary = ({ atOnce, spacingMs, troubles, notBefore }: Lane, most: number, now: Instant): boolean =>
  atOnce >= most && spacingMs === 0 && troubles === 0 && notBefore <= now;

const slower = (lane: Lane, inLane: number, lastTicket: number, now: Instant): void => {
  lane.taken = 0;
  lane.troubles = 0;
  lane.slowedAt = lastTicket;
  const tried = Math.max(1, Math.min(inLane, lane.atOnce));
  lane.tooMany = Math.max(2, tried);
  lane.tooManyUntil = now + REMEMBER_MS;
  lane.atOnce = Math.max(1, Math.floor(tried / 2));
  if (tried > 1) return;
  lane.spacingMs = Math.min(MAX_SPACING_MS, Math.max(MIN_SPACING_MS, lane.spacingMs * 2));
  lane.notBefore = Math.max(lane.notBefore, now + lane.spacingMs);
};

const faster = (lane: Lane, most: number, now: Instant): void => {
  lane.troubles = 0;
  lane.taken += 1;
  if (lane.spacingMs > 0) {
    if (lane.taken < CALM) return;
    lane.taken = 0;
    lane.spacingMs = lane.spacingMs / 2 < MIN_SPACING_MS ? 0 : lane.spacingMs / 2;
    return;
  }
  // One more after as many as run at a time.
  if (lane.atOnce >= most || lane.taken < lane.atOnce) return;
  if (lane.atOnce + 1 >= lane.tooMany && now < lane.tooManyUntil) return;
  lane.taken = 0;
  lane.atOnce += 1;
};

const troubled = (lane: Lane, most: number, lastTicket: number, now: Instant): void => {
  if (lane.troubles === 0 || now - lane.troubledSince > BURST_MS || now < lane.troubledSince) {
    lane.troubles = 0;
    lane.troubledSince = now;
  }
  lane.taken = 0;
  lane.troubles += 1;
  if (lane.troubles < BURST) return;
  lane.troubles = 0;
  lane.slowedAt = lastTicket;
  lane.atOnce = Math.min(lane.atOnce, Math.max(Math.ceil(most / TROUBLED_SHARE), Math.floor(lane.atOnce / 2)));
};

export const destinationPace = ({ atOnce: most, perMinute }: PaceLimits): DestinationPace => {
  const lanes = new Map<string, Lane>();
  const running = new Map<string, number>();
  const runningIn = (name: string): number => running.get(name) ?? 0;
  let lastTicket = 0;
  const rateMs = perMinute === null ? 0 : MINUTE_MS / perMinute;

  const laneOf = (name: string): Lane => {
    let lane = lanes.get(name);
    if (lane === undefined) {
      lane = {
        atOnce: most,
        tooMany: Infinity,
        tooManyUntil: 0,
        slowedAt: 0,
        taken: 0,
        troubles: 0,
        troubledSince: 0,
        spacingMs: 0,
        notBefore: 0,
      };
      lanes.set(name, lane);
      // The one known longest goes: it may start too fast once, and learns again.
      if (lanes.size > MAX_LANES) for (const oldest of lanes.keys()) if (lanes.size > MAX_LANES) lanes.delete(oldest);
    }
    return lane;
  };

  return {
    waitMs: (name, now) => {
      const lane = lanes.get(name);
      if (runningIn(name) >= (lane?.atOnce ?? most)) return Infinity;
      // A clock that was set back must not hold anything up for longer than the longest pause.
      return lane === undefined ? 0 : Math.min(MAX_SPACING_MS, Math.max(0, lane.notBefore - now));
    },
    started: (name, now) => {
      running.set(name, runningIn(name) + 1);
      const lane = rateMs > 0 ? laneOf(name) : lanes.get(name);
      if (lane !== undefined) lane.notBefore = Math.max(lane.notBefore, now + Math.max(lane.spacingMs, rateMs));
    },
    ticket: () => (lastTicket += 1),
    learnt: (name, sign, ticket, now) => {
      if (sign === "nothing" || (sign === "taken" && !lanes.has(name))) return;
      const lane = laneOf(name);
      if (sign === "taken") faster(lane, most, now);
      else if (ticket > lane.slowedAt) {
        if (sign === "tooMuch") slower(lane, runningIn(name), lastTicket, now);
        else troubled(lane, most, lastTicket, now);
      }
      if (isOrdinary(lane, most, now)) lanes.delete(name);
    },
    ended: (name) => {
      const left = runningIn(name) - 1;
      if (left > 0) running.set(name, left);
      else running.delete(name);
    },
    remembered: () => lanes.size,
  };
};
