/** One message from the internet, from its first octet to the reply to its final dot. */
import type { SMTPServerDataStream, SMTPServerSession } from "smtp-server";

import type { Clock } from "../../../domain/clock.ts";
import { CONTENT_PIECE, contentSize, type Content } from "../../../domain/event-log.ts";
import type { Report } from "../../../domain/received/report.ts";
import type { Sender, SenderCheck, SenderVerdict } from "../../mail-auth/sender-checks.ts";
import type { MailHeader } from "../../mime/reader/mail-reading.ts";
import { BARE_LINE_END, HEADER_TOO_LARGE, type Refusal } from "../refusal.ts";
import { NO_ROOM, type Room, shareOf } from "../room.ts";
import { hasBareLineEnd } from "../strict-server.ts";
import { receivedField, returnPathField } from "../trace.ts";
import { isNotTheirs } from "./forged-results.ts";
import { MAX_HEADER_OCTETS } from "./header-fields.ts";
import { readIncoming } from "./incoming.ts";
import { judgeHeader, type JudgedHeader } from "./judge-header.ts";
import type { OwnRecipient } from "./own-addresses.ts";

/** A message that is taken, as it will be stored. */
export type TakenMail = {
  /** Canonical; empty for the null reverse path. */
  readonly mailFrom: string;
  readonly recipients: readonly OwnRecipient[];
  /** With the fields that its arrival adds in front. Nobody else holds its memory. */
  readonly content: Content;
  readonly remoteAddress: string;
  /** Of the header, decoded; empty when missing. */
  readonly from: string;
  readonly subject: string;
  readonly messageId: string;
  /** Junk is what its From domain asks to be treated with suspicion. */
  readonly mailbox: "Inbox" | "Junk";
  readonly mailFromValidated: boolean;
  readonly msgFromValidated: boolean;
  readonly dkimVerifiedDomains: readonly string[];
  readonly automated: boolean;
  readonly report: Report | null;
};

/** What became of a message whose content came in; few words, for a metric. */
export type TakeResult = "accepted" | "junk" | "policy" | "undecided" | "malformed" | "loop" | "too_large" | "no_room";

export type TakeAnswer = { readonly result: TakeResult; readonly refusal?: Refusal };

export type TakeOptions = {
  readonly hostName: string;
  readonly clock: Clock;
  /** Octets. */
  readonly maxMessageSize: number;
  /** For messages that come in at the same time. */
  readonly room: Room;
  /** What is done with mail that fails a From domain's policy of `reject`: refused, or stored in Junk. */
  readonly dmarc: "reject" | "mark";
  readonly checks: (sender: Sender) => SenderCheck;
  readonly readHeader: (octets: Uint8Array) => MailHeader;
  readonly isAutomated: (mailFrom: string, header: MailHeader, contentType: string) => boolean;
  readonly parseReport: (content: Content) => Promise<Report | null>;
  /** Resolves when the message is stored durably. */
  readonly store: (mail: TakenMail) => Promise<void>;
};

type Fine = Extract<JudgedHeader, { kind: "fine" }>;

const POLICY: Refusal = {
  code: 550,
  enhancedCode: "5.7.1",
  text: "Not proved to be from its From domain, whose DMARC policy is to reject it",
};
const UNDECIDED: Refusal = {
  code: 451,
  enhancedCode: "4.7.5",
  text: "The DNS does not say whether this is from its From domain, try again later",
};

const senderOf = (session: SMTPServerSession): string => {
  const { mailFrom } = session.envelope;
  return mailFrom === false ? "" : mailFrom.address;
};

const traceFacts = (session: SMTPServerSession, recipients: readonly OwnRecipient[], { hostName, clock }: TakeOptions) => {
  const { remoteAddress, transmissionType, id, transaction, tlsOptions, envelope } = session;
  return {
    mailFrom: senderOf(session),
    recipients: recipients.map(({ address }) => address),
    helo: session.hostNameAppearsAs,
    remoteAddress,
    hostName,
    // RFC 6531 section 4.3.
    protocol: envelope.smtpUtf8 === true ? transmissionType.replace(/^E?SMTP/u, "UTF8SMTP") : transmissionType,
    tls: tlsOptions === false ? undefined : { cipher: tlsOptions.standardName, version: tlsOptions.version },
    id: `${id}.${transaction}`,
    receivedAt: clock.now(),
  };
};

const LINE_END = Buffer.from("\r\n");

