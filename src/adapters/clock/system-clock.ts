/** The machine's time, behind the clock port. */
import type { Clock } from "../../domain/clock.ts";

/** Longest delay that `setTimeout` keeps: a longer one would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/**
 * Real time. Timers go by the wall clock: one that was set far ahead fires when its instant has come, also when the
 * clock was corrected meanwhile (noticed at the latest after 24 days, for nearer instants only backwards).
 */
export const systemClock = (): Clock => ({
  now: () => Date.now(),
  timer: (at, run) => {
    let timeout: NodeJS.Timeout;
    const wait = (): void => {
      const left = at - Date.now();
      timeout = setTimeout(left > MAX_DELAY_MS ? wait : fire, Math.max(0, Math.min(left, MAX_DELAY_MS)));
    };
    // setTimeout may fire up to a millisecond early, and the clock may have been set back.
    const fire = (): void => {
      if (Date.now() < at) wait();
      else run();
    };
    wait();
    return () => {
      clearTimeout(timeout);
    };
  },
});
