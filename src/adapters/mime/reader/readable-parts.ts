/**
 * Which parts are the text that a reader is shown: the first text/plain and text/html in the order of the message, where
 * all of an alternative is looked at, and of anything else only the first part that has text (RFC 2046 section 5.1).
 */
import { decode } from "libmime/lib/charset.js";

export type ReadableKind = "text" | "html";

/** A part's place in the choice. */
export type Place = {
  readonly parent: Place | undefined;
  readonly isAlternative: boolean;
  /** Of something else than an alternative: the part in which text was found. */
  chosen: Place | undefined;
  /** Of an alternative: what was found anywhere below. */
  readonly found: Set<ReadableKind>;
};

export const placeOf = (parent: Place | undefined, contentType: string): Place => ({
  parent,
  isAlternative: contentType === "multipart/alternative",
  chosen: undefined,
  found: new Set(),
});

const KINDS: Readonly<Record<string, ReadableKind>> = { "text/plain": "text", "text/html": "html" };

/** What this part is to a reader, if it is the first of its kind where it stands; then no later one is. */
export const claimReadable = (place: Place, contentType: string): ReadableKind | undefined => {
  const kind = Object.hasOwn(KINDS, contentType) ? KINDS[contentType] : undefined;
  if (kind === undefined) return undefined;
  for (let at = place; at.parent !== undefined; at = at.parent) {
    const { isAlternative, found, chosen } = at.parent;
    if (isAlternative ? found.has(kind) : chosen !== undefined && chosen !== at) return undefined;
  }
  for (let at = place; at.parent !== undefined; at = at.parent) {
    at.parent.found.add(kind);
    at.parent.chosen = at;
  }
  return kind;
};

/** Octets of a part that its text is made of: in UTF-16 a character takes twice what it takes in UTF-8, a line end four times. */
const OCTETS_PER_OCTET = 4;

export type TextCollector = { readonly add: (octets: Buffer) => void; readonly text: () => string };

/** Labels for text that in practice is as often UTF-8; what is really ASCII reads the same. */
const UTF8_LABELS: ReadonlySet<string> = new Set(["", "us-ascii", "ascii", "utf-8", "utf8", "unknown-8bit", "x-unknown"]);

const decoded = (octets: Buffer, charset: string): string =>
  UTF8_LABELS.has(charset.trim().toLowerCase()) ? octets.toString("utf8") : decode(octets, charset);

/** The first `octets` octets of UTF-8; a character that would be cut is left out. */
const cutAt = (text: string, octets: number): string => {
  if (text.length * 3 <= octets) return text;
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Buffer.from(text).subarray(0, octets), { stream: true });
};

/** Takes the decoded octets of a text part; `limit`: of the text, in octets of UTF-8. */
export const textCollector = (charset: string, limit: number): TextCollector => {
  const pieces: Buffer[] = [];
  let left = limit * OCTETS_PER_OCTET;
  return {
    add: (octets) => {
      if (left <= 0) return;
      // Copied: what is handed in may belong to a far larger buffer.
      pieces.push(Buffer.from(octets.subarray(0, left)));
      left -= octets.length;
    },
    text: () => cutAt(decoded(Buffer.concat(pieces), charset).replaceAll("\r\n", "\n").toWellFormed(), limit),
  };
};
