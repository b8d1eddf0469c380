/** What is read off a message from elsewhere: plain data, bounded whatever the message holds. */
import type { Instant } from "../../../domain/clock.ts";
import type { NameAddress } from "../../../domain/message/events.ts";

/** The header, decoded. Texts have no controls and at most 998 characters unless said otherwise; they are empty when missing. */
export type MailHeader = {
  /** Of all fields of that name, in their order; groups are flattened. At most 10,000. */
  readonly from: readonly NameAddress[];
  readonly to: readonly NameAddress[];
  readonly cc: readonly NameAddress[];
  readonly bcc: readonly NameAddress[];
  readonly replyTo: readonly NameAddress[];
  readonly subject: string;
  /** With its angle brackets, as written. */
  readonly messageId: string;
  /** As written, usually one id in angle brackets. */
  readonly inReplyTo: string;
  /** Ids in angle brackets of all References fields; at most 1,000. */
  readonly references: readonly string[];
  /** Those, and whatever other words stand between blanks in these fields: some write ids without brackets. At most 1,000. */
  readonly referenceWords: readonly string[];
  /** Null when missing or no date. */
  readonly date: Instant | null;
  /** Whether there is such a field; names are matched without regard to case. */
  readonly has: (name: string) => boolean;
  /** The raw value of the first such field, unfolded and trimmed, not decoded; not bounded but by the header's limit. */
  readonly first: (name: string) => string | undefined;
  /** The same of all such fields, in their order. */
  readonly all: (name: string) => readonly string[];
};

/** A part of a message as the wire's `Structure` tells it. */
export type PartStructure = {
  /** Lower case; `text/plain` when missing (RFC 2045 section 5.2), `application/octet-stream` when it cannot be read. */
  readonly contentType: string;
  /** Lower-case names; values decoded (RFC 2231), in their case. */
  readonly contentTypeParams: Readonly<Record<string, string>>;
  /** As written, usually in angle brackets. */
  readonly contentId: string;
  /** Lower case. */
  readonly contentDisposition: string;
  /** Decoded, RFC 2231 or RFC 2047; `filename` of the disposition, else `name` of the type. */
  readonly filename: string;
  /** Octets once the transfer encoding is undone, text with CRLF line ends; 0 for a multipart. */
  readonly decodedSize: number;
  /** Of a multipart; an attached message (message/rfc822) is one part without parts, as in mox. */
  readonly parts: readonly PartStructure[];
};

export type MailReading = {
  readonly header: MailHeader;
  /** The text/plain and text/html that a reader is shown: at most 1 MiB of UTF-8 each, line ends `\n`; empty without. */
  readonly text: string;
  readonly html: string;
  readonly structure: PartStructure;
};

/** Where reading stops; what lies beyond is left out of the reading, and the message is none the worse for it. */
export type ReadingLimits = {
  /** Octets of the message's header, and of the header of each part. */
  readonly headerOctets: number;
  /** Octets of the headers of all parts together. */
  readonly allHeaderOctets: number;
  /** Multiparts below this level are parts without parts. */
  readonly depth: number;
  /** Parts in all. */
  readonly parts: number;
  /** Octets of UTF-8 that text and HTML are each cut at. */
  readonly textOctets: number;
};

/** A message's octets, in pieces of any size. */
export type Pieces = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** No mail that people or programs write comes near these. */
export const READING_LIMITS: ReadingLimits = {
  headerOctets: 256 * 1_024,
  allHeaderOctets: 2 * 1_024 * 1_024,
  depth: 50,
  parts: 1_000,
  textOctets: 1_024 * 1_024,
};

/** See read-mail.ts. */
export type ReadMail = (pieces: Pieces, limits?: Partial<ReadingLimits>) => Promise<MailReading>;

/** See read-part.ts. */
export type ReadPart = (pieces: Pieces, path: readonly number[], limits?: Partial<ReadingLimits>) => Promise<Uint8Array | undefined>;
