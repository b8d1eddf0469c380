/** Requests and answers of the methods on messages in mailboxes, on the wire. */
import { z } from "zod";
import { wireInteger } from "../wire-types.ts";

const msgId = wireInteger.describe("Of a message in one of the account's mailboxes: from an incoming webhook call.");

export const messageRequest = z.strictObject({ MsgID: msgId });

export const partRequest = z.strictObject({
  MsgID: msgId,
  PartPath: z.array(wireInteger).describe("Index into Parts on each level of Structure, from 0. Empty: the message's own part."),
});

export const flagsRequest = z.strictObject({
  MsgID: msgId,
  Flags: z
    .array(z.string())
    .describe(
      "System flags such as \\seen, \\answered, \\flagged, and keywords such as $forwarded, $junk or your own; case does not matter.",
    ),
});

export const moveRequest = z.strictObject({
  MsgID: msgId,
  DestMailboxName: z.string().describe("Inbox, Drafts, Sent, Archive, Trash or Junk."),
});

const nameAddresses = z.array(z.object({ Name: z.string(), Address: z.string() }));

export type WireStructure = {
  readonly ContentType: string;
  readonly ContentTypeParams: Readonly<Record<string, string>>;
  readonly ContentID: string;
  readonly ContentDisposition: string;
  readonly Filename: string;
  readonly DecodedSize: number;
  readonly Parts: readonly WireStructure[];
};

export const messageAnswer = z.object({
  Message: z.object({
    From: nameAddresses,
    To: nameAddresses,
    CC: nameAddresses,
    BCC: nameAddresses,
    ReplyTo: nameAddresses,
    MessageID: z.string(),
    References: z.array(z.string()),
    Date: z.string().nullable(),
    Subject: z.string(),
    Text: z.string(),
    HTML: z.string(),
  }),
  Structure: z
    .custom<WireStructure>()
    .describe("The MIME parts: {ContentType, ContentTypeParams, ContentID, ContentDisposition, Filename, DecodedSize, Parts}."),
  Meta: z.object({
    Size: z.int(),
    DSN: z.boolean(),
    Flags: z.array(z.string()),
    MailFrom: z.string(),
    MailFromValidated: z.boolean(),
    RcptTo: z.string(),
    MsgFrom: z.string(),
    MsgFromValidated: z.boolean(),
    DKIMVerifiedDomains: z.array(z.string()),
    RemoteIP: z.string(),
    MailboxName: z.string(),
  }),
});

export type MessageAnswer = z.output<typeof messageAnswer>;

const EXAMPLE_PART: WireStructure = {
  ContentType: "text/plain",
  ContentTypeParams: { charset: "utf-8" },
  ContentID: "",
  ContentDisposition: "",
  Filename: "",
  DecodedSize: 17,
  Parts: [],
};

export const exampleMessage: MessageAnswer = {
  Message: {
    From: [{ Name: "A Customer", Address: "customer@example.com" }],
    To: [{ Name: "Example Shop", Address: "shop@example.org" }],
    CC: [],
    BCC: [],
    ReplyTo: [],
    MessageID: "<5b1c7f5e@example.com>",
    References: ["<Qf3o1hYxT2mJ9ZkVq0b7Lw@mail.example.org>"],
    Date: "2026-06-01T12:00:00.000Z",
    Subject: "Re: Your order is on its way",
    Text: "It has arrived.\n",
    HTML: "",
  },
  Structure: EXAMPLE_PART,
  Meta: {
    Size: 1204,
    DSN: false,
    Flags: ["\\seen", "handled"],
    MailFrom: "customer@example.com",
    MailFromValidated: true,
    RcptTo: "shop@example.org",
    MsgFrom: "customer@example.com",
    MsgFromValidated: true,
    DKIMVerifiedDomains: ["example.com"],
    RemoteIP: "203.0.113.9",
    MailboxName: "Inbox",
  },
};

export const EXAMPLE_RAW = `Received: from mail.example.com by mail.example.org; Mon, 01 Jun 2026 12:00:01 +0000
From: A Customer <customer@example.com>
To: Example Shop <shop@example.org>
Subject: Re: Your order is on its way
Content-Type: text/plain; charset=utf-8

It has arrived.
`;
