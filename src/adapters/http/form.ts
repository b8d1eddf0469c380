/**
 * HTML forms as they come in a request body: URL-encoded (WHATWG URL section 5) and multipart/form-data (RFC 7578). Only the
 * fields that are asked for have to make sense: nobody reads the others.
 */
import { isUtf8 } from "node:buffer";
import { parseHeaderValue } from "nodemailer/lib/mime-funcs";
import { readMultipart } from "./multipart.ts";
import { baseName, partNames } from "./part-names.ts";

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

/** A form: the first value of each field that was asked for, and the files. */
export type Form = { readonly fields: ReadonlyMap<string, string>; readonly files: readonly FormFile[] };

/** `fault` is a sentence for the client. */
export type FormResult = { readonly ok: true; readonly form: Form } | { readonly ok: false; readonly fault: string };

const MAX_FIELDS = 1_000;

const fault = (text: string): FormResult => ({ ok: false, fault: text });

const PERCENT = 0x25;
const AMPERSAND = 0x26;
const PLUS = 0x2b;
const EQUALS = 0x3d;
const SPACE = 0x20;

/** Value of each hexadecimal digit; -1 for other octets. */
const HEX = Int8Array.from({ length: 256 }, (_, octet) => "0123456789abcdef".indexOf(String.fromCharCode(octet).toLowerCase()));

/**
 * Decodes octets `start` to `end` and says where they end now; -1 when an escape is malformed. Works in place, since what is
 * decoded is never longer: a large request is in memory once.
 */
const decodeComponent = (octets: Buffer, start: number, end: number): number => {
  let length = start;
  for (let i = start; i < end; i++) {
    let octet = octets[i] as number;
    if (octet === PLUS) octet = SPACE;
    else if (octet === PERCENT) {
      const high = i + 2 < end ? (HEX[octets[i + 1] as number] as number) : -1;
      const low = i + 2 < end ? (HEX[octets[i + 2] as number] as number) : -1;
      if (high < 0 || low < 0) return -1;
      octet = high * 16 + low;
      i += 2;
    }
    octets[length++] = octet;
  }
  return length;
};

const notUtf8 = (name: string): FormResult => fault(`field ${name} of the form is not UTF-8`);

const parseUrlEncoded = (octets: Buffer, wanted: readonly string[]): FormResult => {
  const fields = new Map<string, string>();
  let count = 0;
  for (let start = 0; start < octets.length;) {
    const ampersand = octets.indexOf(AMPERSAND, start);
    const end = ampersand === -1 ? octets.length : ampersand;
    const equals = octets.subarray(start, end).indexOf(EQUALS);
    const nameEnd = equals === -1 ? end : start + equals;
    const valueStart = Math.min(nameEnd + 1, end);
    const name = decodeComponent(octets, start, nameEnd);
    const value = decodeComponent(octets, valueStart, end);
    if (name < 0 || value < 0) return fault("form has a malformed percent-encoding");
    const key = wanted.find((each) => octets.subarray(start, name).equals(Buffer.from(each)));
    if (key !== undefined && !fields.has(key)) {
      const text = octets.subarray(valueStart, value);
      if (!isUtf8(text)) return notUtf8(key);
      fields.set(key, text.toString("utf8"));
    }
    count += 1;
    if (count > MAX_FIELDS) return fault(`form has more than ${MAX_FIELDS} fields`);
    start = end + 1;
  }
  return { ok: true, form: { fields, files: [] } };
};

const parseMultipartForm = (octets: Buffer, boundary: string, wanted: readonly string[]): FormResult => {
  const fields = new Map<string, string>();
  const files: FormFile[] = [];
  const body = readMultipart(octets, boundary);
  if (!body.ok) return body;
  for (const { fields: header, data } of body.parts) {
    const { field, path } = partNames(header.get("content-disposition") ?? "");
    // Go passes over parts that are no fields, and reads one with an empty file name as a field: browsers send such a one for
    // a file not chosen.
    if (field === "") continue;
    if (path !== "") {
      const contentType = header.get("content-type") ?? "";
      files.push({ field, name: baseName(path), contentType, contentId: header.get("content-id") ?? "", data });
    } else if (wanted.includes(field) && !fields.has(field)) {
      if (!isUtf8(data)) return notUtf8(field);
      fields.set(field, data.toString("utf8"));
    }
  }
  return { ok: true, form: { fields, files } };
};

/**
 * Parses a form: the fields that are `wanted`, and all files. Content types other than the two of HTML forms are refused. Uses
 * the octets up: they may be others afterwards, and files are views of them. Never throws for what a client sent.
 */
export const parseForm = (contentType: string | undefined, octets: Buffer, wanted: readonly string[]): FormResult => {
  const type = /^\s*([!#-'*+.0-9A-Z^-z|~-]+\/[!#-'*+.0-9A-Z^-z|~-]+)\s*(?:;|$)/i.exec(contentType ?? "")?.[1]?.toLowerCase();
  if (type === undefined || contentType === undefined) return fault(`unknown content type ${JSON.stringify(contentType ?? "")}`);
  if (type === "application/x-www-form-urlencoded") return parseUrlEncoded(octets, wanted);
  if (type !== "multipart/form-data") return fault(`content type ${type} is not that of a form`);
  const boundary = parseHeaderValue(contentType).params["boundary"];
  if (boundary === undefined || !/^[\x20-\x7e]{1,200}$/.test(boundary)) return fault("content type has no usable boundary");
  return parseMultipartForm(octets, boundary, wanted);
};
