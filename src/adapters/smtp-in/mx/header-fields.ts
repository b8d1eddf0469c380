/**
 * A header taken apart into its fields, octet for octet, before anybody interprets it. Everything that looks at an arriving
 * header starts from the same fields, so that nobody can show one From to the checks and another to the reader.
 */

export type HeaderField = {
  /** Lower case, without blanks around it; empty for a line that has no name. */
  readonly name: string;
  /** The whole field with its folds and without its last line end. */
  readonly octets: Buffer;
};

const LF = 10;
const CR = 13;
const SPACE = 32;
const TAB = 9;

/** No honest mail comes near; beyond, taking it apart would cost more than it is worth. */
export const MAX_HEADER_OCTETS = 256 * 1_024;
export const MAX_FIELDS = 1_000;
export const MAX_FIELD_LINES = 4_000;

export type SplitHeader =
  | { readonly kind: "fields"; readonly fields: readonly HeaderField[] }
  /** More fields, or lines in one, than {@link MAX_FIELDS} and {@link MAX_FIELD_LINES}. */
  | { readonly kind: "tooMany" };

const fieldOf = (octets: Buffer): HeaderField => {
  const colon = octets.indexOf(":");
  return { name: colon < 0 ? "" : octets.toString("latin1", 0, Math.min(colon, 256)).trim().toLowerCase(), octets };
};

/** The fields of a header whose lines end in CR LF. The empty line at its end may be there or not. */
export const splitHeader = (header: Buffer): SplitHeader => {
  const fields: HeaderField[] = [];
  let start = 0;
  let lines = 0;
  const isFolded = (at: number): boolean => header[at] === SPACE || header[at] === TAB;
  for (let at = 0; at < header.length;) {
    const lineFeed = header.indexOf(LF, at);
    const next = lineFeed < 0 ? header.length : lineFeed + 1;
    lines += 1;
    if (lines > MAX_FIELD_LINES) return { kind: "tooMany" };
    if (next >= header.length || !isFolded(next)) {
      const end = lineFeed < 0 ? next : lineFeed - (header[lineFeed - 1] === CR ? 1 : 0);
      if (end > start) fields.push(fieldOf(header.subarray(start, end)));
      if (fields.length > MAX_FIELDS) return { kind: "tooMany" };
      start = next;
      lines = 0;
    }
    at = next;
  }
  return { kind: "fields", fields };
};

/** The text after a field's colon, unfolded; at most `most` characters. */
export const fieldText = ({ octets }: HeaderField, most: number): string =>
  octets
    .toString("utf8", octets.indexOf(":") + 1, Math.min(octets.length, octets.indexOf(":") + 1 + most * 4))
    .replace(/\r?\n(?=[ \t])/gu, "")
    .trim()
    .slice(0, most);
