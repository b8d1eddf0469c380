/** What a part's header says about it: type, disposition, names (RFC 2045, RFC 2183, RFC 2231). */
import libmime from "libmime";
import { decodedLine, oneLine } from "./decoded-text.ts";
import type { Fields } from "./header-fields.ts";
import type { PartStructure } from "./mail-reading.ts";

export type PartDescription = Omit<PartStructure, "decodedSize" | "parts">;

/** Longer values of such fields are not looked at: they are attacks on parsers. */
const MAX_VALUE = 16 * 1_024;
const MAX_PARAMS = 50;

const MEDIA_TYPE = /^[a-z0-9!#$%&'*+.^_`{|}~-]{1,127}\/[a-z0-9!#$%&'*+.^_`{|}~-]{1,127}$/u;

type Parsed = { readonly value: string; readonly params: Readonly<Record<string, string>>; readonly decoded: readonly string[] };

const parsed = (value: string): Parsed => {
  const { value: main, params, decodedParams } = libmime.parseHeaderValue(value.slice(0, MAX_VALUE), { stripComments: true });
  return { value: oneLine(main).toLowerCase(), params, decoded: decodedParams };
};

/** Many write encoded words where RFC 2231 belongs; what was decoded by RFC 2231 is not decoded again. */
const named = ({ params, decoded }: Parsed, name: string): string => {
  const value = Object.hasOwn(params, name) ? (params[name] ?? "") : "";
  return decoded.includes(name) ? oneLine(value) : decodedLine(value);
};

const paramsOf = ({ params }: Parsed): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(params)
      .slice(0, MAX_PARAMS)
      .map(([name, value]) => [oneLine(name), oneLine(value)]),
  );

/** `fallback`: the type of a part that names none, message/rfc822 in a digest (RFC 2046 section 5.1.5). */
export const describePart = (fields: Fields, fallback: string): PartDescription => {
  const type = parsed(fields.first("content-type") ?? "");
  const disposition = parsed(fields.first("content-disposition") ?? "");
  const given = type.value === "" && Object.keys(type.params).length === 0 ? fallback : type.value;
  return {
    contentType: MEDIA_TYPE.test(given) ? given : "application/octet-stream",
    contentTypeParams: paramsOf(type),
    contentId: oneLine(fields.first("content-id") ?? ""),
    contentDisposition: disposition.value,
    filename: named(disposition, "filename") || named(type, "name"),
  };
};
