/** Values as fields of reports have them: addresses with their types, hosts, and text fit for an event. */
import { parseAddress } from "../../../domain/address.ts";
import { decodedXtext } from "../../../domain/xtext.ts";

/** Longest text that is kept of a report, in UTF-16 units. */
const MAX_TEXT = 500;
/** Longest value that is looked at. */
const MAX_VALUE = 4_000;
/** Longest name of a host (RFC 1035 section 2.3.4). */
const MAX_HOST = 253;

const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/gu;

/** One line, bounded, well formed, without controls. */
export const plain = (text: string): string =>
  text.slice(0, MAX_VALUE).replace(CONTROLS, " ").replace(/ {2,}/gu, " ").trim().slice(0, MAX_TEXT).toWellFormed();

/** `rfc822; bob@there.example` as its type, in lower case, and its value; an empty type where none is written. */
export const typed = (value: string): readonly [type: string, value: string] => {
  const short = value.slice(0, MAX_VALUE);
  const [, type, rest] = /^\s*([a-z0-9][a-z0-9-]{0,40})\s*;(.*)$/isu.exec(short) ?? [];
  return type === undefined || rest === undefined ? ["", short.trim()] : [type.toLowerCase(), rest.trim()];
};

/** The `\x{3B1}` of RFC 6533 section 3 as the characters that they stand for. */
const withoutUnicodeEscapes = (text: string): string =>
  text.replace(/\\x\{([0-9a-f]{1,6})\}/giu, (written, hex: string) => {
    const point = Number.parseInt(hex, 16);
    const isCharacter = point > 0x1f && point <= 0x10_ff_ff && !(point >= 0xd8_00 && point <= 0xdf_ff);
    return isCharacter ? String.fromCodePoint(point) : written;
  });

/** Canonical address of a value that may have angle brackets around it or a remark behind it; empty when it is none. */
export const bareAddress = (value: string): string => {
  const short = value.slice(0, MAX_VALUE).trim();
  const bracketed = /<([^<>]+)>/u.exec(short)?.[1];
  const written = bracketed ?? short.replace(/\s+\([^()]*\)$/u, "");
  return parseAddress(written.trim())?.text ?? "";
};

const ADDRESS_TYPES: ReadonlySet<string> = new Set(["rfc822", "utf-8", "utf8", "smtp", ""]);

/** Canonical address of a recipient field; empty for other types, such as of a user on the reporting machine. */
export const recipientAddress = (field: string): string => {
  const [type, value] = typed(field);
  if (!ADDRESS_TYPES.has(type)) return "";
  return bareAddress(withoutUnicodeEscapes(value)) || bareAddress(decodedXtext(value));
};

/** Name of a host field, such as `dns; mx.there.example. (192.0.2.7, the server)`; empty without one. */
export const hostName = (field: string): string => {
  const [first = ""] = plain(typed(field)[1]).split(/[\s(]/u);
  return first.replace(/\.$/u, "").slice(0, MAX_HOST).toLowerCase();
};
