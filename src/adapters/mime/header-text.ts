/**
 * Writes header fields: encoded words, address lists, dates and folding. Everything here expects text that
 * `header-rules.ts` has let through, so no value can end its own line.
 */
import { encodeWord, quoteString } from "nodemailer/lib/mime-funcs";
import type { Instant } from "../../domain/clock.ts";
import type { Mailbox } from "./draft.ts";

/** RFC 5322 section 2.1.1: a line should stay within 78 and must stay within 998 octets, without its CRLF. */
const PREFERRED_LINE = 78;
export const MAX_LINE = 998;

/** RFC 2047 section 2: an encoded word has at most 75 characters; 52 leaves room for the field's name. */
const ENCODED_WORD = 52;

const PRINTABLE = /^[\x20-\x7e]*$/;
/** Text that a fold or a lenient reader would change: spaces at the ends or in runs, and look-alikes of encoded words. */
const FRAGILE = /^ | $| {2}|=\?/;
const ATOMS = /^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~ ]+$/;
const LONG_WORD = /[^ ]{900}/;

/** Q for text in Latin letters, which stays readable, B for the rest. */
const wordEncoding = (text: string): "Q" | "B" => {
  let plain = 0;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 0x80) plain += 1;
  return plain * 2 > text.length ? "Q" : "B";
};

/**
 * Encodes the text as a whole when any of it needs it: between encoded words white space is dropped (RFC 2047 section
 * 6.2), so encoding word by word would lose the spaces.
 */
const encodedWords = (text: string): string => encodeWord(text, wordEncoding(text), ENCODED_WORD);

const isPlain = (text: string): boolean => PRINTABLE.test(text) && !FRAGILE.test(text) && !(text.length > 900 && LONG_WORD.test(text));

/** Unstructured text (RFC 5322 section 3.6.5): itself, or encoded words that decode to exactly it. */
export const unstructured = (text: string): string => (isPlain(text) ? text : encodedWords(text));

const phrase = (name: string): string => {
  if (!isPlain(name)) return encodedWords(name);
  return ATOMS.test(name) ? name : quoteString(name);
};

const mailbox = ({ name, address }: Mailbox): string => (name === "" ? `<${address.text}>` : `${phrase(name)} <${address.text}>`);

/** An address list (RFC 5322 section 3.4), unfolded. */
export const addressList = (mailboxes: readonly Mailbox[]): string =>
  mailboxes.length === 1 ? mailbox(mailboxes[0] as Mailbox) : mailboxes.map(mailbox).join(", ");

const SPACE = 0x20;

/** Where a fold may go: at a single space between two words, so that no line is left with white space alone. */
const isFoldPoint = (line: string, at: number): boolean =>
  line.charCodeAt(at - 1) !== SPACE && at + 1 < line.length && line.charCodeAt(at + 1) !== SPACE;

/**
 * The field `name: value` with its CRLF, folded (RFC 5322 section 2.2.3) so that unfolding gives the value back.
 * Undefined when it cannot be: some word of it does not fit on a line.
 */
export const headerField = (name: string, value: string): string | undefined => {
  const line = value === "" ? `${name}:` : `${name}: ${value}`;
  if (line.length <= PREFERRED_LINE) return `${line}\r\n`;
  let folded = "";
  let start = 0;
  let candidate = -1;
  const cut = (end: number): boolean => {
    folded += `${line.slice(start, end)}\r\n`;
    const fits = Buffer.byteLength(line.slice(start, end)) <= MAX_LINE;
    start = end;
    return fits;
  };
  for (let space = line.indexOf(" ", name.length + 2); space !== -1; space = line.indexOf(" ", space + 1)) {
    if (!isFoldPoint(line, space)) continue;
    if (space - start > PREFERRED_LINE && candidate > start && !cut(candidate)) return undefined;
    candidate = space;
  }
  if (line.length - start > PREFERRED_LINE && candidate > start && !cut(candidate)) return undefined;
  return cut(line.length) ? folded : undefined;
};

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (n: number): string => (n < 10 ? `0${n}` : String(n));

/** A date-time of RFC 5322 section 3.3, as the clock on a wall that is `offsetMinutes` ahead of UTC shows it. */
export const headerDate = (at: Instant, offsetMinutes: number): string => {
  const wall = new Date(at + offsetMinutes * 60_000);
  const day = `${DAYS[wall.getUTCDay()] ?? ""}, ${wall.getUTCDate()} ${MONTHS[wall.getUTCMonth()] ?? ""}`;
  const time = `${two(wall.getUTCHours())}:${two(wall.getUTCMinutes())}:${two(wall.getUTCSeconds())}`;
  const ahead = Math.abs(offsetMinutes);
  const zone = `${offsetMinutes < 0 ? "-" : "+"}${two(Math.floor(ahead / 60))}${two(ahead % 60)}`;
  return `${day} ${String(wall.getUTCFullYear()).padStart(4, "0")} ${time} ${zone}`;
};
