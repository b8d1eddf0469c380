/** The JSON body of an incoming webhook call: names and order are the public contract of webhooks v0. */
import type { NameAddress } from "../../domain/message/events.ts";
import type { IncomingPayload } from "../../domain/webhook/events.ts";
import { unicodeAddress, unicodeDomain } from "../../domain/unicode-address.ts";
import type { MailReading, PartStructure } from "../mime/reader/mail-reading.ts";

const addresses = (list: readonly NameAddress[]) => list.map(({ name, address }) => ({ Name: name, Address: unicodeAddress(address) }));

type WireStructure = {
  readonly ContentType: string;
  readonly ContentTypeParams: Readonly<Record<string, string>>;
  readonly ContentID: string;
  readonly ContentDisposition: string;
  readonly Filename: string;
  readonly DecodedSize: number;
  readonly Parts: readonly WireStructure[];
};

const structure = (part: PartStructure): WireStructure => ({
  ContentType: part.contentType,
  ContentTypeParams: part.contentTypeParams,
  ContentID: part.contentId,
  ContentDisposition: part.contentDisposition,
  Filename: part.filename,
  DecodedSize: part.decodedSize,
  Parts: part.parts.map(structure),
});

/** Every field is there: lists are `[]` and texts `""` when empty; only `Date` may be null. */
export const incomingBody = (payload: IncomingPayload, { header, text, html, structure: parts }: MailReading): string =>
  JSON.stringify({
    Version: 0,
    From: addresses(header.from),
    To: addresses(header.to),
    CC: addresses(header.cc),
    BCC: addresses(header.bcc),
    ReplyTo: addresses(header.replyTo),
    Subject: header.subject,
    MessageID: header.messageId,
    InReplyTo: header.inReplyTo,
    References: header.references,
    Date: header.date === null ? null : new Date(header.date).toISOString(),
    Text: text,
    HTML: html,
    Structure: structure(parts),
    Meta: {
      MsgID: payload.receivedId,
      MailFrom: unicodeAddress(payload.mailFrom),
      MailFromValidated: payload.mailFromValidated,
      MsgFromValidated: payload.msgFromValidated,
      RcptTo: unicodeAddress(payload.recipient),
      DKIMVerifiedDomains: payload.dkimVerifiedDomains.map(unicodeDomain),
      RemoteIP: payload.remoteAddress,
      Received: new Date(payload.receivedAt).toISOString(),
      MailboxName: payload.mailbox,
      Automated: payload.automated,
    },
  });
