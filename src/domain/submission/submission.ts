/** A message handed in for sending, by whatever protocol, after the protocol's own checks and before the queue's. */
import type { Account } from "../account/account.ts";
import type { Address } from "../address.ts";
import type { Instant } from "../clock.ts";
import type { Content } from "../event-log.ts";
import type { QueuedMessage } from "../message/events.ts";

/** What a protocol with an envelope of its own was told on it; Send has none. */
export type SubmissionEnvelope = {
  /** MAIL FROM; null = the null reverse path. Whether the account may use it is the protocol's own check. */
  readonly mailFrom: Address | null;
  /** ENVID, decoded; empty = one is made. */
  readonly envelopeId: string;
  readonly returnContent: QueuedMessage["returnContent"];
  /** What was asked for each recipient, in their order. */
  readonly wishes: readonly Pick<QueuedMessage, "notify" | "originalRecipient">[];
};

export type Submission = {
  readonly source: "webapi" | "smtp";
  readonly account: Account;
  /** Address that logged in: whether it is a fromid login decides about unique MAIL FROMs. */
  readonly login: Address;
  /** Address of the From header; must belong to the account. */
  readonly from: Address;
  /** In the order in which the answer lists them. */
  readonly recipients: readonly Address[];
  /** The message as it leaves: complete, CRLF line ends, DKIM-signed. */
  readonly content: Content;
  /** With its angle brackets. */
  readonly messageId: string;
  readonly subject: string;
  readonly extra: Readonly<Record<string, string>>;
  readonly requireTls: boolean | null;
  readonly smtpUtf8: boolean;
  readonly eightBit: boolean;
  /** First attempt not before; null = now. */
  readonly releaseAt: Instant | null;
  /** Without one, the MAIL FROM is the From address, and nothing was said about reports. */
  readonly envelope?: SubmissionEnvelope | undefined;
  /**
   * Asks for a copy in the account's Sent mailbox. `head`: octets before the content that only the copy has, such as a Bcc
   * field; empty = none.
   */
  readonly sentCopy?: { readonly head: Uint8Array } | undefined;
};

/** Why nothing was queued. `detail` is a sentence for the sender. */
export type SubmissionRefusal = {
  readonly reason: "badFrom" | "domainDisabled" | "noRecipients" | "messageLimitReached" | "recipientLimitReached" | "fromIdImpossible";
  readonly detail: string;
};

export type SubmissionResult =
  | {
      readonly accepted: true;
      readonly submissionId: number;
      /** One for each recipient, in order. `fromId` is empty without a unique MAIL FROM. */
      readonly queued: readonly { readonly id: number; readonly recipient: string; readonly fromId: string }[];
      /** Set when a copy was asked for and left out, since the account's quota has no room for it. */
      readonly copyLeftOut?: true;
    }
  | { readonly accepted: false; readonly refusal: SubmissionRefusal };

/** Queues a submission: all its recipients durably, or none. Throws only when the store is out of order. */
export type Submit = (submission: Submission) => Promise<SubmissionResult>;
