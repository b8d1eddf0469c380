/**
 * Which addresses a webhook may reach. A webhook's URL comes from a user, and this server stands inside somebody's
 * network: without a guard, a URL could reach databases, cloud metadata services and routers there.
 */
import { isIPv4, isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";

type Ip = ipaddr.IPv4 | ipaddr.IPv6;

/** Says why an address must not be called, or null when it may. */
export type AddressGuard = (address: string) => string | null;

/** What the ranges of the registries (RFC 6890 and its successors) are called in an error. */
const RANGE_NAMES: Readonly<Record<string, string>> = {
  private: "a private network",
  uniqueLocal: "a private network",
  loopback: "the loopback network",
  linkLocal: "a link-local network",
  multicast: "a multicast network",
  broadcast: "a broadcast network",
  unspecified: "the unspecified network",
  carrierGradeNat: "a carrier-grade NAT network",
  benchmarking: "a reserved network",
};

const refusal = (address: string, network: string): string => `address ${address} is in ${network} and not allowed`;

// Only 2000::/3 is given out as global unicast (RFC 4291 section 2.4); all else is refused without being named.
const GLOBAL_UNICAST_V6: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse("2000::"), 3];
// RFC 6052: an IPv6-only host reaches IPv4 servers by this prefix, so what counts is the IPv4 address inside.
const NAT64: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse("64:ff9b::"), 96];

const embeddedV4 = (address: ipaddr.IPv6): ipaddr.IPv4 => new ipaddr.IPv4(address.toByteArray().slice(12));

/** The address that packets would go to in the end. */
const unwrap = (address: Ip): Ip => {
  if (!(address instanceof ipaddr.IPv6)) return address;
  return address.isIPv4MappedAddress() || address.match(NAT64) ? embeddedV4(address) : address;
};

/**
 * Reads an address as the system's sockets do. The library alone would take `127.1` and leading zeros, and `::8.8.8.8` for
 * a mapped address, which it is not; the URL parser's canonical form has no such doubts.
 */
const parseStrictly = (text: string): Ip | undefined => {
  const [withoutZone = ""] = text.split("%");
  if (isIPv4(withoutZone)) return ipaddr.IPv4.parse(withoutZone);
  if (!isIPv6(withoutZone)) return undefined;
  return ipaddr.IPv6.parse(new URL(`http://[${withoutZone}]/`).hostname.slice(1, -1));
};

const isPublic = (address: Ip): boolean =>
  address.range() === "unicast" && (!(address instanceof ipaddr.IPv6) || address.match(GLOBAL_UNICAST_V6));

const parseNetwork = (text: string): [Ip, number] => {
  const [network, prefix] = text.includes("/") ? ipaddr.parseCIDR(text) : [ipaddr.parse(text), undefined];
  return [network, prefix ?? (network.kind() === "ipv4" ? 32 : 128)];
};

const contains = ([network, prefix]: [Ip, number], address: Ip): boolean =>
  network.kind() === address.kind() && address.match(network, prefix);

/**
 * A guard that lets public unicast addresses pass, and those of `allowedNetworks` (CIDR notation or single addresses).
 * IPv4 inside IPv6 (mapped, NAT64) is judged as the IPv4 address; tunnels such as 6to4 and Teredo are refused.
 * Throws when a network cannot be parsed.
 */
export const addressGuard = (allowedNetworks: readonly string[]): AddressGuard => {
  const allowed = allowedNetworks.map(parseNetwork);
  return (text) => {
    const written = parseStrictly(text);
    if (written === undefined) return refusal(JSON.stringify(text.slice(0, 60)), "no network");
    const address = unwrap(written);
    if (allowed.some((network) => contains(network, address) || contains(network, written))) return null;
    return isPublic(address) ? null : refusal(text, RANGE_NAMES[address.range()] ?? "a reserved network");
  };
};
