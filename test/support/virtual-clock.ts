/** Time that moves only when a test says so: days of retries in a millisecond, and no test that sleeps. */
import type { Clock, Instant } from "../../src/domain/clock.ts";

export type VirtualClock = Clock & {
  /** Moves time forward, firing the timers on the way in order, each at its own instant. */
  readonly advance: (ms: number) => void;
  /** Moves time to an instant, forward only. */
  readonly set: (at: Instant) => void;
  /** Timers that wait. */
  readonly pending: () => number;
  /** When the first of them fires; undefined without any. */
  readonly nextAt: () => Instant | undefined;
};

type Timer = { readonly at: Instant; readonly run: () => void };

/** A clock that stands at `startAt`. */
export const virtualClock = (startAt: Instant = Date.UTC(2026, 5, 1, 12)): VirtualClock => {
  let now = startAt;
  const timers = new Set<Timer>();

  const earliest = (until: Instant): Timer | undefined => {
    let first: Timer | undefined;
    for (const timer of timers) if (timer.at <= until && (first === undefined || timer.at < first.at)) first = timer;
    return first;
  };

  const set = (at: Instant): void => {
    if (at < now) throw new RangeError("time moves forward only");
    for (let timer = earliest(at); timer !== undefined; timer = earliest(at)) {
      timers.delete(timer);
      now = Math.max(now, timer.at);
      timer.run();
    }
    now = at;
  };

  return {
    now: () => now,
    timer: (at, run) => {
      const timer = { at, run };
      if (at <= now) queueMicrotask(() => timers.delete(timer) && run());
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    advance: (ms) => {
      set(now + ms);
    },
    set,
    pending: () => timers.size,
    nextAt: () => earliest(Infinity)?.at,
  };
};
