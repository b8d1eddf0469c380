/**
 * What mail delivery asks of the DNS, as a port: every answer says whether the name does not exist, has no such record,
 * or could not be asked. Only the last may be different in a minute, so only that one is worth a retry.
 */
import { Resolver as NodeResolver } from "node:dns/promises";

/** A mail exchanger; `exchange` is lower case, and empty for a null MX (RFC 7505). */
export type MxRecord = { readonly exchange: string; readonly preference: number };

/**
 * - `found`: at least one record. `ttlMs` is how long they may be kept; undefined when the answer did not tell. `canonical`
 *   is the name that has them, where it is another one (CNAME) and the resolver tells.
 * - `noDomain`: the name does not exist (NXDOMAIN).
 * - `noData`: the name exists without such a record.
 * - `failed`: no usable answer (time-out, SERVFAIL, no server reachable); `reason` is for people.
 *
 * `secure`: DNSSEC proves the answer, says a resolver that may be believed.
 */
export type Lookup<T> =
  | {
      readonly status: "found";
      readonly records: readonly T[];
      readonly ttlMs?: number;
      readonly secure?: true;
      readonly canonical?: string;
    }
  | { readonly status: "noDomain"; readonly secure?: true }
  | { readonly status: "noData"; readonly secure?: true }
  | { readonly status: "failed"; readonly reason: string };

/** Never throws: trouble is an answer. Names are lower-case A-labels. */
export type Resolver = {
  /** Mail exchangers in no particular order. */
  readonly mx: (domain: string) => Promise<Lookup<MxRecord>>;
  /** IPv4 addresses, then IPv6 addresses. `failed` only when neither kind was found and one of them could not be asked. */
  readonly addresses: (host: string) => Promise<Lookup<string>>;
};

/** Which certificates a service has (RFC 6698 section 2.1). */
export type TlsaRecord = {
  readonly usage: number;
  readonly selector: number;
  readonly matchingType: number;
  readonly certificate: Uint8Array;
};

/** A resolver for what protects the way of mail, too. */
export type PolicyResolver = Resolver & {
  /** TXT records, the strings of each joined. */
  readonly txt: (name: string) => Promise<Lookup<string>>;
  /** TLSA records of a name such as `_25._tcp.mx.example.org`. */
  readonly tlsa: (name: string) => Promise<Lookup<TlsaRecord>>;
};

export type ResolverOptions = {
  /** Servers as `address` or `address:port` (`[address]:port` for IPv6); none = those of the system. */
  readonly servers?: readonly string[];
  /** Patience with one server at the first try; later tries wait longer. Default 5 s. */
  readonly timeoutMs?: number;
  /** How often each server is asked. Default 2. */
  readonly tries?: number;
};

export type Failure = Exclude<Lookup<never>, { readonly status: "found" }>;

const reasonOf = (name: string, error: unknown): string => {
  const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
  return `DNS lookup of ${name} failed: ${code}`;
};

/** The codes are those of node:dns, which names what c-ares reports. */
export const failureOf = (name: string, error: unknown): Failure => {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "ENOTFOUND":
    case "EBADNAME": // cannot be a name at all: asking again will not help
      return { status: "noDomain" };
    case "ENODATA":
      return { status: "noData" };
    default:
      return { status: "failed", reason: reasonOf(name, error) };
  }
};

const addressesOf = async (
  host: string,
  ask: (host: string, options: { readonly ttl: true }) => Promise<readonly { readonly address: string; readonly ttl: number }[]>,
): Promise<Lookup<string>> => {
  try {
    const records = await ask(host, { ttl: true });
    if (records.length === 0) return { status: "noData" };
    const seconds = records.reduce((least, { ttl }) => Math.min(least, ttl), Infinity);
    return { status: "found", records: records.map(({ address }) => address), ttlMs: seconds * 1_000 };
  } catch (error) {
    return failureOf(host, error);
  }
};

/** Both kinds of addresses as one answer, which is as secure as the weaker of them. */
export const joined = (v4: Lookup<string>, v6: Lookup<string>): Lookup<string> => {
  if (v4.status === "found") {
    if (v6.status !== "found") return v4;
    const { secure, canonical } = v4;
    const common = { ...(secure && v6.secure ? { secure } : {}), ...(canonical === undefined ? {} : { canonical }) };
    const ttlMs = Math.min(v4.ttlMs ?? Infinity, v6.ttlMs ?? Infinity);
    return { status: "found", records: [...v4.records, ...v6.records], ttlMs, ...common };
  }
  if (v6.status === "found" || v6.status === "failed") return v6;
  return v4.status === "failed" || v6.status === "noDomain" ? v4 : v6;
};

/**
 * Asks DNS servers over the network, through Node's own resolver, which keeps to itself what DNSSEC proves. Remembers
 * nothing: see `cachedResolver`.
 */
export const resolver = ({ servers = [], timeoutMs = 5_000, tries = 2 }: ResolverOptions = {}): PolicyResolver => {
  const dns = new NodeResolver({ timeout: timeoutMs, tries });
  if (servers.length > 0) dns.setServers(servers);
  return {
    mx: async (domain) => {
      try {
        const found = await dns.resolveMx(domain);
        if (found.length === 0) return { status: "noData" };
        const records = found.map(({ exchange, priority }) => ({
          exchange: exchange.toLowerCase().replace(/\.$/u, ""),
          preference: priority,
        }));
        return { status: "found", records };
      } catch (error) {
        return failureOf(domain, error);
      }
    },
    addresses: async (host) => {
      const [v4, v6] = await Promise.all([
        addressesOf(host, (name, options) => dns.resolve4(name, options)),
        addressesOf(host, (name, options) => dns.resolve6(name, options)),
      ]);
      return joined(v4, v6);
    },
    txt: async (name) => {
      try {
        const found = await dns.resolveTxt(name);
        return found.length === 0 ? { status: "noData" } : { status: "found", records: found.map((strings) => strings.join("")) };
      } catch (error) {
        return failureOf(name, error);
      }
    },
    // Without proof they are worth nothing, so nobody is asked.
    tlsa: () => Promise.resolve({ status: "noData" }),
  };
};
