/**
 * One SMTP transaction. Adds to the library's what deliveries need to know: which recipients were refused with what, and
 * whether the whole message had left when a connection broke.
 */
import type { Duplex, Readable } from "node:stream";

import type { SMTPEnvelope } from "nodemailer/lib/smtp-connection";

import type { Amend, Connection } from "./connection.ts";
import { type DsnWish, recipientParameters, senderParameters } from "./dsn-parameters.ts";
import { type MailContent, pour } from "./mail-content.ts";
import { parseReply, type Reply } from "./reply.ts";
import type { Scope } from "./scope.ts";
import { fromReply, permanent, responseOf, temporary, type Trouble } from "./trouble.ts";

/** What goes into a transaction. `to` holds each address once. */
export type Mail = {
  readonly from: string;
  readonly to: readonly string[];
  readonly content: MailContent;
  readonly eightBit: boolean;
  readonly smtpUtf8: boolean;
  readonly requireTls: boolean;
  readonly envelopeId: string;
  readonly returnContent: "full" | "headers" | null;
  /** What is wished for each address of `to`. */
  readonly dsn: ReadonlyMap<string, DsnWish>;
};

/**
 * How a transaction ended for the recipients that were not refused.
 * - `accepted`: a 2xx reply to the final dot.
 * - `refused`: MAIL FROM, DATA or the final dot was refused, `afterDot` tells the last from the others; or the content could
 *   not be read to its end, which was kept from the server.
 * - `broken`: the connection ended. `dotSent`: the whole message had been handed to the network.
 */
export type TransactionEnd =
  | { readonly kind: "accepted"; readonly reply: Reply }
  | { readonly kind: "refused"; readonly trouble: Trouble; readonly afterDot: boolean }
  | { readonly kind: "broken"; readonly trouble: Trouble; readonly dotSent: boolean };

export type Transaction = {
  /** Replies to RCPT TO that were not 2xx, by address. */
  readonly refused: ReadonlyMap<string, Trouble>;
  readonly end: TransactionEnd;
};

/** Silence allowed at any point, and after the final dot. */
export type TransactionTimeouts = { readonly commandMs: number; readonly finalReplyMs: number };

/** The library fills these in on the envelope that it is given. */
type FilledEnvelope = SMTPEnvelope & { rejectedErrors?: readonly (Error & { recipient?: string; response?: string })[] };

const envelopeOf = (mail: Mail): FilledEnvelope => ({
  from: mail.from,
  to: [...mail.to],
  size: mail.content.size,
  use8BitMime: mail.eightBit,
  requireTLSExtensionEnabled: mail.requireTls,
});

/**
 * RFC 6531 section 3.4 asks for SMTPUTF8 also when only the header needs it; the library looks at the addresses alone. DSN
 * parameters it has for all recipients alike, and they differ. Undefined where there is nothing to add.
 */
const amendFor = ({ smtpUtf8, envelopeId, returnContent, dsn }: Mail, { extensions }: Connection): Amend | undefined => {
  const offersDsn = extensions.has("DSN");
  if (!smtpUtf8 && !offersDsn) return undefined;
  return (line) => {
    if (line.startsWith("MAIL FROM:")) {
      const utf8 = smtpUtf8 && !/ SMTPUTF8(?: |$)/u.test(line) ? " SMTPUTF8" : "";
      return `${line}${utf8}${offersDsn ? senderParameters(envelopeId, returnContent) : ""}`;
    }
    const address = offersDsn ? /^RCPT TO:<(.*)>$/su.exec(line)?.[1] : undefined;
    const wish = address === undefined ? undefined : dsn.get(address);
    return address === undefined || wish === undefined ? line : `${line}${recipientParameters(address, wish)}`;
  };
};

const refusedRecipients = ({ rejectedErrors = [] }: FilledEnvelope): ReadonlyMap<string, Trouble> =>
  new Map(rejectedErrors.map((error) => [error.recipient ?? "", fromReply(responseOf(error))]));

/** The stages of handing the content over. */
type Progress = { started: boolean; ended: boolean; stop: () => void };

type Handing = { readonly finalReplyMs: number; readonly progress: Progress; readonly onUnreadable: () => void };

/** All that the library asks of a message is `pipe`, called when the server wants the content. */
const messageOf = (content: MailContent, { library, patience }: Connection, handing: Handing): Readable => {
  const { finalReplyMs, progress, onUnreadable } = handing;
  const pipe = (stream: Duplex): void => {
    progress.started = true;
    const socket = library._socket;
    if (!(socket instanceof Object)) return; // its end is about to be told
    // A small message leaves in one write together with its final dot. Stuffing at most doubles it, so it stays below the
    // mark at which a corked socket would wait for itself.
    const together = content.size * 2 + 16 < socket.writableHighWaterMark;
    if (together) socket.cork();
    stream.once("end", () => {
      if (together) socket.uncork();
      progress.ended = true;
      patience(finalReplyMs);
    });
    progress.stop = pour(content, stream, socket, onUnreadable);
  };
  return { pipe } as unknown as Readable;
};

type SendError = Error & { readonly code?: string | undefined; readonly response?: unknown };

/** Undefined where the error says no more than that the connection ended. */
const refusalOf = (error: SendError, { started }: Progress): TransactionEnd | undefined => {
  const response = responseOf(error);
  if (response !== "") return { kind: "refused", trouble: fromReply(response), afterDot: started };
  // The only other one is the message being larger than the server takes, seen before anything is sent.
  return error.code === "EMESSAGE" ? { kind: "refused", trouble: permanent(error.message, "5.3.4"), afterDot: false } : undefined;
};

/** Carries out one transaction; the connection must have none open. Never throws. */
export const transact = (connection: Connection, mail: Mail, timeouts: TransactionTimeouts, scope: Scope): Promise<Transaction> =>
  new Promise((resolve) => {
    const envelope = envelopeOf(mail);
    const progress: Progress = { started: false, ended: false, stop: () => undefined };
    let settled = false;
    const settle = (end: TransactionEnd): void => {
      if (settled) return;
      settled = true;
      forget();
      progress.stop();
      connection.onBreak(undefined);
      if (progress.ended) connection.patience(timeouts.commandMs);
      resolve({ refused: refusedRecipients(envelope), end });
    };
    const breakOff = (reason: string): void => {
      settle({ kind: "broken", trouble: temporary(reason), dotSent: progress.ended && connection.outstanding() === 0 });
    };
    const forget = scope.onStop(() => {
      breakOff(scope.stopped() === "deadline" ? "the attempt took too long" : "the attempt was given up");
      connection.library.close();
    });
    if (scope.stopped() !== undefined) {
      breakOff("the attempt was given up");
      return;
    }
    connection.onBreak(breakOff);
    connection.amend(amendFor(mail, connection));
    // Only the end of the connection keeps the server from taking a part for the whole.
    const onUnreadable = (): void => {
      settle({ kind: "refused", trouble: temporary("the content of the message could not be read"), afterDot: false });
      connection.library.close();
    };
    const message = messageOf(mail.content, connection, { finalReplyMs: timeouts.finalReplyMs, progress, onUnreadable });
    connection.library.send(envelope, message, (error, info) => {
      if (!error) settle({ kind: "accepted", reply: parseReply(info.response) });
      else {
        const refusal = refusalOf(error, progress);
        if (refusal === undefined) breakOff(error.message);
        else settle(refusal);
      }
    });
  });
