/** What happens to a submitted message between its first octet and the reply to its final dot. */
import { isAscii } from "node:buffer";

import type { SMTPServerDataStream, SMTPServerSession } from "smtp-server";

import type { Clock } from "../../../domain/clock.ts";
import { type Content, contentSize } from "../../../domain/event-log.ts";
import type { Submission, SubmissionRefusal, Submit } from "../../../domain/submission/submission.ts";
import { BARE_LINE_END, type Refusal } from "../refusal.ts";
import { readIncoming } from "../mx/incoming.ts";
import { NO_ROOM, type Room, type Share, shareOf } from "../room.ts";
import { hasBareLineEnd } from "../strict-server.ts";
import { receivedField } from "../trace.ts";
import { bodyFaults } from "./body-faults.ts";
import { type Envelope, senderNeedsUtf8 } from "./envelope.ts";
import { submittedHeader, type SubmittedHeader } from "./header.ts";

export type TakeTerms = {
  /** Name in Received fields. */
  readonly hostName: string;
  readonly clock: Pick<Clock, "now">;
  /** Octets. */
  readonly maxMessageSize: number;
  readonly submit: Submit;
  /** Puts DKIM signatures in front; the domain is that of the From address. Without it, messages go unsigned. */
  readonly sign?: ((content: Content, domain: string) => Promise<Content>) | undefined;
  /** With its angle brackets. */
  readonly newMessageId: () => string;
  /** For messages that come in at the same time. */
  readonly room: Room;
};

/** `tooLarge` is for the library to answer, which announced the size. */
export type Taken =
  | { readonly kind: "accepted"; readonly ids: readonly number[] }
  | { readonly kind: "tooLarge" }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** Octets of a header. RFC 5321 sets no limit; nobody's list of fields needs more. */
const MAX_HEADER_OCTETS = 256 * 1_024;
/** Up to here a message is stored in one piece: one copy costs less than several pieces. */
const JOINED_OCTETS = 64 * 1_024;

const LARGE_HEADER: Refusal = { code: 552, enhancedCode: "5.3.4", text: `The header has more than ${MAX_HEADER_OCTETS} octets` };

/** The class says whether trying again can help: limits are of a day. */
const REFUSALS: Readonly<Record<SubmissionRefusal["reason"], { readonly code: number; readonly enhancedCode: string }>> = {
  badFrom: { code: 550, enhancedCode: "5.7.1" },
  domainDisabled: { code: 550, enhancedCode: "5.7.1" },
  noRecipients: { code: 554, enhancedCode: "5.5.1" },
  messageLimitReached: { code: 452, enhancedCode: "4.7.1" },
  recipientLimitReached: { code: 452, enhancedCode: "4.7.1" },
  fromIdImpossible: { code: 554, enhancedCode: "5.5.4" },
};

type Read =
  | { readonly kind: "read"; readonly header: SubmittedHeader; readonly body: Content; readonly eightBit: boolean }
  | Extract<Taken, { kind: "tooLarge" | "refused" }>;

const refused = (refusal: Refusal): Extract<Taken, { kind: "refused" }> => ({ kind: "refused", refusal });

/** Reads a message to its end. */
const read = async (
  stream: SMTPServerDataStream,
  { wishes }: Envelope,
  { clock, maxMessageSize, newMessageId }: TakeTerms,
  share: Share,
): Promise<Read> => {
  const found: { header: SubmittedHeader | Refusal; eightBit: boolean } = { header: LARGE_HEADER, eightBit: false };
  const faults = bodyFaults();
  const reader = {
    header: async (octets: Buffer): Promise<boolean> => {
      found.header = submittedHeader(octets, { now: clock.now(), smtpUtf8: wishes.smtpUtf8, newMessageId });
      return !("code" in found.header);
    },
    body: (octets: Buffer): void => {
      found.eightBit ||= !isAscii(octets);
      faults.look(octets);
    },
  };
  const incoming = await readIncoming(stream, reader, { message: maxMessageSize, header: MAX_HEADER_OCTETS }, share);
  if (hasBareLineEnd(stream)) return refused(BARE_LINE_END);
  if (incoming.kind === "tooLarge") return { kind: "tooLarge" };
  if (incoming.kind === "noRoom") return refused(NO_ROOM);
  const { header, eightBit } = found;
  if ("code" in header) return refused(header);
  if (incoming.kind !== "whole") return refused(LARGE_HEADER);
  const fault = faults.refusal();
  if (fault !== undefined) return refused(fault);
  return { kind: "read", header, body: incoming.body, eightBit: eightBit || header.needsUtf8 };
};

