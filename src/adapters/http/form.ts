/**
 * HTML forms as they come in a request body: URL-encoded (WHATWG URL section 5) and multipart/form-data (RFC 7578). The
 * parser of multipart bodies shows every header of a part, which busboy does not, and Content-ID is one that counts.
 */
import { isUtf8 } from "node:buffer";
import { MultipartParseError, parseMultipart } from "@remix-run/multipart-parser";
import { parseHeaderValue } from "nodemailer/lib/mime-funcs";

export type FormFile = {
  /** Name of the form field. */
  readonly field: string;
  /** Last part of the path that the client called the file; empty without. */
  readonly name: string;
  /** As the part's header has it; empty without. */
  readonly contentType: string;
  readonly contentId: string;
  readonly data: Uint8Array;
};

/** A form: the first value of each field, and the files. */
export type Form = { readonly fields: ReadonlyMap<string, string>; readonly files: readonly FormFile[] };

/** `fault` is a sentence for the client. */
export type FormResult = { readonly ok: true; readonly form: Form } | { readonly ok: false; readonly fault: string };

const MAX_PARTS = 1_000;
const MAX_FIELDS = 1_000;
const MAX_PART_HEADER = 16_384;

const fault = (text: string): FormResult => ({ ok: false, fault: text });

const PERCENT = 0x25;
const AMPERSAND = 0x26;
const PLUS = 0x2b;
const EQUALS = 0x3d;
const SPACE = 0x20;

/** Value of each hexadecimal digit; -1 for other octets. */
const HEX = Int8Array.from({ length: 256 }, (_, octet) => "0123456789abcdef".indexOf(String.fromCharCode(octet).toLowerCase()));

/**
 * Decodes octets `start` to `end`; undefined when an escape is malformed or the result is not UTF-8. Works in place, since
 * what is decoded is never longer: a large request is in memory once.
 */
const decodeComponent = (octets: Buffer, start: number, end: number): string | undefined => {
  let length = start;
  for (let i = start; i < end; i++) {
    let octet = octets[i] as number;
    if (octet === PLUS) octet = SPACE;
    else if (octet === PERCENT) {
      const high = i + 2 < end ? (HEX[octets[i + 1] as number] as number) : -1;
      const low = i + 2 < end ? (HEX[octets[i + 2] as number] as number) : -1;
      if (high < 0 || low < 0) return undefined;
      octet = high * 16 + low;
      i += 2;
    }
    octets[length++] = octet;
  }
  const text = octets.subarray(start, length);
  return isUtf8(text) ? text.toString("utf8") : undefined;
};

const parseUrlEncoded = (octets: Buffer): FormResult => {
  const fields = new Map<string, string>();
  let count = 0;
  for (let start = 0; start < octets.length;) {
    const ampersand = octets.indexOf(AMPERSAND, start);
    const end = ampersand === -1 ? octets.length : ampersand;
    const equals = octets.subarray(start, end).indexOf(EQUALS);
    const nameEnd = equals === -1 ? end : start + equals;
    const name = decodeComponent(octets, start, nameEnd);
    const value = decodeComponent(octets, Math.min(nameEnd + 1, end), end);
    if (name === undefined || value === undefined) return fault("form has a malformed percent-encoding, or is not UTF-8");
    if (!fields.has(name)) fields.set(name, value);
    count += 1;
    if (count > MAX_FIELDS) return fault(`form has more than ${MAX_FIELDS} fields`);
    start = end + 1;
  }
  return { ok: true, form: { fields, files: [] } };
};

const baseName = (path: string): string => path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);

const parseMultipartForm = (octets: Buffer, boundary: string): FormResult => {
  const fields = new Map<string, string>();
  const files: FormFile[] = [];
  const limits = { maxHeaderSize: MAX_PART_HEADER, maxParts: MAX_PARTS, maxFileSize: octets.length + 1, maxTotalSize: octets.length + 1 };
  for (const part of parseMultipart(octets, { boundary, ...limits })) {
    const { headers, name, filename } = part;
    if (name === undefined) return fault("a part of the form has no name");
    const data = part.content.length === 1 ? (part.content[0] as Uint8Array) : part.bytes;
    // An empty file name is a field (RFC 7578 leaves it open, Go reads it so): browsers send it for a file not chosen.
    if (filename !== undefined && filename !== "") {
      const contentType = headers["content-type"] ?? "";
      files.push({ field: name, name: baseName(filename), contentType, contentId: headers["content-id"] ?? "", data });
    } else if (!fields.has(name)) {
      if (!isUtf8(data)) return fault(`field ${name} of the form is not UTF-8`);
      fields.set(name, Buffer.from(data.buffer, data.byteOffset, data.length).toString("utf8"));
    }
  }
  return { ok: true, form: { fields, files } };
};

/**
 * Parses a form. Content types other than the two of HTML forms give a form without fields: what is asked of it is then
 * missing. Uses the octets up: they may be others afterwards, and files are views of them. Never throws for what a client sent.
 */
export const parseForm = (contentType: string | undefined, octets: Buffer): FormResult => {
  const type = /^\s*([!#-'*+.0-9A-Z^-z|~-]+\/[!#-'*+.0-9A-Z^-z|~-]+)\s*(?:;|$)/i.exec(contentType ?? "")?.[1]?.toLowerCase();
  if (type === undefined || contentType === undefined) return fault(`unknown content type ${JSON.stringify(contentType ?? "")}`);
  if (type === "application/x-www-form-urlencoded") return parseUrlEncoded(octets);
  if (type !== "multipart/form-data") return fault(`content type ${type} is not that of a form`);
  const boundary = parseHeaderValue(contentType).params["boundary"];
  if (boundary === undefined || !/^[\x20-\x7e]{1,200}$/.test(boundary)) return fault("content type has no usable boundary");
  try {
    return parseMultipartForm(octets, boundary);
  } catch (error) {
    if (error instanceof MultipartParseError) return fault(error.message);
    if (error instanceof TypeError) return fault("a part of the form has a header that is not UTF-8");
    throw error;
  }
};
