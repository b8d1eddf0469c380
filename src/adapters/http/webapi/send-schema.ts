/** Request and answer of Send, on the wire. */
import { z } from "zod";
import { decodeBase64, wireTime } from "../wire-types.ts";

const nameAddress = z.strictObject({
  Name: z.string().describe("Display name, optional."),
  Address: z.string().describe("Email address, required."),
});

const file = z.strictObject({
  Name: z.string().describe("File name, optional."),
  ContentType: z.string().describe("Media type such as image/png; detected from the content when empty."),
  ContentID: z.string().describe("For references from HTML, `cid:…`; with or without <>. Optional."),
  // Decoded here, so that the text is gone before the message is composed. Undefined: it was not base64.
  Data: z.string().transform(decodeBase64).describe("The file in base64."),
});

export const sendRequest = z.strictObject({
  From: z.array(nameAddress).describe("At most one. Empty: the login address with the account's full name."),
  To: z.array(nameAddress).describe("Recipients named in the To header. To, CC and BCC have at least one recipient together."),
  CC: z.array(nameAddress).describe("Recipients named in the Cc header."),
  BCC: z.array(nameAddress).describe("Recipients not named in the message."),
  ReplyTo: z.array(nameAddress).describe("Where answers should go."),
  MessageID: z.string().describe("With its <>; generated when empty."),
  References: z.array(z.string()).describe("Message-IDs of earlier messages, oldest first; the last becomes In-Reply-To."),
  Date: wireTime.nullable().describe("Date header; the time of the call when null."),
  Subject: z.string().describe("Subject header, optional."),
  Text: z.string().describe("Plain text, lines end in \\n. At least one of Text and HTML is required."),
  HTML: z.string().describe("HTML, lines end in \\n."),
  Extra: z.record(z.string(), z.string()).describe("Travels with the message through queue and webhooks; not sent."),
  Headers: z.array(z.tuple([z.string(), z.string()])).describe("Further headers, as pairs of name and value."),
  AlternativeFiles: z.array(file).describe("Full alternatives to Text and HTML. Form files: alternativefile."),
  InlineFiles: z.array(file).describe("Shown as part of the message. Form files: inlinefile."),
  AttachedFiles: z.array(file).describe("Attachments. Form files: attachedfile."),
  RequireTLS: z
    .boolean()
    .nullable()
    .describe("true: only over verified TLS. false: TLS policies may be ignored. null: the recipient's policy."),
  FutureRelease: wireTime.nullable().describe("First attempt not before this time, at most 60 days ahead."),
  SaveSent: z.boolean().describe("Keep a copy in the account's Sent mailbox."),
});

export type SendRequest = z.output<typeof sendRequest>;

export const sendAnswer = z.object({
  MessageID: z.string(),
  Submissions: z.array(
    z.object({
      Address: z.string().describe("As given in the request, in the order To, CC, BCC."),
      QueueMsgID: z.int().describe("Names the message in webhook calls."),
      FromID: z.string().describe("Part of a unique MAIL FROM; empty without."),
    }),
  ),
});

export type SendAnswer = z.output<typeof sendAnswer>;

export const exampleSendRequest = {
  From: [{ Name: "Example Shop", Address: "shop@example.org" }],
  To: [{ Name: "", Address: "customer@example.com" }],
  CC: [],
  BCC: [],
  ReplyTo: [],
  MessageID: "",
  References: [],
  Date: null,
  Subject: "Your order is on its way",
  Text: "Hello,\n\nyour order has left our house.\n",
  HTML: "",
  Extra: { order: "1234" },
  Headers: [["X-Example", "value"]],
  AlternativeFiles: [],
  InlineFiles: [],
  AttachedFiles: [{ Name: "hello.txt", ContentType: "text/plain; charset=utf-8", ContentID: "", Data: "aGVsbG8K" }],
  RequireTLS: null,
  FutureRelease: null,
  SaveSent: false,
};

export const exampleSendAnswer: SendAnswer = {
  MessageID: "<Qf3o1hYxT2mJ9ZkVq0b7Lw@mail.example.org>",
  Submissions: [{ Address: "customer@example.com", QueueMsgID: 68719476736, FromID: "" }],
};
