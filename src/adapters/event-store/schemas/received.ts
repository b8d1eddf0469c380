/** Stored form of mail in mailboxes. */
import * as z from "zod";
import { event, identity, ms } from "./event.ts";

const mailbox = z.enum(["Inbox", "Drafts", "Sent", "Archive", "Trash", "Junk"]);

const flags = z.array(z.string());

const returned = z.strictObject({ messageId: z.string() });

const recipientReport = z.strictObject({
  finalRecipient: z.string(),
  originalRecipient: z.string(),
  action: z.enum(["failed", "delayed", "delivered", "relayed", "expanded", "unrecognized"]),
  code: z.int(),
  enhancedCode: z.string(),
  diagnostic: z.string(),
  remoteHost: z.string(),
});

const report = z.union([
  z.strictObject({
    kind: z.literal("dsn"),
    originalEnvelopeId: z.string(),
    reportingHost: z.string(),
    recipients: z.array(recipientReport),
    returned,
  }),
  z.strictObject({
    kind: z.literal("complaint"),
    feedbackType: z.string(),
    originalEnvelopeId: z.string(),
    originalRecipients: z.array(z.string()),
    originalMailFrom: z.string(),
    returned,
  }),
]);

export const receivedSchemas = {
  MessageReceived: event("MessageReceived", {
    id: z.int(),
    account: z.string(),
    mailFrom: z.string(),
    recipient: z.string(),
    contentId: z.int(),
    size: z.int(),
    from: z.string(),
    subject: z.string(),
    messageId: z.string(),
    remoteAddress: z.string(),
    mailbox,
    origin: z.enum(["smtp", "sent", "report"]),
    flags,
    mailFromValidated: z.boolean(),
    msgFromValidated: z.boolean(),
    dkimVerifiedDomains: z.array(z.string()),
    automated: z.boolean(),
    tag: z.string(),
    report: report.nullable(),
    callId: z.int(),
    keepUntil: ms.nullable(),
  }),
  MessageFlagsAdded: event("MessageFlagsAdded", { flags, by: identity }),
  MessageFlagsRemoved: event("MessageFlagsRemoved", { flags, by: identity }),
  MessageMoved: event("MessageMoved", { mailbox, by: identity }),
  MessageDeleted: event("MessageDeleted", { by: identity }),
};
