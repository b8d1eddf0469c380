/** Stored form of what happens to a webhook call. */
import * as z from "zod";
import { event, eventReference, identity, ms, texts } from "./event.ts";

/** Names of outgoing events that this version of the schema knows. */
const outgoingEvent = z.enum([
  "delivered",
  "suppressed",
  "delayed",
  "failed",
  "relayed",
  "expanded",
  "canceled",
  "unrecognized",
  "complained",
]);

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
  bounceClass: z.string(),
});

const incomingPayload = z.strictObject({
  receivedId: z.int(),
  contentId: z.int(),
  mailFrom: z.string(),
  mailFromValidated: z.boolean(),
  msgFromValidated: z.boolean(),
  recipient: z.string(),
  dkimVerifiedDomains: z.array(z.string()),
  remoteAddress: z.string(),
  receivedAt: ms,
  mailbox: z.string(),
  automated: z.boolean(),
  messageId: z.string(),
  subject: z.string(),
});

const callResult = z.strictObject({ startedAt: ms, durationMs: ms, status: z.int(), response: z.string(), error: z.string() });

const attempt = z.int();
const by = identity;
const nextAttemptAt = ms;

const queued = {
  id: z.int(),
  account: z.string(),
  url: z.string(),
  host: z.string(),
  messageRef: z.int(),
  nextAttemptAt,
  maxAttempts: z.int(),
  after: z.int().nullable(),
  cause: eventReference,
};

export const webhookSchemas = {
  WebhookQueued: z.union([
    event("WebhookQueued", { ...queued, kind: z.literal("outgoing"), payload: outgoingPayload }),
    event("WebhookQueued", { ...queued, kind: z.literal("incoming"), payload: incomingPayload }),
  ]),
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
