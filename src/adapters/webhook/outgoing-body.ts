/**
 * The JSON body of an outgoing webhook call: names and order are the public contract of webhooks v0. What comes on top
 * is left out where it says nothing, for the sake of readers that take no field they do not know.
 */
import type { OutgoingPayload } from "../../domain/webhook/events.ts";

/** Body of a call that was queued at `queuedAt`; every field is there, `Extra` as `{}` when empty, but `BounceClass` only after a refusal. */
export const outgoingBody = (payload: OutgoingPayload, queuedAt: number): string =>
  JSON.stringify({
    Version: 0,
    Event: payload.event,
    DSN: payload.dsn,
    Suppressing: payload.suppressing,
    QueueMsgID: payload.queueMsgId,
    FromID: payload.fromId,
    MessageID: payload.messageId,
    Subject: payload.subject,
    WebhookQueued: new Date(queuedAt).toISOString(),
    SMTPCode: payload.smtpCode,
    SMTPEnhancedCode: payload.smtpEnhancedCode,
    Error: payload.error,
    Extra: payload.extra,
    ...(payload.bounceClass !== "" && { BounceClass: payload.bounceClass }),
  });
