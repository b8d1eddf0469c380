/** The text of DSN parameters on the wire: xtext (RFC 3461 section 4), and addresses beyond ASCII (RFC 6533 section 3). */
import { isUtf8 } from "node:buffer";

/** Printable ASCII but "+" and "=" stands for itself, everything else is "+" and two upper-case hexadecimal digits. */
const XTEXT = /^(?:[\x21-\x2a\x2c-\x3c\x3e-\x7e]|\+[0-9A-F]{2})*$/;

/** What decoded text may hold: it is shown, logged and written into headers. */
const PRINTABLE = /^[^\u0000-\u001f\u007f-\u009f]*$/u;

/** The text that xtext stands for; undefined when it is none, or stands for what is not printable UTF-8. */
export const decodeXtext = (text: string): string | undefined => {
  if (!XTEXT.test(text)) return undefined;
  const octets = Buffer.from(
    text.replace(/\+([0-9A-F]{2})/g, (_code, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    "latin1",
  );
  if (!isUtf8(octets)) return undefined;
  const decoded = octets.toString("utf8");
  return PRINTABLE.test(decoded) ? decoded : undefined;
};

/** Stands for itself (section 3, QCHAR), characters beyond ASCII too where the session has SMTPUTF8; `\x{…}` for the rest. */
const UTF8_XTEXT = /^(?:[\x21-\x2a\x2c-\x3c\x3e-\x5b\x5d-\x7e]|[^\u0000-\u009f]|\\x\{[0-9A-F]{1,6}\})*$/u;

/** The address that utf-8-addr-xtext or utf-8-addr-unitext stands for; undefined when it is none. */
export const decodeUtf8Xtext = (text: string): string | undefined => {
  if (!UTF8_XTEXT.test(text)) return undefined;
  // What is no character stands for one that is not printable either.
  const decoded = text.replace(/\\x\{([0-9A-F]+)\}/g, (_code, hex: string) => {
    const point = Number.parseInt(hex, 16);
    return point <= 0x10_ff_ff && (point < 0xd8_00 || point > 0xdf_ff) ? String.fromCodePoint(point) : "\0";
  });
  return PRINTABLE.test(decoded) ? decoded : undefined;
};
