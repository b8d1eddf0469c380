/** What happens to a message between its first octet and the reply to its final dot. */
import type { SMTPServerDataStream, SMTPServerSession } from "smtp-server";

import { parseAddress } from "../../domain/address.ts";
import type { Clock } from "../../domain/clock.ts";
import { joinContent } from "../../domain/content.ts";
import type { Content } from "../../domain/event-log.ts";
import type { MailHeader } from "../mime/reader/mail-reading.ts";
import { MAX_HEADER_OCTETS } from "./mx/header-fields.ts";
import { readIncoming } from "./mx/incoming.ts";
import { judgeHeader, type JudgedHeader } from "./mx/judge-header.ts";
import { BARE_LINE_END, HEADER_TOO_LARGE, type Refusal } from "./refusal.ts";
import { NO_ROOM, type Room, type Share, shareOf } from "./room.ts";
import { type Simulated, simulationOf } from "./simulation.ts";
import { hasBareLineEnd } from "./strict-server.ts";
import { traceFields } from "./trace.ts";

/** A message as it came in, with the fields that its arrival adds in front (RFC 5321 section 4.4). */
export type Arrival = {
  /** Canonical envelope addresses; `mailFrom` is empty for the null reverse path. */
  readonly mailFrom: string;
  readonly recipients: readonly string[];
  /** Nobody else holds its memory. */
  readonly content: Content;
  readonly remoteAddress: string;
  readonly helo: string;
  readonly smtpUtf8: boolean;
  /** Address, subject and Message-ID of the header, decoded; empty when missing. */
  readonly from: string;
  readonly subject: string;
  readonly messageId: string;
};

/** What the client is told. */
export type ArrivalAnswer = { readonly accepted: true } | ({ readonly accepted: false } & Refusal);

export type IntakeOptions = {
  /** Name in Received fields. */
  readonly hostName: string;
  readonly clock: Clock;
  /** Octets. */
  readonly maxMessageSize: number;
  /** For messages that come in at the same time. */
  readonly room: Room;
  readonly readHeader: (octets: Uint8Array) => MailHeader;
  /** Resolves when the message is stored durably, or with why it is not. */
  readonly onMessage: (arrival: Arrival) => Promise<ArrivalAnswer>;
};

/** `tooLarge` is for the library to answer, which announced the size. */
export type Taken =
  { readonly kind: "accepted" } | { readonly kind: "tooLarge" } | { readonly kind: "refused"; readonly refusal: Refusal } | Simulated;

const LINE_END = Buffer.from("\r\n");

/** An address that is none to us (`postmaster`) stays as it came. */
const canonical = (address: string): string => parseAddress(address)?.text ?? address;

type Header = { readonly octets: Buffer; readonly judged: JudgedHeader };

type Fine = Extract<JudgedHeader, { kind: "fine" }>;

const arrivalOf = (
  session: SMTPServerSession,
  { octets, header }: { readonly octets: Buffer; readonly header: Fine["header"] },
  body: Content,
  { hostName, clock }: IntakeOptions,
): Arrival => {
  const { envelope, remoteAddress, transmissionType, id, transaction } = session;
  const smtpUtf8 = envelope.smtpUtf8 === true;
  const facts = {
    mailFrom: envelope.mailFrom ? envelope.mailFrom.address : "",
    recipients: envelope.rcptTo.map(({ address }) => canonical(address)),
    remoteAddress,
    helo: session.hostNameAppearsAs,
  };
  const protocol = smtpUtf8 ? "UTF8SMTP" : transmissionType;
  const trace = traceFields({ ...facts, hostName, protocol, id: `${id}.${transaction}`, receivedAt: clock.now() });
  const { from, subject, messageId } = header;
  const content = [joinContent([Buffer.from(trace), octets, LINE_END]), ...body];
  return { ...facts, from: from[0]?.address ?? "", subject, messageId, smtpUtf8, content };
};

const refusedWith = (refusal: Refusal): Taken => ({ kind: "refused", refusal });

/** The header is judged as that of mail from other servers: what an application learns here must hold there. */
const take = async (stream: SMTPServerDataStream, session: SMTPServerSession, options: IntakeOptions, share: Share): Promise<Taken> => {
  const found: { header?: Header } = {};
  const reader = {
    header: async (octets: Buffer) => {
      found.header = { octets, judged: judgeHeader(octets, options.readHeader) };
      return found.header.judged.kind === "fine";
    },
    body: () => undefined,
  };
  const incoming = await readIncoming(stream, reader, { message: options.maxMessageSize, header: MAX_HEADER_OCTETS }, share);
  if (hasBareLineEnd(stream)) return refusedWith(BARE_LINE_END);
  if (incoming.kind === "tooLarge") return { kind: "tooLarge" };
  if (incoming.kind === "noRoom") return refusedWith(NO_ROOM);
  for (const { address } of session.envelope.rcptTo) {
    const simulated = simulationOf(address, "data");
    if (simulated !== undefined) return simulated;
  }
  const { header } = found;
  if (header?.judged.kind === "refused") return refusedWith(header.judged.refusal);
  if (header === undefined || incoming.kind !== "whole") return refusedWith(HEADER_TOO_LARGE);
  const answer = await options.onMessage(
    arrivalOf(session, { octets: header.octets, header: header.judged.header }, incoming.body, options),
  );
  return answer.accepted ? { kind: "accepted" } : refusedWith(answer);
};

/**
 * Reads a message, looks at it and hands it on. With several recipients, one that fails on purpose fails all: SMTP has one
 * reply for them. Rejects when the client leaves in the middle, or when `onMessage` does.
 */
export const takeMessage = async (stream: SMTPServerDataStream, session: SMTPServerSession, options: IntakeOptions): Promise<Taken> => {
  const share = shareOf(options.room);
  try {
    return await take(stream, session, options, share);
  } finally {
    share.give();
  }
};
