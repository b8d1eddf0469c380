/** What an arrived message reports about a message of ours: a DSN (RFC 3464, RFC 6533) or a complaint (RFC 5965). */
import type { DsnAction } from "../message/events.ts";

/** What a DSN says about one recipient. */
export type RecipientReport = {
  /** Canonical addresses without their type; empty when missing or of another type than an email address. */
  readonly finalRecipient: string;
  readonly originalRecipient: string;
  /** `unrecognized` for an action that RFC 3464 does not know. */
  readonly action: DsnAction;
  /** SMTP code: from the diagnostic, else 400 or 500 after the status; 0 when nothing tells it. */
  readonly code: number;
  /** With its class, such as `5.1.1`: from the diagnostic, else the status; empty when nothing tells it. */
  readonly enhancedCode: string;
  /** The diagnostic's text, without controls and bounded; empty without. */
  readonly diagnostic: string;
  /** Remote-MTA without its type; empty without. */
  readonly remoteHost: string;
};

/** What the returned message or header names; empty where missing. */
export type ReturnedHeader = { readonly messageId: string };

export type Report =
  | {
      readonly kind: "dsn";
      readonly originalEnvelopeId: string;
      readonly reportingHost: string;
      /** Bounded: of a report about thousands only the first are kept. Empty when no recipient block could be read. */
      readonly recipients: readonly RecipientReport[];
      readonly returned: ReturnedHeader;
    }
  | {
      readonly kind: "complaint";
      /** Lower case: `abuse`, `fraud`, `not-spam`, ... (RFC 5965 section 7.3). */
      readonly feedbackType: string;
      readonly originalEnvelopeId: string;
      /** Canonical Original-Rcpt-To addresses, bounded. */
      readonly originalRecipients: readonly string[];
      /** Canonical Original-Mail-From; empty without. It may hold a fromid. */
      readonly originalMailFrom: string;
      readonly returned: ReturnedHeader;
    };
