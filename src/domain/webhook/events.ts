/** What can happen to one webhook call: the whole alphabet of its state machine. */
import type { Instant } from "../clock.ts";
import type { EventReference, Identity } from "../identity.ts";

type Event<Type extends string, Data = unknown> = { readonly type: Type; readonly at: Instant } & Readonly<Data>;

/** Names of the outgoing events on the wire (webhooks v0); `complained` is Posthorn's own, for accounts that ask for it by name. */
export const OUTGOING_EVENTS = [
  "delivered",
  "suppressed",
  "delayed",
  "failed",
  "relayed",
  "expanded",
  "canceled",
  "unrecognized",
  "complained",
] as const;
export type OutgoingEvent = (typeof OUTGOING_EVENTS)[number];

/** Body of an outgoing call, but for `WebhookQueued`, which is the instant of the {@link QueuedCall} event. */
export type OutgoingPayload = {
  readonly event: OutgoingEvent;
  readonly dsn: boolean;
  readonly suppressing: boolean;
  readonly queueMsgId: number;
  readonly fromId: string;
  readonly messageId: string;
  readonly subject: string;
  /** Of a reply that refuses, or of a DSN; 0 without one, and when a delivery succeeded. */
  readonly smtpCode: number;
  readonly smtpEnhancedCode: string;
  readonly error: string;
  readonly extra: Readonly<Record<string, string>>;
  /** Class of the failure (see `message/bounce.ts`); empty when nothing failed. Posthorn's own field. */
  readonly bounceClass: string;
};

/** What an incoming call tells besides the content, which is read when the call is made. */
export type IncomingPayload = {
  readonly receivedId: number;
  readonly contentId: number;
  readonly mailFrom: string;
  readonly mailFromValidated: boolean;
  readonly msgFromValidated: boolean;
  readonly recipient: string;
  readonly dkimVerifiedDomains: readonly string[];
  readonly remoteAddress: string;
  readonly receivedAt: Instant;
  readonly mailbox: string;
  readonly automated: boolean;
  /** As in the list of calls. */
  readonly messageId: string;
  readonly subject: string;
};

/** What a call is about: a message of ours on its way, or one that arrived. */
type About =
  { readonly kind: "outgoing"; readonly payload: OutgoingPayload } | { readonly kind: "incoming"; readonly payload: IncomingPayload };

export type QueuedCall = About & {
  readonly id: number;
  readonly account: string;
  /** Where to; the secret for its Authorization header is looked up at the call, never stored. */
  readonly url: string;
  /** Lower-case host of `url`: what calls are grouped and limited by. */
  readonly host: string;
  /** The queued or received message that the call is about. */
  readonly messageRef: number;
  readonly nextAttemptAt: Instant;
  readonly maxAttempts: number;
  /** The call about the same message that must be done before this one, where every event is wanted in order; else null. */
  readonly after: number | null;
  readonly cause: EventReference;
};

/** What one HTTP request came to. */
export type CallResult = {
  readonly startedAt: Instant;
  readonly durationMs: number;
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  /** The first 512 octets of the answer's body, as text. */
  readonly response: string;
  /** What went wrong; empty after a 2xx. */
  readonly error: string;
};

export type WebhookEvent =
  | Event<"WebhookQueued", QueuedCall>
  /** The call that this one waited for is done. */
  | Event<"WebhookUnblocked">
  | Event<"WebhookAttempted", { readonly attempt: number; readonly nextAttemptAt: Instant }>
  | Event<"WebhookDelivered", { readonly attempt: number; readonly result: CallResult }>
  | Event<"WebhookDeferred", { readonly attempt: number; readonly result: CallResult; readonly nextAttemptAt: Instant }>
  | Event<"WebhookFailed", { readonly attempt: number; readonly result: CallResult }>
  | Event<"WebhookInterrupted", { readonly attempt: number; readonly reason: string; readonly nextAttemptAt: Instant }>
  | Event<"WebhookRescheduled", { readonly nextAttemptAt: Instant; readonly by: Identity }>
  /** A newer call about the same message takes its place. */
  | Event<"WebhookSuperseded", { readonly supersededBy: number }>
  | Event<"WebhookCanceled", { readonly by: Identity }>
  | Event<"WebhookRetired", { readonly keepUntil: Instant }>
  | Event<"WebhookRemoved">;

export type WebhookEventType = WebhookEvent["type"];

/** Stream of one webhook call. */
export const webhookStream = (id: number): string => `webhook-${id}`;

/** Number of the call that a stream is about. */
export const idOfWebhook = (stream: string): number => Number(stream.slice("webhook-".length));
