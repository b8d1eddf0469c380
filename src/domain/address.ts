/**
 * Email addresses, parsed once where they come in (RFC 5321 section 4.1.2, with UTF-8 local parts and domains of
 * RFC 6531). What follows works on the parsed parts.
 */

export type Address = {
  /** Local part without quoting, as typed but for NFC. */
  readonly localPart: string;
  /** Lower-case domain in A-labels (`xn--…`), or a literal such as `[192.0.2.1]`. */
  readonly domain: string;
  /** The address for an envelope: local part quoted where RFC 5321 asks for it, and the A-label domain. */
  readonly text: string;
};

const ATEXT = /^[\p{L}\p{N}\p{M}!#$%&'*+/=?^_`{|}~\-\u{80}-\u{10FFFF}]+$/u;
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/u;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const NUMBER = /^(?:\d+|0x[0-9a-f]*)$/;
const IPV4_LITERAL = /^\[(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!\])|(?=\]))){4}\]$/;
const IPV6_LITERAL = /^\[ipv6:([0-9a-f:.]{2,45})\]$/;

/** RFC 5321 section 4.5.3.1: octets of a local part and of a whole path. */
const MAX_LOCAL_PART_OCTETS = 64;
const MAX_ADDRESS_OCTETS = 254;

const octets = (text: string): number => new TextEncoder().encode(text).length;

const isDotString = (text: string): boolean => text.split(".").every((atom) => ATEXT.test(atom));

const unquote = (text: string): string | undefined => {
  if (!/^"(?:[^"\\]|\\.)*"$/su.test(text)) return undefined;
  return text.slice(1, -1).replace(/\\(.)/gsu, "$1");
};

const quote = (text: string): string => `"${text.replace(/(["\\])/gu, "\\$1")}"`;

/**
 * Lower-case A-label form of a domain name, or undefined when it is none: every label of letters, digits, "-" and "_",
 * 63 octets at most, 253 in all. Single-label names such as `localhost` are allowed.
 */
export const asciiDomain = (domain: string): string | undefined => {
  const lower = domain.normalize("NFC").toLowerCase();
  if (lower === "" || CONTROL.test(lower) || /[\s/@:?#\\%[\]]/u.test(lower)) return undefined;
  let ascii = lower;
  if (/[^\u0000-\u007f]/u.test(lower)) {
    // The URL parser is the language's own IDNA (UTS 46) implementation.
    try {
      ascii = new URL(`http://${lower}/`).hostname;
    } catch {
      return undefined;
    }
  }
  const labels = ascii.split(".");
  // What ends in a number is an IP address to a resolver ("127.1", "0x7f000001"), never a name.
  const isName = labels.every((label) => LABEL.test(label)) && !NUMBER.test(labels.at(-1) ?? "");
  return ascii.length <= 253 && isName ? ascii : undefined;
};

const parseDomain = (text: string): string | undefined => {
  const lower = text.toLowerCase();
  if (!lower.startsWith("[")) return asciiDomain(text);
  if (IPV4_LITERAL.test(lower)) return lower;
  const v6 = IPV6_LITERAL.exec(lower)?.[1];
  if (v6 === undefined) return undefined;
  try {
    return new URL(`http://[${v6}]/`).hostname === "" ? undefined : lower;
  } catch {
    return undefined;
  }
};

/** What nearly every address is: a dot-string of ASCII and a name of letters, digits and hyphens that does not end in a number. */
const PLAIN =
  /^([a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*)@((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?)$/i;

/** The same answer as the long way gives, for plain addresses only. */
const parsePlain = (text: string): Address | undefined => {
  const [, localPart, written] = text.length > MAX_ADDRESS_OCTETS ? [] : (PLAIN.exec(text) ?? []);
  if (localPart === undefined || written === undefined || localPart.length > MAX_LOCAL_PART_OCTETS) return undefined;
  const domain = written.toLowerCase();
  return { localPart, domain, text: `${localPart}@${domain}` };
};

/** Parses `local@domain`; undefined when it is not an address. Display names and angle brackets are not part of one. */
export const parseAddress = (text: string): Address | undefined => parsePlain(text) ?? parseAny(text);

const parseAny = (text: string): Address | undefined => {
  const normal = text.normalize("NFC");
  if (CONTROL.test(normal) || !normal.isWellFormed()) return undefined;
  const separator = normal.lastIndexOf("@");
  if (separator <= 0) return undefined;
  const written = normal.slice(0, separator);
  const domain = parseDomain(normal.slice(separator + 1));
  const localPart = isDotString(written) ? written : unquote(written);
  if (domain === undefined || localPart === undefined || localPart === "") return undefined;
  const address = { localPart, domain, text: formatAddress(localPart, domain) };
  const fits = octets(localPart) <= MAX_LOCAL_PART_OCTETS && octets(address.text) <= MAX_ADDRESS_OCTETS;
  return fits ? address : undefined;
};

/** Whether an address names a host by its number (RFC 5321 section 4.1.3) and no domain. */
export const isLiteral = ({ domain }: Address): boolean => domain.startsWith("[");

/** Writes a local part and a domain as an envelope address, quoting the local part where it must be. */
export const formatAddress = (localPart: string, domain: string): string =>
  `${isDotString(localPart) ? localPart : quote(localPart)}@${domain}`;

/** What follows the first separator in the local part, such as a fromid; empty without a separator, or with nothing before it. */
export const tagOf = ({ localPart }: Address, separator: string): string => {
  const at = localPart.indexOf(separator);
  return at > 0 ? localPart.slice(at + separator.length) : "";
};

/** Whether an address can only travel with SMTPUTF8: its local part is not ASCII (the domain has its A-labels). */
export const needsSmtpUtf8 = (address: Address): boolean => /[^\u0000-\u007f]/u.test(address.localPart);

/** Domains known to ignore dots in local parts, and what they are the same as. */
const DOTLESS: ReadonlyMap<string, string> = new Map([
  ["gmail.com", "gmail.com"],
  ["googlemail.com", "gmail.com"],
]);

/**
 * The form under which addresses are compared for suppression: lower case, the local part up to the first `+`, and
 * without dots only where the domain ignores them. "-" stays: it is part of most people's address.
 */
export const baseAddress = ({ localPart, domain }: Address): string => {
  const plus = localPart.indexOf("+");
  const base = (plus > 0 ? localPart.slice(0, plus) : localPart).toLowerCase();
  const sameAs = DOTLESS.get(domain);
  return sameAs === undefined ? formatAddress(base, domain) : formatAddress(base.replaceAll(".", ""), sameAs);
};
