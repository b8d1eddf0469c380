/**
 * Guesses a media type from the first octets of a file whose sender named none: the signatures of the WHATWG MIME
 * Sniffing standard (section 6 and 7) that mail carries, and text or not text. Nothing is read beyond 512 octets.
 */

const SNIFFED_OCTETS = 512;

type Signature = { readonly type: string; readonly bytes: Buffer; readonly at: number };

const signature = (type: string, bytes: string, at = 0): Signature => ({ type, bytes: Buffer.from(bytes, "latin1"), at });

const SIGNATURES: readonly Signature[] = [
  signature("application/pdf", "%PDF-"),
  signature("application/postscript", "%!PS-Adobe-"),
  signature("image/png", "\x89PNG\r\n\x1a\n"),
  signature("image/jpeg", "\xff\xd8\xff"),
  signature("image/gif", "GIF87a"),
  signature("image/gif", "GIF89a"),
  signature("image/webp", "WEBPVP", 8),
  signature("image/x-icon", "\0\0\x01\0"),
  signature("application/zip", "PK\x03\x04"),
  signature("application/x-gzip", "\x1f\x8b\x08"),
  signature("application/x-rar-compressed", "Rar!\x1a\x07"),
  signature("application/x-7z-compressed", "7z\xbc\xaf\x27\x1c"),
  signature("application/ogg", "OggS\0"),
  signature("audio/mpeg", "ID3"),
  signature("audio/midi", "MThd\0\0\0\x06"),
  signature("audio/wave", "WAVE", 8),
  signature("audio/aiff", "AIFF", 8),
  signature("audio/basic", ".snd"),
  signature("video/avi", "AVI ", 8),
  signature("video/webm", "\x1a\x45\xdf\xa3"),
  signature("video/mp4", "ftyp", 4),
  signature("font/ttf", "\0\x01\0\0"),
  signature("font/otf", "OTTO"),
  signature("font/woff", "wOFF"),
  signature("font/woff2", "wOF2"),
  signature("application/wasm", "\0asm"),
  signature("text/plain; charset=utf-16be", "\xfe\xff"),
  signature("text/plain; charset=utf-16le", "\xff\xfe"),
  signature("text/plain; charset=utf-8", "\xef\xbb\xbf"),
];

/** WHATWG MIME Sniffing section 7.1: an opening tag of HTML after white space, ended by a space or `>`. */
const HTML = /^[\t\n\f\r ]*<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|!--)(?:[ >]|(?<=!--))/i;
const XML = /^[\t\n\f\r ]*<\?xml/;
/** Two letters are too little to tell a bitmap from a text that starts with them. */
const BITMAP = signature("image/bmp", "BM");

/** Octets that no text has: C0 without tab, line feed, form feed, carriage return and escape. */
const BINARY = /[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]/;

const matches = (head: Buffer, { bytes, at }: Signature): boolean =>
  head.length >= at + bytes.length && head.compare(bytes, 0, bytes.length, at, at + bytes.length) === 0;

/** The media type of a file, by its content alone; `application/octet-stream` when nothing else fits. */
export const detectContentType = (data: Uint8Array): string => {
  const head = Buffer.from(data.buffer, data.byteOffset, Math.min(data.length, SNIFFED_OCTETS));
  const text = head.toString("latin1");
  if (HTML.test(text)) return "text/html; charset=utf-8";
  if (XML.test(text)) return "text/xml; charset=utf-8";
  const known = SIGNATURES.find((candidate) => matches(head, candidate));
  if (known !== undefined) return known.type;
  if (!BINARY.test(text)) return "text/plain; charset=utf-8";
  return matches(head, BITMAP) ? BITMAP.type : "application/octet-stream";
};
