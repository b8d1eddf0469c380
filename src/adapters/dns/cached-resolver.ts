/**
 * Remembers answers for as long as they hold, so that a queue full of mail for one domain asks the DNS once. Answers that
 * could not be had are not remembered.
 */
import { type Clock, type Instant, MINUTE_MS, SECOND_MS } from "../../domain/clock.ts";
import type { Lookup, PolicyResolver } from "./resolver.ts";

/** An answer that does not tell its time to live (MX: Node's resolver keeps it to itself) and one that there is nothing. */
const UNTOLD_TTL_MS = 5 * MINUTE_MS;
const NEGATIVE_TTL_MS = MINUTE_MS;
const MIN_TTL_MS = SECOND_MS;
const MAX_TTL_MS = 60 * MINUTE_MS;

type Entry<T> = { readonly answer: Promise<Lookup<T>>; validUntil: Instant };

const ttlOf = (lookup: Lookup<unknown>): number => {
  if (lookup.status === "failed") return 0;
  if (lookup.status !== "found") return NEGATIVE_TTL_MS;
  return Math.min(MAX_TTL_MS, Math.max(MIN_TTL_MS, lookup.ttlMs ?? UNTOLD_TTL_MS));
};

/** Asks `ask` only for what it does not know, and keeps at most `limit` names. */
export const cached = <T>(
  ask: (name: string) => Promise<Lookup<T>>,
  clock: Clock,
  limit: number,
): ((name: string) => Promise<Lookup<T>>) => {
  const entries = new Map<string, Entry<T>>();
  return (name) => {
    const known = entries.get(name);
    if (known !== undefined && known.validUntil > clock.now()) return known.answer;
    // While the question is on its way everybody waits for the same answer.
    const entry: Entry<T> = { answer: ask(name), validUntil: Infinity };
    entries.delete(name);
    entries.set(name, entry);
    // The oldest goes: a Map keeps the order of insertion.
    if (entries.size > limit) for (const oldest of entries.keys()) if (entries.size > limit) entries.delete(oldest);
    const drop = (): void => {
      if (entries.get(name) === entry) entries.delete(name);
    };
    void entry.answer.then((lookup) => {
      entry.validUntil = clock.now() + ttlOf(lookup);
      if (lookup.status === "failed") drop();
    }, drop);
    return entry.answer;
  };
};

/** A resolver that asks `resolver` only for what it does not know, and keeps at most `limit` names of each kind. */
export const cachedResolver = (resolver: PolicyResolver, clock: Clock, limit = 10_000): PolicyResolver => ({
  mx: cached(resolver.mx, clock, limit),
  addresses: cached(resolver.addresses, clock, limit),
  txt: cached(resolver.txt, clock, limit),
  tlsa: cached(resolver.tlsa, clock, limit),
});
