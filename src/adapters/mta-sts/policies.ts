/**
 * The MTA-STS policies of recipients' domains, remembered as long as they say (RFC 8461 section 3.3). A policy that was
 * once seen holds until its age is over: who can suppress the record or the file for a while gains nothing by it.
 */
import { type Clock, DAY_MS, type Instant, MINUTE_MS } from "../../domain/clock.ts";
import type { Lookup } from "../dns/resolver.ts";
import type { FetchPolicy } from "./fetch-policy.ts";
import { announcedId, readPolicy, type StsPolicy } from "./policy.ts";

export type KeptPolicy = { readonly domain: string; readonly policy: StsPolicy; readonly fetchedAt: Instant };

export type StsPolicies = {
  /** The policy that holds for a domain now; undefined when it has none. Never rejects. */
  readonly policyFor: (domain: string) => Promise<StsPolicy | undefined>;
  readonly kept: () => readonly KeptPolicy[];
};

export type StsOptions = {
  readonly txt: (name: string) => Promise<Lookup<string>>;
  readonly fetch: FetchPolicy;
  readonly clock: Pick<Clock, "now">;
  /** From an earlier run. */
  readonly known?: readonly KeptPolicy[];
  /** Hears of every change of what is kept. */
  readonly onChange?: () => void;
  /** Hears why a policy that was announced could not be had. */
  readonly onTrouble?: (domain: string, error: unknown) => void;
  /** Domains remembered at most. */
  readonly limit?: number;
};

/** RFC 8461 section 3.3: five minutes at least between attempts that fail; refreshed long before the end. */
const FAILED_FOR_MS = 5 * MINUTE_MS;
const REFRESH_AFTER_MS = DAY_MS;

const isValid = ({ policy, fetchedAt }: KeptPolicy, now: Instant): boolean => now < fetchedAt + policy.maxAgeMs;

const wantsRefresh = ({ policy, fetchedAt }: KeptPolicy, now: Instant): boolean =>
  now >= fetchedAt + Math.min(REFRESH_AFTER_MS, policy.maxAgeMs / 2);

/** A map that forgets what was set longest ago. */
const bounded = <T>(limit: number) => {
  const entries = new Map<string, T>();
  return {
    get: (key: string) => entries.get(key),
    set: (key: string, value: T) => {
      entries.delete(key);
      entries.set(key, value);
      for (const oldest of entries.keys()) if (entries.size > limit) entries.delete(oldest);
    },
    delete: (key: string) => entries.delete(key),
    values: () => [...entries.values()],
  };
};

export const stsPolicies = (options: StsOptions): StsPolicies => {
  const { txt, fetch, clock, known = [], onChange, onTrouble, limit = 10_000 } = options;
  const kept = bounded<KeptPolicy>(limit);
  const failures = bounded<{ readonly id: string; readonly until: Instant }>(limit);
  const underWay = new Map<string, Promise<StsPolicy | undefined>>();
  for (const entry of known) if (isValid(entry, clock.now())) kept.set(entry.domain, entry);

  const fetched = async (domain: string, id: string): Promise<StsPolicy | undefined> => {
    try {
      const policy = readPolicy(id, await fetch(domain));
      kept.set(domain, { domain, policy, fetchedAt: clock.now() });
      failures.delete(domain);
      onChange?.();
      return policy;
    } catch (error) {
      failures.set(domain, { id, until: clock.now() + FAILED_FOR_MS });
      onTrouble?.(domain, error);
      return undefined;
    }
  };

  /** One fetch at a time for a domain, and none soon after one that failed. */
  const fetchOnce = (domain: string, id: string): Promise<StsPolicy | undefined> => {
    const failed = failures.get(domain);
    if (failed?.id === id && clock.now() < failed.until) return Promise.resolve(undefined);
    const running = underWay.get(domain);
    if (running !== undefined) return running;
    const fetching = fetched(domain, id).finally(() => underWay.delete(domain));
    underWay.set(domain, fetching);
    return fetching;
  };

  const current = async (domain: string): Promise<StsPolicy | undefined> => {
    const found = await txt(`_mta-sts.${domain}`);
    const id = found.status === "found" ? await announcedId(domain, found.records) : undefined;
    const now = clock.now();
    const entry = kept.get(domain);
    const valid = entry !== undefined && isValid(entry, now) ? entry : undefined;
    if (id === undefined) return valid?.policy;
    if (valid?.policy.id !== id) return (await fetchOnce(domain, id)) ?? valid?.policy;
    // Nobody waits for it: what is known holds meanwhile.
    if (wantsRefresh(valid, now)) void fetchOnce(domain, id);
    return valid.policy;
  };

  return {
    policyFor: async (domain) => {
      const policy = await current(domain);
      return policy?.mode === "none" ? undefined : policy;
    },
    kept: kept.values,
  };
};
