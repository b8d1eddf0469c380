/**
 * Whether the DNS servers in use can be believed when they say that DNSSEC proves an answer: they must validate, and
 * nobody must be able to write on the way between them and this server (RFC 7672 section 1.3.1, RFC 6840 section 5.7).
 */
import { type Clock, type Instant, MINUTE_MS } from "../../domain/clock.ts";
import { ask, type ServerAddress, serverAddress } from "./exchange.ts";

/**
 * - `auto`: servers on this machine are believed.
 * - `trusted`: the servers are believed wherever they are, because their operator vouches for the way to them.
 * - `off`: nobody is, so that DANE is not used.
 */
export type DnssecMode = "auto" | "trusted" | "off";

export type Dnssec = {
  /** Why no server's word can be taken; undefined when it can, as long as `validates` says so. */
  readonly distrust: string | undefined;
  /** Asks, now and then, whether the servers do validate. Never rejects. */
  readonly validates: () => Promise<{ readonly yes: boolean; readonly reason: string }>;
};

/** Docker's forwarder listens on loopback and hands on what servers elsewhere say. */
const FORWARDERS: ReadonlySet<string> = new Set(["127.0.0.11"]);

const ASK_AGAIN_MS = 10 * MINUTE_MS;

const isLocal = ({ address }: ServerAddress): boolean => (address.startsWith("127.") || address === "::1") && !FORWARDERS.has(address);

const distrustOf = (servers: readonly ServerAddress[], mode: DnssecMode): string | undefined => {
  if (mode === "off") return "dnssec is set to off";
  if (servers.length === 0) return "there is no DNS server";
  const elsewhere = servers.find((server) => !isLocal(server));
  if (mode === "trusted" || elsewhere === undefined) return undefined;
  return `the DNS server ${elsewhere.address} is not on this machine, and dnssec is not set to trusted`;
};

/** Looks at servers given as the resolvers take them. */
export const dnssec = (options: {
  readonly servers: readonly string[];
  readonly mode: DnssecMode;
  readonly clock: Pick<Clock, "now">;
  readonly timeoutMs?: number;
}): Dnssec => {
  const { mode, clock, timeoutMs = 5_000 } = options;
  const servers = options.servers.map(serverAddress);
  const distrust = distrustOf(servers, mode);
  type Finding = { readonly yes: boolean; readonly reason: string };
  let known: { readonly finding: Promise<Finding>; readonly until: Instant } | undefined;

  /** The root is signed: who validates can prove its SOA record. */
  const look = async (): Promise<Finding> => {
    for (const server of servers) {
      try {
        const { flag_ad: proven } = await ask(server, { type: "SOA", name: "." }, timeoutMs);
        if (!proven) return { yes: false, reason: `the DNS server ${server.address} does not validate (DNSSEC)` };
      } catch {
        return { yes: false, reason: `the DNS server ${server.address} does not answer` };
      }
    }
    return { yes: true, reason: "" };
  };

  return {
    distrust,
    validates: () => {
      if (distrust !== undefined) return Promise.resolve({ yes: false, reason: distrust });
      if (known === undefined || clock.now() >= known.until) known = { finding: look(), until: clock.now() + ASK_AGAIN_MS };
      return known.finding;
    },
  };
};
