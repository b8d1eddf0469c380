/**
 * Limits guessing: counts failed logins per client network in windows of a minute and a day.
 *
 * Limits are for a single address (IPv6: a /64), a small and a larger network around it: 10, 30 and 90 failures a minute,
 * 50, 150 and 450 a day. Over a limit, logins from there are refused unheard, right ones too: otherwise the answer would
 * still tell the guesser. A login that has succeeded from the same address within a day is judged by its own failures
 * alone, so that one misconfigured client does not lock out its neighbours behind the same address; a success forgives the
 * failures of that login from that address, and no others, so an account of one's own does not help to guess another's.
 */
import { DAY_MS, MINUTE_MS } from "../../domain/clock.ts";
import type { Clock, Instant } from "../../domain/clock.ts";
import { recentMap, type RecentMap } from "../../domain/recent-map.ts";
import { networksOf } from "./networks.ts";

/** `address` is the client's IP address, `login` the name it presented. */
export type FailureLimiter = {
  /** Whether a login may be tried now. */
  readonly allows: (address: string, login: string) => boolean;
  readonly failed: (address: string, login: string) => void;
  readonly succeeded: (address: string, login: string) => void;
};

export type FailureLimits = { readonly windowMs: number; readonly perNetwork: readonly [number, number, number] };

const DEFAULT_LIMITS: readonly FailureLimits[] = [
  { windowMs: MINUTE_MS, perNetwork: [10, 30, 90] },
  { windowMs: DAY_MS, perNetwork: [50, 150, 450] },
];

/** Entries kept in each table; the oldest give way. */
const MAX_ENTRIES = 50_000;

type Window = FailureLimits & { startedAt: Instant; readonly counts: RecentMap<number> };

const pairKey = (address: string, login: string): string => `${networksOf(address)[0] ?? address} ${login.slice(0, 254).toLowerCase()}`;

/** Builds a {@link FailureLimiter}; one serves all listeners and protocols of a process. */
export const failureLimiter = (clock: Pick<Clock, "now">, limits: readonly FailureLimits[] = DEFAULT_LIMITS): FailureLimiter => {
  const windows: readonly Window[] = limits.map((limit) => ({ ...limit, startedAt: clock.now(), counts: recentMap(MAX_ENTRIES) }));
  /** When a login last succeeded from an address. */
  const good = recentMap<Instant>(MAX_ENTRIES);

  /** Windows are fixed, not sliding: a count starts again when its window has passed, or the clock was set back. */
  const roll = (now: Instant): void => {
    for (const window of windows) {
      if (now >= window.startedAt && now < window.startedAt + window.windowMs) continue;
      window.startedAt = now;
      window.counts.clear();
    }
  };

  const add = (window: Window, key: string, by: number): void => {
    const count = (window.counts.get(key) ?? 0) + by;
    if (count <= 0) window.counts.delete(key);
    else window.counts.set(key, count);
  };

  const allows = (address: string, login: string): boolean => {
    const now = clock.now();
    roll(now);
    if (windows.every(({ counts }) => counts.isEmpty())) return true;
    const pair = pairKey(address, login);
    if (windows.some(({ counts, perNetwork }) => (counts.get(pair) ?? 0) >= perNetwork[0])) return false;
    const lastGood = good.get(pair);
    if (lastGood !== undefined && now - lastGood < DAY_MS) return true;
    const networks = networksOf(address);
    return windows.every(({ counts, perNetwork }) =>
      networks.every((network, index) => (counts.get(network) ?? 0) < (perNetwork[index] ?? Infinity)),
    );
  };

  const failed = (address: string, login: string): void => {
    roll(clock.now());
    for (const window of windows) for (const key of [pairKey(address, login), ...networksOf(address)]) add(window, key, 1);
  };

  const succeeded = (address: string, login: string): void => {
    const now = clock.now();
    roll(now);
    const pair = pairKey(address, login);
    good.set(pair, now);
    for (const window of windows) {
      const own = window.counts.get(pair) ?? 0;
      if (own > 0) for (const key of [pair, ...networksOf(address)]) add(window, key, -own);
    }
  };

  return { allows, failed, succeeded };
};
