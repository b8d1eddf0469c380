/**
 * Writes DSNs for senders: multipart/report with plain words, the fields of RFC 3464 and what is returned of the message,
 * in the types of RFC 6533 where an address or the returned header needs UTF-8.
 */
import MimeNode from "nodemailer/lib/mime-node";
import { gatherContent } from "../../domain/content.ts";
import type { SenderNotice } from "../../domain/message/sender-notice.ts";
import type { StoredContent } from "../../domain/event-log.ts";
import type { SenderReport, SenderReports } from "../../domain/reactions/report-to-sender.ts";
import { deliveryStatus, isInternationalNotice } from "./dsn-fields.ts";
import { noticeSubject, noticeText } from "./dsn-text.ts";
import { headerDate, headerField, unstructured } from "./header-text.ts";
import { textPart } from "./text-part.ts";

export type SenderReportsOptions = {
  /** Name of this server: Reporting-MTA, and the domain of the report's sender. */
  readonly hostName: string;
  /** Unpredictable octets, so many. */
  readonly random: (octets: number) => Uint8Array;
};

/** A larger header is returned up to its last line within this. */
const MAX_HEADER_OCTETS = 64 * 1_024;
/** Of a larger message only the header is returned, also where all of it was asked for. */
export const MAX_RETURNED_OCTETS = 1_024 * 1_024;

const TOKEN_OCTETS = 16;
const HEADER_END = Buffer.from("\r\n\r\n");

/** The beginning of a content, at most so many octets; undefined when it cannot be read, because it was deleted meanwhile. */
const beginning = async ({ pieces }: StoredContent, octets: number): Promise<Buffer | undefined> => {
  const read: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const piece of pieces) {
      read.push(piece);
      size += piece.byteLength;
      if (size >= octets) break;
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(read).subarray(0, octets);
};

/** The header with its last CRLF, without the empty line. */
const headerOf = (content: Buffer): Buffer => {
  const end = content.indexOf(HEADER_END);
  const header = content.subarray(0, end === -1 ? MAX_HEADER_OCTETS : Math.min(end + 2, MAX_HEADER_OCTETS));
  return header.subarray(0, header.lastIndexOf("\r\n") + 2);
};

const isEightBit = (octets: Uint8Array): boolean => octets.some((octet) => octet > 0x7f);

type Part = { readonly type: string; readonly description: string; readonly body: Uint8Array };

const returnedPart = async (original: StoredContent, isFull: boolean): Promise<Part | undefined> => {
  const content = await beginning(original, isFull ? original.size : MAX_HEADER_OCTETS);
  if (content === undefined) return undefined;
  const header = headerOf(content);
  const isUtf8 = isEightBit(header);
  if (isFull) return { type: isUtf8 ? "message/global" : "message/rfc822", description: "Undelivered message", body: content };
  return { type: isUtf8 ? "message/global-headers" : "text/rfc822-headers", description: "Header of the message", body: header };
};

const rawPart = ({ type, description, body }: Part): Buffer => {
  const encoding = isEightBit(body) ? "8bit" : "7bit";
  const header = `Content-Type: ${type}\r\nContent-Description: ${description}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n`;
  return Buffer.concat([Buffer.from(header), body]);
};

/** The multipart/report as nodemailer puts it together, without the header that every message has. */
const reportBody = async (text: string, parts: readonly Part[], boundary: string): Promise<{ boundary: string; body: Buffer }> => {
  const root = new MimeNode("multipart/report", { baseBoundary: boundary, boundaryPrefix: "=_" });
  root.setHeader("Message-ID", "<body@localhost>");
  const words = textPart("plain", text);
  root.createChild().setRaw(`${words.headers}Content-Description: Notification\r\n\r\n${words.body}`);
  for (const part of parts) root.createChild().setRaw(rawPart(part));
  const built = await root.build();
  return { boundary: String(root.boundary), body: built.subarray(built.indexOf(HEADER_END) + HEADER_END.length) };
};

/** A Message-ID of the sender's that may stand in a field of ours. */
const reference = (messageId: string): readonly [string, string][] =>
  /^<[\x21-\x3b\x3d\x3f-\x7e]{1,900}>$/.test(messageId)
    ? [
        ["In-Reply-To", messageId],
        ["References", messageId],
      ]
    : [];

const headerText = (notice: SenderNotice, from: string, subject: string, messageId: string, boundary: string): string => {
  const fields: readonly [name: string, value: string][] = [
    ["Return-Path", "<>"],
    ["From", `Mail delivery <${from}>`],
    ["To", `<${notice.message.mailFrom}>`],
    ["Subject", unstructured(subject)],
    ["Date", headerDate(notice.at, 0)],
    ["Message-ID", messageId],
    ...reference(notice.message.messageId),
    ["Auto-Submitted", "auto-replied"],
    ["MIME-Version", "1.0"],
    ["Content-Type", `multipart/report; report-type=delivery-status; boundary="${boundary}"`],
  ];
  return fields.map(([name, value]) => headerField(name, value) ?? "").join("");
};

/** Builds the writer of reports. */
export const senderReports = ({ hostName, random }: SenderReportsOptions): SenderReports => {
  const token = (): string => Buffer.from(random(TOKEN_OCTETS)).toString("base64url");

  const compose = async (notice: SenderNotice, original: StoredContent | undefined): Promise<SenderReport> => {
    const isFull = notice.action === "failed" && notice.message.returnContent === "full";
    const returned = original && (await returnedPart(original, isFull && original.size <= MAX_RETURNED_OCTETS));
    const status: Part = {
      type: isInternationalNotice(notice) ? "message/global-delivery-status" : "message/delivery-status",
      description: "Delivery status",
      body: Buffer.from(deliveryStatus(notice, hostName)),
    };
    const text = noticeText(notice, hostName);
    const { boundary, body } = await reportBody(text, returned === undefined ? [status] : [status, returned], token());
    const from = `MAILER-DAEMON@${hostName}`;
    const subject = noticeSubject(notice);
    const messageId = `<${token()}@${hostName}>`;
    const content = gatherContent();
    content.add(Buffer.from(`${headerText(notice, from, subject, messageId, boundary)}\r\n`));
    content.add(body);
    return { from, subject, messageId, content: content.content() };
  };

  return { compose };
};
