/** What a part of a form is called: the field it belongs to, and the file it was (RFC 7578 section 4.2). */
import libmime from "libmime";

export type PartNames = {
  /** Empty when the part is no form field. */
  readonly field: string;
  /** As the client sent it, decoded; empty when the part is no file. */
  readonly path: string;
};

/** Longer values are not looked at. */
const MAX_VALUE = 8_192;

/**
 * Old browsers send paths with bare backslashes: only before a quote or another backslash is one an escape. All others are
 * doubled, so that a reader that knows no such difference keeps them.
 */
const withBackslashes = (value: string): string => value.replace(/\\(["\\]?)/g, (pair, next: string) => (next === "" ? "\\\\" : pair));

/** What browsers escape in names (WHATWG HTML, multipart form data): they leave a percent sign as it is. */
const ESCAPED: Readonly<Record<string, string>> = { "%0a": "\n", "%0d": "\r", "%22": '"' };

/** Reads a Content-Disposition. A name in the form of RFC 8187 counts before the plain one. */
export const partNames = (disposition: string): PartNames => {
  const { value, params, decodedParams } = libmime.parseHeaderValue(withBackslashes(disposition.slice(0, MAX_VALUE)));
  if (value.toLowerCase() !== "form-data") return { field: "", path: "" };
  const param = (name: string): string => (Object.hasOwn(params, name) ? (params[name] ?? "") : "");
  const path = param("filename");
  const isDecoded = decodedParams.includes("filename");
  return {
    field: param("name"),
    path: isDecoded ? path : path.replace(/%(?:0a|0d|22)/gi, (escape) => ESCAPED[escape.toLowerCase()] ?? ""),
  };
};

/** The last part of a path, whatever system it is of. */
export const baseName = (path: string): string => path.split(/[/\\]/).findLast((step) => step !== "") ?? "";