/** Memory of its own, so that it can change hands. */
const joined = (pieces: readonly Uint8Array[]): Buffer => {
  const piece = Buffer.allocUnsafeSlow(contentSize(pieces));
  let at = 0;
  for (const part of pieces) {
    piece.set(part, at);
    at += part.byteLength;
  }
  return piece;
};

/**
 * RFC 5321 section 4.4: where the message came in, the client's address with it, as other servers
 * for submission do. Recipients are not named, since blind copies are among them. Protocols are those of RFC 3848 and RFC
 * 6531 section 4.3.
 */
const received = (session: SMTPServerSession, { wishes }: Envelope, { hostName, clock }: TakeTerms): string => {
  const { remoteAddress, transmissionType, id, transaction, hostNameAppearsAs: helo } = session;
  const protocol = wishes.smtpUtf8 ? transmissionType.replace("ESMTP", "UTF8SMTP") : transmissionType;
  const facts = { helo, remoteAddress, hostName, protocol, id: `${id}.${transaction}`, receivedAt: clock.now() };
  return receivedField({ ...facts, recipients: [] });
};

const contentOf = async (trace: string, { header, body }: Extract<Read, { kind: "read" }>, { sign }: TakeTerms): Promise<Content> => {
  const unsigned = [joined([Buffer.from(trace), header.text, Buffer.from("\r\n")]), ...body];
  const content = sign === undefined ? unsigned : await sign(unsigned, header.from.domain);
  return contentSize(content) <= JOINED_OCTETS ? [joined(content)] : content;
};

const submissionOf = (envelope: Envelope, { header, eightBit }: Extract<Read, { kind: "read" }>, content: Content): Submission => {
  const { login, wishes, mailFrom } = envelope;
  const { from, messageId, subject, extra, tlsNotRequired, needsUtf8 } = header;
  const recipients = [...envelope.recipients.values()];
  const { returnContent, envelopeId, releaseAt } = wishes;
  return {
    ...{ source: "smtp", account: login.account, login: login.address, from, content, messageId, subject, extra, releaseAt, eightBit },
    recipients: recipients.map(({ address }) => address),
    // RFC 8689 section 5: who asks for both gets TLS.
    requireTls: wishes.requireTls ? true : tlsNotRequired ? false : null,
    smtpUtf8: needsUtf8 || senderNeedsUtf8(envelope),
    envelope: {
      ...{ mailFrom, envelopeId, returnContent },
      wishes: recipients.map(({ notify, originalRecipient }) => ({ notify, originalRecipient })),
    },
  };
};

/**
 * Reads a message, completes it and queues it. `accepted` = stored durably. Rejects when the client leaves in the middle,
 * or when the store is out of order.
 */
export const takeSubmission = async (
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  envelope: Envelope,
  terms: TakeTerms,
): Promise<Taken> => {
  const share = shareOf(terms.room);
  try {
    const message = await read(stream, envelope, terms, share);
    if (message.kind !== "read") return message;
    const content = await contentOf(received(session, envelope, terms), message, terms);
    const result = await terms.submit(submissionOf(envelope, message, content));
    if (result.accepted) return { kind: "accepted", ids: result.queued.map(({ id }) => id) };
    const { reason, detail } = result.refusal;
    return refused({ ...REFUSALS[reason], text: detail });
  } finally {
    share.give();
  }
};
