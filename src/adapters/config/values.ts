/**
 * The small values of a configuration file: durations, sizes, ports, addresses, URLs. Each accepts what a person writes
 * and gives what the program works with, or says in one sentence what is wrong. Numbers and booleans may also come as
 * text, because environment variables are text.
 */
import ipaddr from "ipaddr.js";
import { z } from "zod";

import { asciiDomain, formatAddress, parseAddress } from "../../domain/address.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const UNIT_OCTETS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

const DURATION_PART = /(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)/gu;
const DURATION = /^(?:\d+(?:\.\d+)?\s*(?:ms|s|m|h|d|w)\s*)+$/u;
const SIZE = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/iu;

/** Milliseconds of `72h`, `7.5m`, `1d 12h` or `0`; undefined when it is no duration. */
export const parseDuration = (text: string): number | undefined => {
  const trimmed = text.trim();
  if (trimmed.length > 100) return undefined;
  if (trimmed === "0") return 0;
  if (!DURATION.test(trimmed)) return undefined;
  let total = 0;
  for (const [, amount, unit] of trimmed.matchAll(DURATION_PART)) total += Number(amount) * (UNIT_MS[unit ?? ""] ?? 0);
  return Number.isSafeInteger(Math.round(total)) ? Math.round(total) : undefined;
};

/** Octets of `25MB` (millions), `25MiB` (2^20) or a plain number; undefined when it is no size. */
export const parseSize = (text: string): number | undefined => {
  const [, amount, unit] = SIZE.exec(text.trim()) ?? [];
  const factor = UNIT_OCTETS[(unit ?? "").toLowerCase()];
  if (amount === undefined || factor === undefined) return undefined;
  const octets = Math.round(Number(amount) * factor);
  return Number.isSafeInteger(octets) ? octets : undefined;
};

/** A string that `parse` understands; otherwise refused because it is not what `expected` says. */
const parsed = <T>(expected: string, parse: (text: string) => T | undefined) =>
  z.string().transform((text, context): T => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: "custom", message: `${JSON.stringify(text.slice(0, 100))} is not ${expected}` });
    return z.NEVER;
  });

const numberAsText = (value: unknown): unknown => (typeof value === "number" && Number.isFinite(value) ? String(value) : value);

/** Duration in, milliseconds out. */
export const duration = z.preprocess((value) => (value === 0 ? "0" : value), parsed("a duration such as 72h, 7.5m or 1d", parseDuration));

/** How long something is kept in, milliseconds or null (for ever) out. */
export const keepPeriod = z.preprocess(
  (value) => (value === 0 ? "0" : value),
  z.string().transform((text, context): number | null => {
    if (text === "forever") return null;
    const period = parseDuration(text);
    if (period !== undefined) return period;
    context.addIssue({
      code: "custom",
      message: `${JSON.stringify(text.slice(0, 100))} is not a duration such as 72h or 7d, or "forever"`,
    });
    return z.NEVER;
  }),
);

/** Size in, octets out. */
export const size = z.preprocess(numberAsText, parsed("a size such as 25MB", parseSize));

const textAsNumber = (value: unknown): unknown =>
  typeof value === "string" && /^\d{1,15}$/u.test(value.trim()) ? Number(value.trim()) : value;

/** A whole number between two bounds, both included. */
export const count = (least: number, most: number) => z.preprocess(textAsNumber, z.int().min(least).max(most));

/** TCP port; 0 lets the system choose. */
export const port = count(0, 65_535);

const textAsFlag = (value: unknown): unknown => (value === "true" ? true : value === "false" ? false : value);

/** true or false. */
export const flag = z.preprocess(textAsFlag, z.boolean());

/** A daily limit in, the number or null (no limit) out. */
export const limit = z.preprocess(
  textAsNumber,
  z
    .union([z.int().min(0).max(1e12), z.literal("unlimited")], { error: 'expected a whole number from 0, or "unlimited"' })
    .transform((value) => (value === "unlimited" ? null : value)),
);

/** A rate per minute in, the number or null (no limit) out. */
export const perMinute = z.preprocess(
  textAsNumber,
  z
    .union([z.int().min(1).max(1e6), z.literal("unlimited"), z.null()], { error: 'expected a whole number from 1, or "unlimited"' })
    .transform((value) => (value === "unlimited" ? null : value)),
);

/** A storage quota in, octets or null (no limit) out. */
export const quota = z.preprocess(
  numberAsText,
  z.string().transform((text, context): number | null => {
    if (text === "unlimited") return null;
    const octets = parseSize(text);
    if (octets !== undefined) return octets;
    context.addIssue({ code: "custom", message: `${JSON.stringify(text.slice(0, 100))} is not a size such as 25MB, or "unlimited"` });
    return z.NEVER;
  }),
);

