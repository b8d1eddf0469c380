/** A scheduler over due items and work that a test holds in its hands. */
import type { Clock } from "../../../src/domain/clock.ts";
import type { Position } from "../../../src/domain/event-log.ts";
import type { DueItem, ReadModel, Soonest } from "../../../src/domain/runtime/read-model.ts";
import { scheduler, type Scheduler, type SchedulerLimits } from "../../../src/domain/runtime/scheduler.ts";
import { NOON } from "../../support/samples.ts";
import { virtualClock } from "../../support/virtual-clock.ts";

type Job = {
  readonly items: readonly DueItem[];
  readonly leaveLane: () => void;
  readonly end: (position?: Position) => void;
  readonly fail: (error: Error) => void;
};

export const item = (id: number, lane = "a.example", changes: Partial<DueItem> = {}): DueItem => ({
  stream: `message-${id}`,
  id,
  lane,
  batch: "",
  dueAt: NOON,
  ...changes,
});

/** A scheduler over a list of due items, whose work ends when the test says so. */
export const bench = (limits: Partial<SchedulerLimits> = {}, clock: Clock & { advance: (ms: number) => void } = virtualClock(NOON)) => {
  let items: readonly DueItem[] = [];
  let position: Position = 0;
  let looks = 0;
  const listeners = new Set<(soonest?: Soonest) => void>();
  const jobs: Job[] = [];
  const errors: unknown[] = [];
  const readModel: Pick<ReadModel, "position" | "onAdvance" | "due" | "nextDueAt"> = {
    position: () => position,
    onAdvance: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    due: ({ at, perLane, limit }) => {
      looks += 1;
      const counts = new Map<string, number>();
      const fits = ({ lane, dueAt }: DueItem): boolean => {
        counts.set(lane, (counts.get(lane) ?? 0) + 1);
        return dueAt <= at && (counts.get(lane) ?? 0) <= perLane;
      };
      return items.filter(fits).slice(0, limit);
    },
    nextDueAt: (_kind, at) =>
      items
        .map(({ dueAt }) => dueAt)
        .filter((dueAt) => dueAt > at)
        .sort((a, b) => a - b)[0],
  };
  const running = scheduler({
    kind: "deliver",
    readModel: readModel as ReadModel,
    clock,
    limits: { total: 10, perLane: 10, window: 100, batch: 1, ...limits },
    perform: (taken, leaveLane) =>
      new Promise((resolve, reject) => {
        jobs.push({ items: taken, leaveLane, end: (at = 0) => resolve(at), fail: reject });
      }),
    onError: (error) => errors.push(error),
  });
  return {
    clock,
    jobs,
    errors,
    running,
    looks: () => looks,
    ids: () => jobs.map((job) => job.items.map(({ id }) => id)),
    /** What the views show, and up to where. */
    show: (now: readonly DueItem[], at: Position = position, soonest?: Soonest) => {
      items = now;
      position = at;
      for (const listener of [...listeners]) listener(soonest);
    },
    /** Changes what is due without a word, as time does. */
    hide: (now: readonly DueItem[]) => {
      items = now;
    },
    start: (): Scheduler => {
      running.start();
      return running;
    },
  };
};

export const settle = (): Promise<void> => new Promise(setImmediate);
