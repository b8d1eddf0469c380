/**
 * Takes a multipart body (RFC 2046 section 5.1) apart that is in memory as a whole. Our own reader, because the libraries for
 * it are made for streams, and are stricter than what clients of this API are used to: @remix-run/multipart-parser refuses
 * text before the first delimiter, folded fields and octets that are not UTF-8; @fastify/busboy knows lines in CRLF only and
 * hands each part out as a stream. What lies in memory needs no state between chunks, and parts can be views of it.
 */
import libqp from "libqp";

export type Part = {
  /** Fields of the part's header, unfolded, by name in lower case; the first one counts. */
  readonly fields: ReadonlyMap<string, string>;
  /** A view of the body, quoted-printable undone. */
  readonly data: Buffer;
};

/** `fault` is a sentence for the client. */
export type MultipartResult = { readonly ok: true; readonly parts: readonly Part[] } | { readonly ok: false; readonly fault: string };

type Fault = { readonly fault: string };

const MAX_PARTS = 1_000;
const MAX_PART_HEADER = 16_384;

const LF = 0x0a;
const CR = 0x0d;
const TAB = 0x09;
const SPACE = 0x20;
const DASH = 0x2d;

const LINE_END = Buffer.from("\r\n");

/** Where a delimiter begins (with the line end before it, which is its own) and where the line after it does. */
type Delimiter = { readonly start: number; readonly next: number; readonly isLast: boolean; readonly hasCr: boolean };

/** What a line from `at` on has left but blanks, which some transports add (RFC 2046 section 5.1.1). */
const restOfLine = (octets: Buffer, at: number): Pick<Delimiter, "next" | "isLast" | "hasCr"> | undefined => {
  if (octets[at] === DASH && octets[at + 1] === DASH) return { next: at + 2, isLast: true, hasCr: true };
  let end = at;
  while (octets[end] === SPACE || octets[end] === TAB) end += 1;
  const hasCr = octets[end] === CR;
  if (hasCr) end += 1;
  return octets[end] === LF ? { next: end + 1, isLast: false, hasCr } : undefined;
};

/** The first delimiter. What comes before it is a preamble, as some clients begin with a line end or more. */
const firstDelimiter = (octets: Buffer, dashes: Buffer): Delimiter | undefined => {
  for (let at = octets.indexOf(dashes); at !== -1; at = octets.indexOf(dashes, at + dashes.length)) {
    const rest = at === 0 || octets[at - 1] === LF ? restOfLine(octets, at + dashes.length) : undefined;
    if (rest !== undefined) return { start: at, ...rest };
  }
  return undefined;
};

/** What begins like a delimiter and goes on otherwise is content. */
const nextDelimiter = (octets: Buffer, delimiter: Buffer, from: number): Delimiter | undefined => {
  for (let at = octets.indexOf(delimiter, from); at !== -1; at = octets.indexOf(delimiter, at + delimiter.length)) {
    const rest = restOfLine(octets, at + delimiter.length);
    if (rest !== undefined) return { start: at, ...rest };
  }
  return undefined;
};

type Header = { readonly fields: ReadonlyMap<string, string>; readonly end: number };

/** Lines from `start` up to the empty one that ends a header, and what follows that. */
const headerLines = (
  octets: Buffer,
  start: number,
  hasCr: boolean,
): { readonly lines: readonly string[]; readonly end: number } | Fault => {
  const head = octets.subarray(start, start + MAX_PART_HEADER);
  const lines: string[] = [];
  for (let at = 0; ;) {
    const lf = head.indexOf(LF, at);
    if (lf === -1) break;
    const endsInCr = lf > at && head[lf - 1] === CR;
    if (hasCr && !endsInCr) return { fault: "a part of the form has a header with a line feed that ends no line" };
    // Never fails: a file name in another character set is no reason to refuse the file.
    const line = head.toString("utf8", at, endsInCr ? lf - 1 : lf);
    at = lf + 1;
    if (line === "") return { lines, end: start + at };
    lines.push(line);
  }
  return { fault: head.length === MAX_PART_HEADER ? "a part of the form has too large a header" : "the form ends within a header" };
};

const CONTROL = /[\u0000-\u0008\u000a-\u001f]/;

const readHeader = (octets: Buffer, start: number, hasCr: boolean): Header | Fault => {
  const read = headerLines(octets, start, hasCr);
  if ("fault" in read) return read;
  const unfolded: string[] = [];
  for (const line of read.lines) {
    if (CONTROL.test(line)) return { fault: "a part of the form has control characters in its header" };
    const isFolded = line.startsWith(" ") || line.startsWith("\t");
    const last = unfolded.at(-1);
    if (isFolded && last !== undefined) unfolded[unfolded.length - 1] = `${last} ${line.trim()}`;
    else unfolded.push(line);
  }
  const fields = new Map<string, string>();
  for (const field of unfolded) {
    const colon = field.indexOf(":");
    if (colon <= 0) return { fault: "a part of the form has a header line that is no field" };
    const name = field.slice(0, colon).trim().toLowerCase();
    if (!fields.has(name)) fields.set(name, field.slice(colon + 1).trim());
  }
  return { fields, end: read.end };
};

/** Whole lines that are decoded at a time, in octets: what the library makes of them on the way takes several times as much. */
const SLICE = 65_536;

/** Undone in place, since what is decoded is never longer: a large file is in memory once. */
const decodeQuotedPrintable = (data: Buffer): Buffer => {
  let length = 0;
  for (let at = 0; at < data.length;) {
    const lf = data.indexOf(LF, at + SLICE);
    const end = lf === -1 ? data.length : lf + 1;
    const decoded = libqp.decode(data.subarray(at, end));
    data.set(decoded, length);
    length += decoded.length;
    at = end;
  }
  return data.subarray(0, length);
};

const isQuotedPrintable = (fields: Header["fields"]): boolean =>
  fields.get("content-transfer-encoding")?.toLowerCase() === "quoted-printable";

/**
 * Parts of a body, at most 1,000 of them. Lines end in CRLF, or all in LF where the first delimiter's does. Uses the octets
 * up: what is encoded in quoted-printable is decoded in place. Never throws for what a client sent.
 */
export const readMultipart = (octets: Buffer, boundary: string): MultipartResult => {
  const dashes = Buffer.from(`--${boundary}`);
  const parts: Part[] = [];
  let delimiter = firstDelimiter(octets, dashes);
  if (delimiter === undefined) return { ok: false, fault: "the form has no line with its boundary" };
  const { hasCr } = delimiter;
  const lineEnd = hasCr ? LINE_END : LINE_END.subarray(1);
  const between = Buffer.concat([lineEnd, dashes]);
  while (!delimiter.isLast) {
    if (parts.length === MAX_PARTS) return { ok: false, fault: `the form has more than ${MAX_PARTS} parts` };
    const header = readHeader(octets, delimiter.next, hasCr);
    if ("fault" in header) return { ok: false, fault: header.fault };
    // A part without content may have one line end for two: that of its header is the delimiter's.
    delimiter = nextDelimiter(octets, between, header.end - lineEnd.length);
    if (delimiter === undefined) return { ok: false, fault: "the form does not end with its boundary" };
    const data = octets.subarray(header.end, Math.max(header.end, delimiter.start));
    parts.push({ fields: header.fields, data: isQuotedPrintable(header.fields) ? decodeQuotedPrintable(data) : data });
  }
  return { ok: true, parts };
};