/** Text of one line that is not empty. */
export const line = z
  .string()
  .min(1)
  .max(1_000)
  .regex(/^[^\r\n\0]*$/u, "must be one line");

/** Path of a file or directory, made absolute by the loader. */
export const path = z
  .string()
  .min(1)
  .max(4_096)
  .regex(/^[^\0]*$/u, "must not hold a null character");

/** Lower-case A-label domain out. */
export const domainName = parsed("a domain name", (text) => (text.startsWith("[") ? undefined : asciiDomain(text)));

/** A domain name as a key of a map: must be written in its canonical form, so that the same one cannot stand there twice. */
export const domainKey = z.string().superRefine((text, context) => {
  const canonical = text.startsWith("[") ? undefined : asciiDomain(text);
  if (canonical === undefined) context.addIssue({ code: "custom", message: `${JSON.stringify(text.slice(0, 300))} is not a domain name` });
  else if (canonical !== text) context.addIssue({ code: "custom", message: `write this domain as ${JSON.stringify(canonical)}` });
});

/** Name of an account, listener or transport: lower-case, fit for a stream name, a metric and a command line. */
export const name = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/u, 'names have lower-case letters, digits, ".", "_" and "-"');

/** The canonical lower-case text of an address, or of `@domain` (every local part of it); undefined when it is neither. */
export const canonicalAddress = (text: string): string | undefined => {
  if (text.startsWith("@")) {
    const domain = asciiDomain(text.slice(1));
    return domain === undefined ? undefined : `@${domain}`;
  }
  const address = parseAddress(text);
  return address === undefined ? undefined : formatAddress(address.localPart.toLowerCase(), address.domain);
};

/** An address of an account, `user@domain` or `@domain`. */
export const accountAddress = parsed("an address such as user@example.org or @example.org", canonicalAddress);

/** An address that can log in: `user@domain`. */
export const loginAddress = parsed("an address such as user@example.org", (text) =>
  text.startsWith("@") ? undefined : canonicalAddress(text),
);

/** IP address to listen at. */
export const listenAddress = parsed("an IP address such as 127.0.0.1, 0.0.0.0 or ::", (text) =>
  text === "localhost"
    ? "127.0.0.1"
    : ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text)
      ? text.toLowerCase()
      : undefined,
);

/** IP addresses of this machine to dial from. */
export const localAddresses = z
  .array(
    parsed("an IP address of this machine, such as 192.0.2.1", (text) =>
      ipaddr.IPv4.isValidFourPartDecimal(text) || (ipaddr.IPv6.isValid(text) && !text.includes("%")) ? text.toLowerCase() : undefined,
    ),
  )
  .max(100);

/** Host name or IP address to connect to. */
export const remoteHost = parsed("a host name or an IP address", (text) =>
  ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text) ? text.toLowerCase() : asciiDomain(text),
);

/** IP address with an optional port, as `127.0.0.1:53` or `[::1]:53`. */
export const dnsServer = parsed("an IP address with an optional port, such as 127.0.0.1 or [::1]:5353", (text) => {
  const [, v6, v4, portText] = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+))(?::(\d{1,5}))?$/iu.exec(text) ?? [];
  const ip = v6 ?? v4 ?? text;
  const valid = v4 === undefined ? ipaddr.IPv6.isValid(ip) : ipaddr.IPv4.isValidFourPartDecimal(ip);
  return valid && !ip.includes("%") && Number(portText ?? 53) <= 65_535 && portText !== "0" ? text.toLowerCase() : undefined;
});

/** A network as `10.0.0.0/8`, or one address. The text is kept; the caller parses it again with {@link parseNetwork}. */
export const network = parsed("a network such as 10.0.0.0/8 or fd00::/8, or one IP address", (text) =>
  parseNetwork(text) === undefined ? undefined : text.toLowerCase(),
);

/** Address and prefix length of a network in CIDR notation, or of a single address; undefined when it is neither. */
export const parseNetwork = (text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] | undefined => {
  const [base = "", bits, ...more] = text.split("/");
  if (more.length > 0 || base.includes("%") || (bits !== undefined && !/^\d{1,3}$/u.test(bits))) return undefined;
  if (!ipaddr.IPv4.isValidFourPartDecimal(base) && !ipaddr.IPv6.isValid(base)) return undefined;
  const address = ipaddr.parse(base);
  const most = address.kind() === "ipv4" ? 32 : 128;
  const prefix = bits === undefined ? most : Number(bits);
  return prefix <= most ? [address, prefix] : undefined;
};