/** The message as it is kept: new fields, then the old ones but those that are not for others to write, then the body. */
const contentWith = (added: string, { fields }: Fine, body: Content, hostName: string): Content => {
  const kept = fields.filter((field) => !isNotTheirs(field, hostName)).flatMap(({ octets }) => [octets, LINE_END]);
  const head = [Buffer.from(added), ...kept, LINE_END];
  const size = contentSize(head) + contentSize(body);
  const isSmall = size <= CONTENT_PIECE;
  const first = new Uint8Array(isSmall ? size : contentSize(head));
  let at = 0;
  for (const piece of isSmall ? [...head, ...body] : head) {
    first.set(piece, at);
    at += piece.byteLength;
  }
  return isSmall ? [first] : [first, ...body];
};

const refused = (result: TakeResult, refusal: Refusal): TakeAnswer => ({ result, refusal });

/** What the authors' domains ask for, as far as it is followed (RFC 7489 section 6.6.4, RFC 9989). */
const byPolicy = ({ policy, isUndecided }: SenderVerdict, dmarc: TakeOptions["dmarc"]): TakeAnswer | "Inbox" | "Junk" => {
  if (policy === "none") return "Inbox";
  if (policy === "quarantine" || dmarc === "mark") return isUndecided ? "Inbox" : "Junk";
  return isUndecided ? refused("undecided", UNDECIDED) : refused("policy", POLICY);
};

type Received = { readonly judged: Fine; readonly body: Content; readonly verdict: SenderVerdict };

const storeIt = async (
  { judged, body, verdict }: Received,
  session: SMTPServerSession,
  recipients: readonly OwnRecipient[],
  options: TakeOptions,
): Promise<TakeAnswer> => {
  const mailbox = byPolicy(verdict, options.dmarc);
  if (typeof mailbox !== "string") return mailbox;
  const { header, contentType } = judged;
  const facts = traceFacts(session, recipients, options);
  const added = returnPathField(facts.mailFrom) + verdict.fields + receivedField(facts);
  const content = contentWith(added, judged, body, options.hostName);
  await options.store({
    mailFrom: facts.mailFrom,
    recipients,
    content,
    remoteAddress: facts.remoteAddress,
    from: header.from[0]?.address ?? "",
    subject: header.subject,
    messageId: header.messageId,
    mailbox,
    mailFromValidated: verdict.mailFromValidated,
    msgFromValidated: verdict.msgFromValidated,
    dkimVerifiedDomains: verdict.dkimVerifiedDomains,
    automated: options.isAutomated(facts.mailFrom, header, contentType),
    report: contentType.startsWith("multipart/") ? await options.parseReport(content) : null,
  });
  return { result: mailbox === "Junk" ? "junk" : "accepted" };
};

/**
 * Reads a message, checks it meanwhile, and hands it on to be stored for all its recipients at once. Rejects when the
 * client leaves in the middle, or when it cannot be stored.
 */
export const takeMail = async (
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  recipients: readonly OwnRecipient[],
  options: TakeOptions,
): Promise<TakeAnswer> => {
  const check = options.checks({
    remoteAddress: session.remoteAddress,
    helo: session.hostNameAppearsAs,
    mailFrom: senderOf(session),
  });
  let judged: JudgedHeader | undefined;
  const reader = {
    header: async (octets: Buffer) => {
      judged = judgeHeader(octets, options.readHeader);
      if (judged.kind === "fine") await check.header(judged.fields, judged.authors);
      return judged.kind === "fine";
    },
    body: check.body,
  };
  const share = shareOf(options.room);
  try {
    const incoming = await readIncoming(stream, reader, { message: options.maxMessageSize, header: MAX_HEADER_OCTETS }, share);
    if (hasBareLineEnd(stream)) return refused("malformed", BARE_LINE_END);
    // The library, which announced the size, answers by itself.
    if (incoming.kind === "tooLarge") return { result: "too_large" };
    if (incoming.kind === "noRoom") return refused("no_room", NO_ROOM);
    if (incoming.kind === "headerTooLarge") return refused("malformed", HEADER_TOO_LARGE);
    if (judged?.kind === "refused") return refused(judged.result, judged.refusal);
    if (incoming.kind !== "whole" || judged === undefined) throw new Error("a message ended without a header");
    return await storeIt({ judged, body: incoming.body, verdict: await check.verdict() }, session, recipients, options);
  } finally {
    share.give();
    check.end();
  }
};
