/**
 * Addresses as clients of the webapi and of webhooks are shown them: with the letters of their domain. Stored, compared and
 * put on the wire of SMTP they have A-labels (RFC 5890 section 2.3.2.1), which no pure function of the language undoes.
 */

/** Parameters of RFC 3492 section 5. */
const BASE = 36;
const FIRST = { codePoint: 128, bias: 72 };
const DIGITS = "abcdefghijklmnopqrstuvwxyz0123456789";

const adapted = (delta: number, points: number, isFirst: boolean): number => {
  let left = isFirst ? Math.floor(delta / 700) : Math.floor(delta / 2);
  left += Math.floor(left / points);
  let bias = 0;
  for (; left > 455; bias += BASE) left = Math.floor(left / 35);
  return bias + Math.floor((36 * left) / (left + 38));
};

/** The number at a place (RFC 3492 section 3.3), and where the next one begins; undefined when there is none. */
const numberAt = (text: string, from: number, bias: number): { readonly value: number; readonly next: number } | undefined => {
  let value = 0;
  let weight = 1;
  for (let at = from, k = BASE; at < text.length; at += 1, k += BASE) {
    const digit = DIGITS.indexOf(text.charAt(at));
    value += digit * weight;
    if (digit < 0 || value > 0x7fffffff) return undefined;
    const threshold = Math.min(Math.max(k - bias, 1), 26);
    if (digit < threshold) return { value, next: at + 1 };
    weight *= BASE - threshold;
  }
  return undefined;
};

/** What follows `xn--`, decoded (RFC 3492 section 6.2); undefined when it stands for nothing. */
const decoded = (text: string): string | undefined => {
  const hyphen = text.lastIndexOf("-");
  const points = Array.from(text.slice(0, Math.max(hyphen, 0)), (each) => each.charCodeAt(0));
  let { codePoint, bias } = FIRST;
  let place = 0;
  for (let at = hyphen + 1; at < text.length;) {
    const number = numberAt(text, at, bias);
    if (number === undefined) return undefined;
    const length = points.length + 1;
    bias = adapted(number.value, length, at === hyphen + 1);
    place += number.value;
    codePoint += Math.floor(place / length);
    place %= length;
    if (codePoint > 0x10ffff || (codePoint >= 0xd800 && codePoint <= 0xdfff)) return undefined;
    points.splice(place, 0, codePoint);
    place += 1;
    at = number.next;
  }
  return String.fromCodePoint(...points);
};

/** A label is shown only when it is what its letters are written as: nothing else may look like them. */
const shownLabel = (label: string): string => {
  if (!label.startsWith("xn--")) return label;
  const letters = decoded(label.slice(4));
  if (letters === undefined) return label;
  try {
    return new URL(`http://${letters}/`).hostname === label ? letters : label;
  } catch {
    return label;
  }
};

/** A canonical domain with U-labels instead of A-labels, where those are real ones. */
export const unicodeDomain = (domain: string): string => (domain.includes("xn--") ? domain.split(".").map(shownLabel).join(".") : domain);

/** `local@domain` with the domain in U-labels; other text as it is. */
export const unicodeAddress = (address: string): string => {
  const at = address.lastIndexOf("@");
  return at < 0 ? address : `${address.slice(0, at + 1)}${unicodeDomain(address.slice(at + 1))}`;
};
