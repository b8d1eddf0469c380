/**
 * What can happen to a queued message: the whole alphabet of its state machine. Events are stored for ever under these
 * names; a changed shape needs a new schema version and an upcaster in the codec.
 */
import type { Instant } from "../clock.ts";
import type { EventReference, Identity } from "../identity.ts";
import type { AttemptResult } from "../smtp-result.ts";
import type { Bounce } from "./bounce.ts";

type Event<Type extends string, Data = unknown> = { readonly type: Type; readonly at: Instant } & Readonly<Data>;

/** A person or mailbox as it stands in a header. */
export type NameAddress = { readonly name: string; readonly address: string };

/**
 * What the account does when nobody knows whether the remote took a message: try again (it may arrive twice), give up,
 * or wait for an operator.
 */
export type UncertainPolicy = "retry" | "stop" | "wait";

/** Occasions on which a submitter may want a DSN (RFC 3461 section 4.1). */
export const NOTIFY_OCCASIONS = ["success", "failure", "delay"] as const;
export type NotifyOccasion = (typeof NOTIFY_OCCASIONS)[number];

/** A message for one recipient, as accepted. Everything a delivery needs is here or in the content. */
export type QueuedMessage = {
  readonly id: number;
  /** Shared by the recipients of one submission, who also share `contentId`. */
  readonly submissionId: number;
  readonly account: string;
  /** Envelope sender, MAIL FROM; empty for the null reverse path. */
  readonly mailFrom: string;
  /** Address of the From header. */
  readonly from: string;
  /** Envelope recipient, RCPT TO. */
  readonly recipient: string;
  /** Lower-case ASCII (A-label) domain of the recipient: what messages are grouped and limited by. */
  readonly recipientDomain: string;
  /** Lower-case domain of the From address: what hold rules and filters compare. */
  readonly senderDomain: string;
  /** Random token in the local part of `mailFrom`; empty without one. */
  readonly fromId: string;
  readonly contentId: number;
  /** Octets of the content. */
  readonly size: number;
  /** Message-ID header with its angle brackets. */
  readonly messageId: string;
  readonly subject: string;
  readonly extra: Readonly<Record<string, string>>;
  /** RFC 8689: true = only over verified TLS, false = ignore TLS policy, null = policy of the recipient's domain. */
  readonly requireTls: boolean | null;
  /** Whether an address or a header needs SMTPUTF8 (RFC 6531). */
  readonly smtpUtf8: boolean;
  /** Whether the content has octets above 127 (RFC 6152). */
  readonly eightBit: boolean;
  /** Name of the transport to use whatever the routes say; null = the routes decide. */
  readonly transport: string | null;
  /** When the first attempt may start. */
  readonly nextAttemptAt: Instant;
  /** Attempts in all; the last one that fails is final. */
  readonly maxAttempts: number;
  /** How it came in. */
  readonly source: "webapi" | "smtp";
  /** ENVID of the submission (RFC 3461 section 4.4): the submitter's, else one that nobody can guess. */
  readonly envelopeId: string;
  /** DSNs wanted about this recipient: none of them when empty (NOTIFY=NEVER); null = nothing was said. */
  readonly notify: readonly NotifyOccasion[] | null;
  /** What a DSN should return (RET, RFC 3461 section 4.3); null = nothing was said. */
  readonly returnContent: "full" | "headers" | null;
  /** ORCPT as it was given, such as `rfc822;bob@there.example` (RFC 3461 section 4.2); empty without. */
  readonly originalRecipient: string;
};

/** Why an address goes on the suppression list because of a failure; the rule's id is part of the record. */
export type SuppressionDecision = {
  readonly rule: "smtp-code" | "enhanced-code" | "three-in-a-row";
  readonly reason: string;
};

/** An event that subscribers are told about names the webhook call that will tell them: the cause derives the id. */
type Notifies = { readonly callId: number };

/** How a report was found to be about a message; a Message-ID can be forged, the other two cannot be guessed. */
export type MatchedBy = "fromid" | "envelope-id" | "message-id";

