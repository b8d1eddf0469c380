/** The header of a message as mail programs show it. */
import addressparser from "nodemailer/lib/addressparser";
import { parseAddress } from "../../../domain/address.ts";
import type { NameAddress } from "../../../domain/message/events.ts";
import { decodedLine, oneLine } from "./decoded-text.ts";
import { headerDate } from "./header-date.ts";
import { headerFields, type Fields } from "./header-fields.ts";
import { READING_LIMITS, type MailHeader } from "./mail-reading.ts";

const MAX_ADDRESSES = 10_000;
const MAX_REFERENCES = 1_000;

/** An id in angle brackets; blanks inside come from folding. */
const MESSAGE_ID = /<[^<>]{1,990}>/gu;

const BLANKS = /\s+/gu;

/** What is no address is kept as written: the reader may make more of it. */
const canonical = (address: string): string => parseAddress(address)?.text ?? oneLine(address);

const addresses = (fields: Fields, name: string): readonly NameAddress[] => {
  const found: NameAddress[] = [];
  for (const value of fields.all(name)) {
    // Encoded words are decoded after the parsing (RFC 2047 section 6.2), so none of them can hold an address of its own.
    for (const entry of addressparser(value, { flatten: true })) {
      if (found.length >= MAX_ADDRESSES) return found;
      const address = canonical(entry.address);
      if (address !== "") found.push({ name: decodedLine(entry.name), address });
    }
  }
  return found;
};

const references = (fields: Fields): readonly string[] =>
  fields
    .all("references")
    .flatMap((value) => value.match(MESSAGE_ID) ?? [])
    .slice(0, MAX_REFERENCES)
    .map((id) => oneLine(id.replace(BLANKS, "")));

const referenceWords = (fields: Fields): readonly string[] =>
  fields
    .all("references")
    .flatMap((value) => value.replace(MESSAGE_ID, (id) => ` ${id.replace(BLANKS, "")} `).split(BLANKS))
    .filter((word) => word !== "")
    .slice(0, MAX_REFERENCES)
    .map(oneLine);

const mailHeader = (fields: Fields): MailHeader => ({
  ...fields,
  from: addresses(fields, "from"),
  to: addresses(fields, "to"),
  cc: addresses(fields, "cc"),
  bcc: addresses(fields, "bcc"),
  replyTo: addresses(fields, "reply-to"),
  subject: decodedLine(fields.first("subject") ?? ""),
  messageId: oneLine(fields.first("message-id") ?? ""),
  inReplyTo: oneLine(fields.first("in-reply-to") ?? ""),
  references: references(fields),
  referenceWords: referenceWords(fields),
  date: headerDate(fields.first("date") ?? ""),
});

/**
 * Reads the header at the beginning of `octets`, whatever it holds, and at most `headerOctets` of it. The rest of the
 * message may follow, or may be missing.
 */
export const readHeader = (octets: Uint8Array, { headerOctets }: { readonly headerOctets: number } = READING_LIMITS): MailHeader =>
  mailHeader(headerFields(octets.subarray(0, headerOctets)));
