/** The few things that a list of received mail shows, read off a header by the mail world's own decoders. */
import libmime from "libmime";
import addressparser from "nodemailer/lib/addressparser";

/** Decoded; empty when missing. At most {@link MAX_VALUE} characters each. */
export type HeaderSummary = {
  /** Address of the first author. */
  readonly from: string;
  readonly subject: string;
  /** With its angle brackets. */
  readonly messageId: string;
  /** How often the message says that it was received: many times means that it goes round in circles. */
  readonly hops: number;
};

/** A header is read so far. RFC 5321 section 4.5.3.1 sets no limit; nobody's list needs more. */
const MAX_HEADER_OCTETS = 64 * 1_024;
const MAX_VALUE = 998;

const CONTROLS = /[\u0000-\u001f\u007f-\u009f]+/gu;

const bounded = (text: string): string =>
  text
    .slice(0, MAX_VALUE * 2)
    .replace(CONTROLS, " ")
    .trim()
    .slice(0, MAX_VALUE)
    .toWellFormed();

const decoded = (value: string): string => {
  const short = value.slice(0, MAX_VALUE * 4).replace(/\r?\n(?=[ \t])/gu, "");
  return bounded(short.includes("=?") ? libmime.decodeWords(short) : short);
};

const headerOf = (content: Buffer): string => {
  if (content[0] === 13 && content[1] === 10) return "";
  const end = content.indexOf("\r\n\r\n");
  return content.toString("utf8", 0, Math.min(end < 0 ? content.length : end, MAX_HEADER_OCTETS));
};

const firstAddress = (value: string): string => bounded(addressparser(value.slice(0, MAX_VALUE * 4), { flatten: true })[0]?.address ?? "");

/** Reads the header of a message with CRLF line ends. Whatever the header holds, it does not throw. */
export const headerSummary = (content: Buffer): HeaderSummary => {
  const headers = libmime.decodeHeaders(headerOf(content), { skipPrototypeKeys: true });
  const first = (name: string): string => headers[name]?.[0] ?? "";
  return {
    from: firstAddress(first("from")),
    subject: decoded(first("subject")),
    messageId: bounded(first("message-id")),
    hops: headers["received"]?.length ?? 0,
  };
};
