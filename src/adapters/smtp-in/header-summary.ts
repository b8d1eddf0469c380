/** The few things that a list of received mail shows, read off a header as far as a list needs it. */

/** Decoded; empty when missing. At most 998 characters each. */
export type HeaderSummary = {
  /** Address of the first author. */
  readonly from: string;
  readonly subject: string;
  /** With its angle brackets. */
  readonly messageId: string;
  /** How often the message says that it was received: many times means that it goes round in circles. */
  readonly hops: number;
};

/** The reader that everybody else uses, too: whatever a header holds, it does not throw. */
export type HeaderReader = (
  octets: Uint8Array,
  limits: { readonly headerOctets: number },
) => {
  readonly from: readonly { readonly address: string }[];
  readonly subject: string;
  readonly messageId: string;
  readonly all: (name: string) => readonly string[];
};

/** A header is read so far. RFC 5321 section 4.5.3.1 sets no limit; nobody's list needs more. */
const MAX_HEADER_OCTETS = 64 * 1_024;

/** Reads the header of a message that begins with these octets. */
export const headerSummary = (readHeader: HeaderReader, octets: Uint8Array = new Uint8Array()): HeaderSummary => {
  const { from, subject, messageId, all } = readHeader(octets, { headerOctets: MAX_HEADER_OCTETS });
  return { from: from[0]?.address ?? "", subject, messageId, hops: all("received").length };
};
