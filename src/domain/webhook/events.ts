/** What can happen to one webhook call: the whole alphabet of its state machine. */
import type { Instant } from "../clock.ts";
import type { EventReference, Identity } from "../identity.ts";

type Event<Type extends string, Data = unknown> = { readonly type: Type; readonly at: Instant } & Readonly<Data>;

/** Names of the outgoing events on the wire (`../shared` contract: webhooks v0). */
export const OUTGOING_EVENTS = ["delivered", "suppressed", "delayed", "failed", "relayed", "expanded", "canceled", "unrecognized"] as const;
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
  /** 0 when there was no SMTP reply. */
  readonly smtpCode: number;
  readonly smtpEnhancedCode: string;
  readonly error: string;
  readonly extra: Readonly<Record<string, string>>;
};

export type QueuedCall = {
  readonly id: number;
  readonly account: string;
  readonly kind: "outgoing";
  /** Where to; the secret for its Authorization header is looked up at the call, never stored. */
  readonly url: string;
  /** Lower-case host of `url`: what calls are grouped and limited by. */
  readonly host: string;
  /** The message the call is about. */
  readonly messageRef: number;
  readonly payload: OutgoingPayload;
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
