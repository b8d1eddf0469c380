/** The networks that a client lies in: what failures and connections are counted for. */
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** Prefix lengths, narrow to wide. An IPv6 /64 is one host's as a rule, as an IPv4 /32 is. */
const PREFIXES = { ipv4: [32, 26, 21], ipv6: [64, 48, 32] } as const;

const masked = (bytes: readonly number[], length: number): string =>
  bytes.map((byte, index) => byte & (0xff << Math.min(8, Math.max(0, 8 * (index + 1) - length))) & 0xff).join(".");

const computeNetworks = (address: string): readonly string[] => {
  if (isIP(address) === 0) return [address, address, address];
  const parsed = ipaddr.process(address);
  const bytes = parsed.toByteArray();
  return PREFIXES[parsed.kind()].map((length) => `${masked(bytes, length)}/${length}`);
};

/** Clients come back: what was worked out for them is kept, for so many. */
const KEPT = 1_000;
const kept = new Map<string, readonly string[]>();

/** Networks of an address, narrow to wide, as keys; the address itself three times when it cannot be read. */
export const networksOf = (address: string): readonly string[] => {
  const known = kept.get(address);
  if (known !== undefined) return known;
  if (kept.size >= KEPT) kept.clear();
  const networks = computeNetworks(address);
  kept.set(address, networks);
  return networks;
};
