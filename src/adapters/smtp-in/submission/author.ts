/**
 * Reads the one author of a From field. Strict on purpose: what this server takes for the author must be what every
 * reader of the message sees, so anything that could be read in two ways is no author at all.
 */
import { type Address, parseAddress } from "../../../domain/address.ts";

const MAX_COMMENT_DEPTH = 20;

/** What a scan finds: text outside comments, quoted strings and angle brackets, and what stands in the brackets. */
type Scan = { outside: string; after: string; inside: string | undefined };

/** Where the quoted string that begins at `start` ends, after its closing quote; -1 without one. */
const endOfQuoted = (text: string, start: number): number => {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === '"') return at + 1;
  }
  return -1;
};

/** Where the comment that begins at `start` ends (RFC 5322 section 3.2.2: comments nest); -1 without an end. */
const endOfComment = (text: string, start: number): number => {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === "(" && (depth += 1) > MAX_COMMENT_DEPTH) return -1;
    else if (text[at] === ")" && (depth -= 1) === 0) return at + 1;
  }
  return -1;
};

/** Where the angle brackets that open at `start` close, at the bracket; -1 when they do not. */
const endOfAngle = (text: string, start: number): number => {
  for (let at = start + 1; at >= 0 && at < text.length; at += 1) {
    if (text[at] === '"') at = endOfQuoted(text, at) - 1;
    else if (text[at] === ">") return at;
    else if (text[at] === "<") return -1;
    if (at < 0) return -1;
  }
  return -1;
};

/** Undefined when something is opened and not closed, or there are two addresses in brackets. */
const scan = (text: string): Scan | undefined => {
  const found: Scan = { outside: "", after: "", inside: undefined };
  for (let at = 0; at < text.length;) {
    const character = text[at];
    let end = at + 1;
    if (character === "(") end = endOfComment(text, at);
    else if (character === '"') end = endOfQuoted(text, at);
    else if (character === "<") {
      const close = endOfAngle(text, at);
      if (close < 0 || found.inside !== undefined) return undefined;
      found.inside = text.slice(at + 1, close).trim();
      end = close + 1;
    }
    if (end < 0) return undefined;
    const kept = character === "(" || character === "<" ? " " : text.slice(at, end);
    if (found.inside === undefined) found.outside += kept;
    else found.after += kept;
    at = end;
  }
  return found;
};

/** Separators of lists and groups, outside quotes: with one of them the field is more than one mailbox. */
const hasSeparator = (text: string): boolean => /[,;:>\\]/.test(text.replace(/"(?:[^"\\]|\\.)*"/gsu, ""));

/** The address of a From field's value, unfolded; undefined when it is not exactly one mailbox. */
export const authorOf = (value: string): Address | undefined => {
  const found = scan(value);
  if (found?.after.trim() !== "") return undefined;
  if (found.inside === undefined) return parseAddress(found.outside.trim());
  return hasSeparator(found.outside) ? undefined : parseAddress(found.inside);
};