/** What a DSN says (RFC 3464 section 2.3.3), or that a message to a unique MAIL FROM says nothing that is known. */
export const DSN_ACTIONS = ["failed", "delayed", "delivered", "relayed", "expanded", "unrecognized"] as const;
export type DsnAction = (typeof DSN_ACTIONS)[number];

/** What came back about a message: where it is kept, and why it is believed to be about this one. */
type Feedback = { readonly receivedId: number; readonly matchedBy: MatchedBy };

export type MessageEvent =
  | Event<"MessageQueued", QueuedMessage>
  | Event<"MessageHeld", { readonly by: Identity }>
  | Event<"MessageReleased", { readonly by: Identity }>
  | Event<"MessageRescheduled", { readonly nextAttemptAt: Instant; readonly by: Identity }>
  | Event<"MessageTransportSet", { readonly transport: string | null; readonly by: Identity }>
  | Event<"MessageRequireTlsSet", { readonly requireTls: boolean | null; readonly by: Identity }>
  /** The claim: stored before a socket opens. `nextAttemptAt` is when another may try if no end is ever recorded. */
  | Event<"DeliveryAttempted", { readonly attempt: number; readonly nextAttemptAt: Instant }>
  | Event<"DeliverySucceeded", { readonly attempt: number; readonly result: AttemptResult } & Notifies>
  | Event<
      "DeliveryDeferred",
      {
        readonly attempt: number;
        readonly result: AttemptResult;
        readonly bounce: Bounce | null;
        readonly nextAttemptAt: Instant;
      } & Notifies
    >
  | Event<
      "DeliveryFailed",
      {
        readonly attempt: number;
        readonly result: AttemptResult;
        readonly bounce: Bounce | null;
        readonly suppress: SuppressionDecision | null;
      } & Notifies
    >
  | Event<"DeliveryUncertain", { readonly attempt: number; readonly result: AttemptResult; readonly policy: UncertainPolicy } & Notifies>
  /** Back in the queue after an attempt that nobody will finish, or whose outcome stays unknown. */
  | Event<"DeliveryInterrupted", { readonly attempt: number; readonly reason: string; readonly nextAttemptAt: Instant }>
  | Event<"MessageRequeued", { readonly nextAttemptAt: Instant; readonly by: Identity }>
  /** Not attempted: the recipient is on the suppression list, put there by `suppression`. */
  | Event<"MessageSuppressed", { readonly baseAddress: string; readonly suppression: EventReference } & Notifies>
  | Event<"MessageFailed", { readonly reason: string; readonly by: Identity } & Notifies>
  | Event<"MessageCanceled", { readonly by: Identity } & Notifies>
  /** A DSN came about the message, or something else to its unique MAIL FROM. Fields of a reply as in {@link AttemptResult}. */
  | Event<
      "DsnReceived",
      Feedback & {
        /** False for a message to the unique MAIL FROM that is no DSN. */
        readonly isDsn: boolean;
        readonly action: DsnAction;
        readonly code: number;
        readonly enhancedCode: string;
        readonly error: string;
        /** The host that the report speaks of (Remote-MTA, else Reporting-MTA); empty when it names none. */
        readonly remoteHost: string;
        readonly bounce: Bounce | null;
        readonly suppress: SuppressionDecision | null;
      } & Notifies
    >
  /** Its recipient complained (RFC 5965). `suppress`: whether that lists the address. */
  | Event<"ComplaintReceived", Feedback & { readonly feedbackType: string; readonly suppress: boolean } & Notifies>
  /** Done: out of the queue, kept as history until `keepUntil`. The content goes. */
  | Event<"MessageRetired", { readonly keepUntil: Instant }>
  /** The keep period is over; the stream is deleted once every reader has passed this event. */
  | Event<"MessageRemoved">;

export type MessageEventType = MessageEvent["type"];

/** Stream of one message. */
export const messageStream = (id: number): string => `message-${id}`;
