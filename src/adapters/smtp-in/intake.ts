/** What happens to a message between its first octet and the reply to its final dot. */
import { once } from "node:events";

import type { SMTPServerDataStream, SMTPServerSession } from "smtp-server";

import { parseAddress } from "../../domain/address.ts";
import type { Clock } from "../../domain/clock.ts";
import { type ContentGatherer, gatherContent } from "../../domain/content.ts";
import type { Content } from "../../domain/event-log.ts";
import { type HeaderReader, headerSummary } from "./header-summary.ts";
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

/** A refusal. `enhancedCode` has its class, such as `5.2.2`. */
export type Refusal = { readonly code: number; readonly enhancedCode: string; readonly text: string };

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
  readonly readHeader: HeaderReader;
  /** Resolves when the message is stored durably, or with why it is not. */
  readonly onMessage: (arrival: Arrival) => Promise<ArrivalAnswer>;
};

/** `tooLarge` is for the library to answer, which announced the size. */
export type Taken =
  { readonly kind: "accepted" } | { readonly kind: "tooLarge" } | { readonly kind: "refused"; readonly refusal: Refusal } | Simulated;

/** RFC 5321 section 6.3 suggests this limit for Received fields. */
const MAX_HOPS = 100;

const BARE_LINE_END: Refusal = { code: 554, enhancedCode: "5.6.0", text: "The message has a CR or LF that stands alone" };
const LOOP: Refusal = { code: 554, enhancedCode: "5.4.6", text: "The message goes round in circles: too many Received fields" };

/** The library writes domains as U-labels. An address that is none to us (`postmaster`) stays as it came. */
export const canonical = (address: string): string => parseAddress(address)?.text ?? address;

type Unkept = "tooLarge" | "noRoom";

/**
 * The whole content, or why it was not kept: read to its end whatever is found, because a client hears nothing before its
 * final dot. Rejects when the client leaves.
 */
const contentOf = async (stream: SMTPServerDataStream, maxOctets: number, share: Share): Promise<Content | Unkept> => {
  const kept: { content: ContentGatherer | Unkept; octets: number } = { content: gatherContent(), octets: 0 };
  const stop = (why: Unkept): void => {
    kept.content = why;
    share.give();
  };
  stream.on("data", (chunk: Buffer) => {
    kept.octets += chunk.length;
    if (kept.octets > maxOctets) stop("tooLarge");
    else if (typeof kept.content === "string") return;
    else if (share.take(chunk.length)) kept.content.use(chunk);
    else stop("noRoom");
  });
  await once(stream, "end");
  return typeof kept.content === "string" ? kept.content : kept.content.content();
};

const arrivalOf = (session: SMTPServerSession, body: Content, { hostName, clock, readHeader }: IntakeOptions): Arrival | undefined => {
  // The first piece is longer than what is read of a header, or all there is.
  const { hops, ...summary } = headerSummary(readHeader, body[0]);
  if (hops > MAX_HOPS) return undefined;
  const { envelope, remoteAddress, transmissionType, id, transaction } = session;
  const smtpUtf8 = envelope.smtpUtf8 === true;
  const facts = {
    mailFrom: envelope.mailFrom ? canonical(envelope.mailFrom.address) : "",
    recipients: envelope.rcptTo.map(({ address }) => canonical(address)),
    remoteAddress,
    helo: session.hostNameAppearsAs,
  };
  const protocol = smtpUtf8 ? "UTF8SMTP" : transmissionType;
  const trace = traceFields({ ...facts, hostName, protocol, id: `${id}.${transaction}`, receivedAt: clock.now() });
  return { ...facts, ...summary, smtpUtf8, content: [Buffer.from(trace), ...body] };
};

const take = async (stream: SMTPServerDataStream, session: SMTPServerSession, options: IntakeOptions, share: Share): Promise<Taken> => {
  const body = await contentOf(stream, options.maxMessageSize, share);
  if (hasBareLineEnd(stream)) return { kind: "refused", refusal: BARE_LINE_END };
  if (body === "tooLarge") return { kind: "tooLarge" };
  if (body === "noRoom") return { kind: "refused", refusal: NO_ROOM };
  for (const { address } of session.envelope.rcptTo) {
    const simulated = simulationOf(address, "data");
    if (simulated !== undefined) return simulated;
  }
  const arrival = arrivalOf(session, body, options);
  if (arrival === undefined) return { kind: "refused", refusal: LOOP };
  const answer = await options.onMessage(arrival);
  return answer.accepted ? { kind: "accepted" } : { kind: "refused", refusal: answer };
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
