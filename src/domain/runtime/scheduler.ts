/**
 * Turns what is due into work: takes due items of one kind from the views, lets lanes (destination domains, webhook
 * hosts) take turns, and bounds what runs in all and per lane. Holds a bounded window of due work; everything else
 * stays in the views. Whether an item is still due is decided by its own stream when the work claims it.
 */
import type { CancelTimer, Clock, Instant } from "../clock.ts";
import { SECOND_MS } from "../clock.ts";
import type { Position } from "../event-log.ts";
import type { DueItem, ReadModel, WorkKind } from "./read-model.ts";

export type SchedulerLimits = {
  /** Pieces of work at a time, in all and for one lane. */
  readonly total: number;
  readonly perLane: number;
  /** Due items held in memory. */
  readonly window: number;
  /** Items with the same batch handed over as one piece of work. */
  readonly batch: number;
};

export type Scheduler = {
  readonly start: () => void;
  /** Takes nothing new and resolves when what runs has ended. */
  readonly stop: () => Promise<void>;
  /** Pieces of work running now. */
  readonly running: () => number;
};

type Lane = { waiting: DueItem[]; running: number; busy: number };

/** Time that a lane is left alone after its work threw: the store is in trouble, and hammering does not help. */
const TROUBLE_PAUSE_MS = SECOND_MS;

/** Of a window's items, how many one lane may have: a lane with a long queue leaves room for the others. */
const LANE_SHARE = 4;

export const scheduler = (options: {
  readonly kind: WorkKind;
  readonly readModel: ReadModel;
  readonly clock: Clock;
  readonly limits: SchedulerLimits;
  /** Does the work; resolves with the position of its last event, so that the items are not taken up again before the views know. */
  readonly perform: (items: readonly DueItem[]) => Promise<Position>;
  readonly onError: (error: unknown, items: readonly DueItem[]) => void;
}): Scheduler => {
  const { kind, readModel, clock, limits, perform, onError } = options;
  const lanes = new Map<string, Lane>();
  /** Streams in the window, at work, or done but not yet seen by the views. */
  const busy = new Set<string>();
  const settling: { readonly item: DueItem; readonly position: Position }[] = [];
  const work = new Set<Promise<void>>();
  let waiting = 0;
  let mayHaveMore = true;
  /** Instant of the last look at what is due. */
  let lookedAt: Instant = 0;
  let paused = false;
  let stopped = true;
  let timer: { readonly at: Instant; readonly cancel: CancelTimer } | undefined;
  let unsubscribe: () => void = () => undefined;

  const laneOf = (name: string): Lane => {
    const known = lanes.get(name);
    if (known !== undefined) return known;
    const lane: Lane = { waiting: [], running: 0, busy: 0 };
    lanes.set(name, lane);
    return lane;
  };

  const forget = (item: DueItem): void => {
    busy.delete(item.stream);
    const lane = laneOf(item.lane);
    lane.busy -= 1;
    if (lane.busy === 0 && lane.running === 0) lanes.delete(item.lane);
  };

  const settle = (): void => {
    const seen = readModel.position();
    let kept = 0;
    for (const entry of settling) {
      if (entry.position <= seen) forget(entry.item);
      else settling[kept++] = entry;
    }
    settling.length = kept;
  };

  const refill = (): void => {
    if (!mayHaveMore || waiting > limits.window / 2) return;
    let busiest = 0;
    for (const lane of lanes.values()) busiest = Math.max(busiest, lane.busy);
    const perLane = Math.ceil(limits.window / LANE_SHARE) + busiest;
    const limit = limits.window + busy.size;
    lookedAt = clock.now();
    const items = readModel.due({ kind, at: lookedAt, perLane, limit });
    let added = 0;
    for (const item of items) {
      if (busy.has(item.stream)) continue;
      const lane = laneOf(item.lane);
      lane.waiting.push(item);
      lane.busy += 1;
      busy.add(item.stream);
      added += 1;
    }
    waiting += added;
    // Fewer than asked for means that there is no more, unless one lane filled its share.
    mayHaveMore = added > 0;
  };

  const take = (lane: Lane): readonly DueItem[] => {
    const first = lane.waiting.shift();
    if (first === undefined) return [];
    if (first.batch === "" || limits.batch === 1) return [first];
    // Recipients of one submission were queued together, so they stand together.
    let count = 0;
    while (count + 1 < limits.batch && lane.waiting[count]?.batch === first.batch) count += 1;
    const taken = [first, ...lane.waiting.splice(0, count)];
    return taken;
  };

  const run = (lane: Lane, items: readonly DueItem[]): void => {
    lane.running += 1;
    waiting -= items.length;
    const done = (position: Position): void => {
      for (const item of items) settling.push({ item, position });
    };
    const job = perform(items)
      .then(done, (error: unknown) => {
        onError(error, items);
        pause();
        done(0);
      })
      .finally(() => {
        lane.running -= 1;
        work.delete(job);
        pump();
      });
    work.add(job);
  };

  const pause = (): void => {
    if (paused || stopped) return;
    paused = true;
    clock.timer(clock.now() + TROUBLE_PAUSE_MS, () => {
      paused = false;
      mayHaveMore = true;
      pump();
    });
  };

  /** One round over the lanes, a piece of work each, until no lane may start another. */
  const dispatch = (): void => {
    let started = true;
    while (started && work.size < limits.total) {
      started = false;
      for (const [name, lane] of lanes) {
        if (work.size >= limits.total) break;
        if (lane.waiting.length === 0 || lane.running >= limits.perLane) continue;
        run(lane, take(lane));
        // To the end of the order: the next round starts with whoever has waited longest.
        lanes.delete(name);
        lanes.set(name, lane);
        started = true;
        break;
      }
    }
  };

  const wakeLater = (): void => {
    // Not after the present: what fell due since the last look would be passed over.
    const at = readModel.nextDueAt(kind, lookedAt);
    if (at === timer?.at) return;
    timer?.cancel();
    timer = undefined;
    if (at === undefined) return;
    const cancel = clock.timer(at, () => {
      timer = undefined;
      mayHaveMore = true;
      pump();
    });
    timer = { at, cancel };
  };

  const pump = (): void => {
    if (stopped || paused) return;
    settle();
    refill();
    dispatch();
    if (!mayHaveMore || waiting === 0) wakeLater();
  };

  const advanced = (): void => {
    mayHaveMore = true;
    pump();
  };

  return {
    start: () => {
      if (!stopped) return;
      stopped = false;
      unsubscribe = readModel.onAdvance(advanced);
      pump();
    },
    stop: async () => {
      stopped = true;
      unsubscribe();
      timer?.cancel();
      timer = undefined;
      await Promise.all(work);
    },
    running: () => work.size,
  };
};
