/** The text and HTML of a message as leaf parts: in the shortest encoding that survives every relay. */
import * as base64 from "nodemailer/lib/base64";
import * as quotedPrintable from "nodemailer/lib/qp";
import { MAX_LINE } from "./header-text.ts";

/** A leaf part: its header fields, each with CRLF, and its body in ASCII, ended by CRLF. */
export type TextPart = { readonly headers: string; readonly body: string };

/** ASCII that needs no encoding (RFC 2045 section 2.7). */
const SEVEN_BIT = /^[\t\n\r\x20-\x7e]*$/;

const toCrlf = (text: string): string => {
  const lines = text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
  return (lines.endsWith("\n") ? lines : `${lines}\n`).replaceAll("\n", "\r\n");
};

const hasLongLine = (text: string): boolean => {
  let start = 0;
  for (let end = text.indexOf("\r\n"); end !== -1; end = text.indexOf("\r\n", start)) {
    if (end - start > MAX_LINE) return true;
    start = end + 2;
  }
  return text.length - start > MAX_LINE;
};

const isMostlyAscii = (text: string): boolean => {
  let other = 0;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7e) other += 1;
  return other * 4 < text.length;
};

const encode = (text: string): { readonly encoding: string; readonly body: string } => {
  if (SEVEN_BIT.test(text) && !hasLongLine(text)) return { encoding: "7bit", body: text };
  if (isMostlyAscii(text)) return { encoding: "quoted-printable", body: quotedPrintable.wrap(quotedPrintable.encode(text)) };
  return { encoding: "base64", body: `${base64.wrap(base64.encode(text))}\r\n` };
};

/**
 * One text as a part. Line ends become CRLF, with one at the end. Never 8bit: a relay that cannot carry it would have
 * to re-encode the text, and break its DKIM signature (RFC 6376 section 5.3).
 */
export const textPart = (subtype: "plain" | "html", text: string): TextPart => {
  const { encoding, body } = encode(toCrlf(text));
  return { headers: `Content-Type: text/${subtype}; charset=utf-8\r\nContent-Transfer-Encoding: ${encoding}\r\n`, body };
};
