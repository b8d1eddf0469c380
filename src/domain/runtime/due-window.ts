/**
 * The bounded part of the due work that is in memory, by lane. Lanes take turns, each has its own limit of what runs,
 * and an item stays known until the views have seen what its work came to, so that it is not taken up twice.
 */
import type { Instant } from "../clock.ts";
import type { Position } from "../event-log.ts";
import type { LanePace } from "./destination-pace.ts";
import type { DueItem } from "./read-model.ts";

export type WindowLimits = {
  /** Pieces of work of one lane at a time. */
  readonly perLane: number;
  /** Due items held in memory. */
  readonly window: number;
  /** Items with the same batch handed over as one piece of work. */
  readonly batch: number;
};

/** A piece of work; to be ended exactly once. */
export type Piece = {
  readonly items: readonly DueItem[];
  /** What the lane's limit is about is over, though not all of the work: the next piece may begin. May be called at any time. */
  readonly leaveLane: () => void;
  /** The work is over; its last event stands at `position`. The items are not taken up again before `notBefore`. */
  readonly end: (position: Position, notBefore?: Instant) => void;
};

type Lane = { waiting: DueItem[]; running: number; known: number };

/** Of a window's items, how many one lane may have: a lane with a long queue leaves room for the others. */
const LANE_SHARE = 4;

export type DueWindow = {
  /** Whether it pays to look for more. */
  readonly hasRoom: () => boolean;
  /** How much to ask for, so that what is known already does not crowd out what is new. */
  readonly wanted: () => { readonly perLane: number; readonly limit: number };
  /** Takes in due items; answers how many of them are new. */
  readonly add: (items: readonly DueItem[]) => number;
  /** The next piece of work that its lane and the lane's pace allow; undefined when there is none now. */
  readonly next: (now: Instant) => Piece | undefined;
  /** How long the lane that is free soonest had to wait when there was no next piece, ms; Infinity: for the end of one that runs. */
  readonly heldBackMs: () => number;
  /** Forgets items whose end the views have seen and that may be taken up again; answers how many. */
  readonly settle: (seen: Position, now: Instant) => number;
  /** Items that wait for a piece of work to be made of them. */
  readonly waiting: () => number;
};

const laneIn = (lanes: Map<string, Lane>, name: string): Lane => {
  let lane = lanes.get(name);
  if (lane === undefined) lanes.set(name, (lane = { waiting: [], running: 0, known: 0 }));
  return lane;
};

export const dueWindow = (limits: WindowLimits, pace?: LanePace): DueWindow => {
  const lanes = new Map<string, Lane>();
  /** Those where something waits, the one that has waited longest for its turn first. */
  const ready = new Map<string, Lane>();
  let heldBackMs = Infinity;
  const known = new Set<string>();
  let settling: { readonly item: DueItem; readonly position: Position; readonly notBefore: Instant }[] = [];
  let waiting = 0;

  const laneOf = (name: string): Lane => laneIn(lanes, name);

  const forget = (item: DueItem): void => {
    known.delete(item.stream);
    const lane = laneOf(item.lane);
    lane.known -= 1;
    if (lane.known === 0 && lane.running === 0) lanes.delete(item.lane);
  };

  const take = (lane: Lane): readonly DueItem[] => {
    const [first] = lane.waiting;
    let count = 1;
    // Recipients of one submission were queued together, so they stand together.
    if (first?.batch !== "") while (count < limits.batch && lane.waiting[count]?.batch === first?.batch) count += 1;
    return lane.waiting.splice(0, Math.min(count, limits.batch));
  };

  const pieceOf = (name: string, lane: Lane, now: Instant): Piece => {
    const items = take(lane);
    lane.running += 1;
    waiting -= items.length;
    pace?.started(name, now);
    let inLane = true;
    const leaveLane = (): void => {
      if (!inLane) return;
      inLane = false;
      lane.running -= 1;
      pace?.ended(name);
    };
    return {
      items,
      leaveLane,
      end: (position, notBefore = 0) => {
        leaveLane();
        for (const item of items) settling.push({ item, position, notBefore });
      },
    };
  };

  return {
    hasRoom: () => waiting <= limits.window / 2,
    wanted: () => {
      let busiest = 0;
      for (const lane of lanes.values()) busiest = Math.max(busiest, lane.known);
      return { perLane: Math.ceil(limits.window / LANE_SHARE) + busiest, limit: limits.window + known.size };
    },
    add: (items) => {
      let added = 0;
      for (const item of items) {
        if (known.has(item.stream)) continue;
        known.add(item.stream);
        const lane = laneOf(item.lane);
        lane.waiting.push(item);
        if (lane.waiting.length === 1) ready.set(item.lane, lane);
        lane.known += 1;
        added += 1;
      }
      waiting += added;
      return added;
    },
    next: (now) => {
      heldBackMs = Infinity;
      for (const [name, lane] of ready) {
        if (lane.running >= limits.perLane) continue;
        const waitMs = pace?.waitMs(name, now) ?? 0;
        heldBackMs = Math.min(heldBackMs, waitMs);
        if (waitMs > 0) continue;
        // To the end of the order: next is whoever has waited longest.
        ready.delete(name);
        const piece = pieceOf(name, lane, now);
        if (lane.waiting.length > 0) ready.set(name, lane);
        return piece;
      }
      return undefined;
    },
    heldBackMs: () => heldBackMs,
    settle: (seen, now) => {
      const kept: typeof settling = [];
      for (const entry of settling) {
        if (entry.position <= seen && entry.notBefore <= now) forget(entry.item);
        else kept.push(entry);
      }
      const settled = settling.length - kept.length;
      settling = kept;
      return settled;
    },
    waiting: () => waiting,
  };
};
