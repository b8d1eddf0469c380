/**
 * The Content-Type of a file as its sender wrote it, made fit for a header. Parameters are not decoded and encoded anew, as
 * libraries do: what is in the form of RFC 2231, or in encoded words, would be encoded twice.
 */
import libmime from "libmime";
import { hasControl } from "./header-rules.ts";
import { headerField } from "./header-text.ts";

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
/** type/subtype and whatever parameters follow (RFC 2045 section 5.1). */
const MEDIA_TYPE = new RegExp(`^(${TOKEN})/${TOKEN}(?=[ ]*(?:;|$))`);
const PARAMETER_NAME = new RegExp(`^${TOKEN}$`);
const PARAMETER_VALUE = new RegExp(`^(?:${TOKEN}|"(?:[^"\\\\]|\\\\.)*")$`);
/** What stands between semicolons; those in quoted strings separate nothing. */
const SECTION = /(?:[^;"]|"(?:[^"\\]|\\.)*"?)+/g;

const MAX_CONTENT_TYPE = 500;

/** As every reader will take it: what is neither token nor quoted string is quoted. */
const parameterValue = (value: string): string => {
  if (PARAMETER_VALUE.test(value)) return value;
  const { params } = libmime.parseHeaderValue(`a/b; value=${value}`);
  return `"${(params["value"] ?? "").replace(/["\\]/g, "\\$&")}"`;
};

type Parameter = { readonly name: string; readonly value: string };

const parametersOf = (text: string): readonly Parameter[] =>
  (text.match(SECTION) ?? [])
    .map((section) => section.trim())
    .filter((section) => section !== "")
    .map((section) => {
      const equals = section.indexOf("=");
      if (equals === -1) return { name: section, value: "" };
      return { name: section.slice(0, equals).trim(), value: section.slice(equals + 1).trim() };
    });

const split = (contentType: string): { readonly type: string; readonly parameters: readonly Parameter[] } => {
  const [type = ""] = MEDIA_TYPE.exec(contentType) ?? [];
  return { type, parameters: parametersOf(contentType.slice(type.length)) };
};

/** Says what keeps a content type from being written, or undefined. */
export const contentTypeFault = (contentType: string): string | undefined => {
  if (hasControl(contentType)) return "content type of a file has control characters";
  const type = MEDIA_TYPE.exec(contentType)?.[1]?.toLowerCase();
  if (type === undefined || contentType.length > MAX_CONTENT_TYPE || /[^\x20-\x7e]/.test(contentType)) {
    return `${JSON.stringify(contentType)} is not a content type`;
  }
  // A multipart body has a structure of its own and must not be in base64 (RFC 2045 section 6.4).
  if (type === "multipart") return `a file cannot be of content type ${contentType}`;
  if (!split(contentType).parameters.every(({ name }) => PARAMETER_NAME.test(name))) {
    return `${JSON.stringify(contentType)} has a malformed parameter`;
  }
  return undefined;
};

/** The value of a Content-Type field, folded (RFC 5322 section 2.2.3), for a content type without fault; and its bare type. */
export const contentTypeField = (contentType: string): { readonly type: string; readonly value: string } => {
  const { type, parameters } = split(contentType);
  const whole = [type, ...parameters.map(({ name, value }) => `${name}=${parameterValue(value)}`)].join("; ");
  const field = headerField("Content-Type", whole);
  // A content type is shorter than a line may be, so it always has a field.
  if (field === undefined) throw new Error(`${JSON.stringify(contentType)} does not fit on a line`);
  return { type, value: field.slice("Content-Type: ".length, -"\r\n".length) };
};
