/** What a message is made from, and what composing it comes to: the vocabulary of this folder. */
import type { Address } from "../../domain/address.ts";
import type { Instant } from "../../domain/clock.ts";
import type { Content } from "../../domain/event-log.ts";

/** A display name, empty without one, and the address it goes with. */
export type Mailbox = { readonly name: string; readonly address: Address };

export type DraftFile = {
  /** File name as the reader should see it; empty without one. */
  readonly name: string;
  /** Media type with its parameters; empty = detected from the first 512 octets. */
  readonly contentType: string;
  /** With or without angle brackets; empty = no Content-ID. */
  readonly contentId: string;
  readonly data: Uint8Array;
};

/** A message before it has its wire form. Text comes as the sender gave it: nothing in it has been checked yet. */
export type Draft = {
  readonly from: Mailbox;
  readonly to: readonly Mailbox[];
  readonly cc: readonly Mailbox[];
  /** Not written into the message; counts for SMTPUTF8. */
  readonly bcc: readonly Mailbox[];
  readonly replyTo: readonly Mailbox[];
  /** With its angle brackets; empty = generated. */
  readonly messageId: string;
  /**
   * Message-IDs, oldest first; the last one becomes In-Reply-To. As they were found in mail: with or without their angle
   * brackets, several in one text, or nothing where a message had no id.
   */
  readonly references: readonly string[];
  /** Instant of the Date header and the sender's distance from UTC; null = now, in UTC. */
  readonly date: { readonly at: Instant; readonly offsetMinutes: number } | null;
  readonly subject: string;
  /** At least one of `text` and `html` is not empty. */
  readonly text: string;
  readonly html: string;
  /** Further headers, in the order in which they are written. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly alternativeFiles: readonly DraftFile[];
  readonly inlineFiles: readonly DraftFile[];
  readonly attachedFiles: readonly DraftFile[];
};

/** Why a draft cannot become a message; `detail` is a sentence for the sender. */
export type ComposeRefusal = { readonly code: "user" | "malformedMessageID"; readonly detail: string };

/** A message in its wire form: CRLF line ends, no line over 998 octets (RFC 5322 section 2.1.1). */
export type ComposedMessage = {
  /** Nobody else holds its memory. */
  readonly content: Content;
  /** With its angle brackets. */
  readonly messageId: string;
  /** Whether an address has a non-ASCII local part, so that the message needs SMTPUTF8 (RFC 6531). */
  readonly smtpUtf8: boolean;
  /** Whether the content has octets above 127. */
  readonly eightBit: boolean;
};

export type ComposeResult =
  { readonly ok: true; readonly message: ComposedMessage } | { readonly ok: false; readonly refusal: ComposeRefusal };
