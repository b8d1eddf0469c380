/** Stored form of what happens to a webhook call. */
import * as z from "zod";
import { event, eventReference, identity, ms, texts } from "./event.ts";

/** Names of outgoing events that this version of the schema knows. */
const outgoingEvent = z.enum(["delivered", "suppressed", "delayed", "failed", "relayed", "expanded", "canceled", "unrecognized"]);

const outgoingPayload = z.strictObject({
  event: outgoingEvent,
  dsn: z.boolean(),
  suppressing: z.boolean(),
  queueMsgId: z.int(),
  fromId: z.string(),
  messageId: z.string(),
  subject: z.string(),
  smtpCode: z.int(),
  smtpEnhancedCode: z.string(),
  error: z.string(),
  extra: texts,
});

const callResult = z.strictObject({ startedAt: ms, durationMs: ms, status: z.int(), response: z.string(), error: z.string() });

const attempt = z.int();
const by = identity;
const nextAttemptAt = ms;

export const webhookSchemas = {
  WebhookQueued: event("WebhookQueued", {
    id: z.int(),
    account: z.string(),
    kind: z.literal("outgoing"),
    url: z.string(),
    host: z.string(),
    messageRef: z.int(),
    payload: outgoingPayload,
    nextAttemptAt,
    maxAttempts: z.int(),
    after: z.int().nullable(),
    cause: eventReference,
  }),
  WebhookUnblocked: event("WebhookUnblocked", {}),
  WebhookAttempted: event("WebhookAttempted", { attempt, nextAttemptAt }),
  WebhookDelivered: event("WebhookDelivered", { attempt, result: callResult }),
  WebhookDeferred: event("WebhookDeferred", { attempt, result: callResult, nextAttemptAt }),
  WebhookFailed: event("WebhookFailed", { attempt, result: callResult }),
  WebhookInterrupted: event("WebhookInterrupted", { attempt, reason: z.string(), nextAttemptAt }),
  WebhookRescheduled: event("WebhookRescheduled", { nextAttemptAt, by }),
  WebhookSuperseded: event("WebhookSuperseded", { supersededBy: z.int() }),
  WebhookCanceled: event("WebhookCanceled", { by }),
  WebhookRetired: event("WebhookRetired", { keepUntil: ms }),
  WebhookRemoved: event("WebhookRemoved", {}),
};
