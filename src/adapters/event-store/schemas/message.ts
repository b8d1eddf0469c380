/** Stored form of what happens to a queued message. */
import * as z from "zod";
import { event, eventReference, identity, ms, texts } from "./event.ts";

const attemptResult = z.strictObject({
  startedAt: ms,
  durationMs: ms,
  code: z.int(),
  enhancedCode: z.string(),
  error: z.string(),
  remoteHost: z.string(),
  remoteAddress: z.string(),
  tls: z.exactOptional(z.strictObject({ version: z.string(), cipher: z.string(), verified: z.boolean() })),
  policy: z.exactOptional(
    z.strictObject({
      decidedBy: z.enum(["dane", "mta-sts", "require-tls", "none"]),
      dnssec: z.enum(["secure", "insecure", "unavailable", "ignored"]),
      mtaSts: z.exactOptional(z.enum(["enforce", "testing"])),
    }),
  ),
  dsnPassedOn: z.exactOptional(z.literal(true)),
  transport: z.string(),
  transcript: z.exactOptional(z.array(z.string())),
});

/** Names of bounce classes that this version of the schema knows. */
const bounceClass = z.enum([
  "bad-address",
  "inactive-mailbox",
  "mailbox-full",
  "greylisting",
  "rate-limit",
  "policy",
  "content",
  "spam",
  "reputation",
  "authentication",
  "too-large",
  "loop",
  "protocol",
  "infrastructure",
  "unknown",
]);

const bounce = z.strictObject({ class: bounceClass, rule: z.string() }).nullable();

const suppressionDecision = z.strictObject({ rule: z.enum(["smtp-code", "enhanced-code", "three-in-a-row"]), reason: z.string() });

const attempt = z.int();
const by = identity;
const callId = z.int();
const nextAttemptAt = ms;

const feedback = { receivedId: z.int(), matchedBy: z.enum(["fromid", "envelope-id", "message-id"]) };

export const messageSchemas = {
  MessageQueued: event("MessageQueued", {
    id: z.int(),
    submissionId: z.int(),
    account: z.string(),
    mailFrom: z.string(),
    from: z.string(),
    recipient: z.string(),
    recipientDomain: z.string(),
    senderDomain: z.string(),
    fromId: z.string(),
    contentId: z.int(),
    size: z.int(),
    messageId: z.string(),
    subject: z.string(),
    extra: texts,
    requireTls: z.boolean().nullable(),
    smtpUtf8: z.boolean(),
    eightBit: z.boolean(),
    transport: z.string().nullable(),
    nextAttemptAt,
    maxAttempts: z.int(),
    source: z.enum(["webapi", "smtp"]),
    envelopeId: z.string(),
    notify: z.array(z.enum(["success", "failure", "delay"])).nullable(),
    returnContent: z.enum(["full", "headers"]).nullable(),
    originalRecipient: z.string(),
  }),
  MessageHeld: event("MessageHeld", { by }),
  MessageReleased: event("MessageReleased", { by }),
  MessageRescheduled: event("MessageRescheduled", { nextAttemptAt, by }),
  MessageTransportSet: event("MessageTransportSet", { transport: z.string().nullable(), by }),
  MessageRequireTlsSet: event("MessageRequireTlsSet", { requireTls: z.boolean().nullable(), by }),
  DeliveryAttempted: event("DeliveryAttempted", { attempt, nextAttemptAt }),
  DeliverySucceeded: event("DeliverySucceeded", { attempt, result: attemptResult, callId }),
  DeliveryDeferred: event("DeliveryDeferred", { attempt, result: attemptResult, bounce, nextAttemptAt, callId }),
  DeliveryFailed: event("DeliveryFailed", { attempt, result: attemptResult, bounce, suppress: suppressionDecision.nullable(), callId }),
  DeliveryUncertain: event("DeliveryUncertain", { attempt, result: attemptResult, policy: z.enum(["retry", "stop", "wait"]), callId }),
  DeliveryInterrupted: event("DeliveryInterrupted", { attempt, reason: z.string(), nextAttemptAt }),
  MessageRequeued: event("MessageRequeued", { nextAttemptAt, by }),
  MessageSuppressed: event("MessageSuppressed", { baseAddress: z.string(), suppression: eventReference, callId }),
  MessageFailed: event("MessageFailed", { reason: z.string(), by, callId }),
  MessageCanceled: event("MessageCanceled", { by, callId }),
  DsnReceived: event("DsnReceived", {
    ...feedback,
    isDsn: z.boolean(),
    action: z.enum(["failed", "delayed", "delivered", "relayed", "expanded", "unrecognized"]),
    code: z.int(),
    enhancedCode: z.string(),
    error: z.string(),
    remoteHost: z.string(),
    bounce,
    suppress: suppressionDecision.nullable(),
    callId,
  }),
  ComplaintReceived: event("ComplaintReceived", { ...feedback, feedbackType: z.string(), suppress: z.boolean(), callId }),
  MessageRetired: event("MessageRetired", { keepUntil: ms }),
  MessageRemoved: event("MessageRemoved", {}),
};
