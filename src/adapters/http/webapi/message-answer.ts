/** A message in a mailbox as MessageGet answers it (webapi v0). */
import type { Instant } from "../../../domain/clock.ts";
import type { NameAddress } from "../../../domain/message/events.ts";
import type { KeptMessage } from "../../../domain/received/mailboxes.ts";
import { unicodeAddress, unicodeDomain } from "../../../domain/unicode-address.ts";
import type { MailReading, PartStructure } from "../../mime/reader/mail-reading.ts";
import type { MessageAnswer, WireStructure } from "./message-schema.ts";

const addresses = (list: readonly NameAddress[]) => list.map(({ name, address }) => ({ Name: name, Address: unicodeAddress(address) }));

const FIRST_AT = Date.UTC(1, 0, 1);
const LAST_AT = Date.UTC(9999, 11, 31, 23, 59, 59);

/** RFC 3339 knows years of four digits. */
const dateText = (at: Instant | null): string | null => (at === null || at < FIRST_AT || at > LAST_AT ? null : new Date(at).toISOString());

/**
 * All words, as in mox, also those that are no ids. In-Reply-To is an older and weaker way to say what References says: it
 * comes first if it says more.
 */
const references = ({ referenceWords: words, inReplyTo }: MailReading["header"]): string[] =>
  inReplyTo === "" || words.includes(inReplyTo) ? [...words] : [inReplyTo, ...words];

const structure = (part: PartStructure): WireStructure => ({
  ContentType: part.contentType,
  ContentTypeParams: part.contentTypeParams,
  ContentID: part.contentId,
  ContentDisposition: part.contentDisposition,
  Filename: part.filename,
  DecodedSize: part.decodedSize,
  Parts: part.parts.map(structure),
});

/** What MessageGet answers. */
export const answerOf = (message: KeptMessage, { header, text, html, structure: root }: MailReading): MessageAnswer => ({
  Message: {
    From: addresses(header.from),
    To: addresses(header.to),
    CC: addresses(header.cc),
    BCC: addresses(header.bcc),
    ReplyTo: addresses(header.replyTo),
    MessageID: header.messageId,
    References: references(header),
    Date: dateText(header.date),
    Subject: header.subject,
    Text: text,
    HTML: html,
  },
  Structure: structure(root),
  Meta: {
    Size: message.size,
    DSN: message.origin === "report" || message.report?.kind === "dsn",
    Flags: [...message.flags],
    MailFrom: unicodeAddress(message.mailFrom),
    MailFromValidated: message.mailFromValidated,
    RcptTo: unicodeAddress(message.recipient),
    MsgFrom: unicodeAddress(message.from),
    MsgFromValidated: message.msgFromValidated,
    DKIMVerifiedDomains: message.dkimVerifiedDomains.map(unicodeDomain),
    RemoteIP: message.remoteAddress,
    MailboxName: message.mailbox,
  },
});
