/** The JSON body of an outgoing webhook call: names and order are the public contract of webhooks v0, `BounceClass` comes on top. */
import type { OutgoingPayload } from "../../domain/webhook/events.ts";

/** Body of a call that was queued at `queuedAt`; every field is there, `Extra` as `{}` when empty. */
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
    BounceClass: payload.bounceClass,
  });
