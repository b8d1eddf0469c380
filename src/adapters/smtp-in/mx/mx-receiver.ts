/**
 * The SMTP listener for mail from other servers: takes mail for this server's own addresses, checks where it comes from and
 * answers with 250 only when it is stored. Whoever misbehaves is told so, then slowed down, then sent away.
 */
import type { SMTPServerAddress, SMTPServerOptions, SMTPServerSession } from "smtp-server";

import type { Clock } from "../../../domain/clock.ts";
import { announcedOctets } from "../announced-size.ts";
import { refused, type Refusal } from "../refusal.ts";
import { type Busy, type SmtpListener, smtpListener } from "../listening.ts";
import { NO_ROOM } from "../room.ts";
import { type Conduct } from "./conduct.ts";
import type { OwnRecipient, RecipientAnswer, RecipientCircumstances, RefusalReason } from "./own-addresses.ts";
import { type TakeOptions, takeMail, type TakeResult } from "./take-mail.ts";
import { WatchedServer } from "./watched-server.ts";

export type MxReceiverOptions = TakeOptions & {
  readonly address: string;
  /** 0 = one that is free. */
  readonly port: number;
  /** PEM. With them STARTTLS is offered. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  readonly clock: Clock;
  /** Decides about one RCPT TO. */
  readonly recipient: (address: string, circumstances: RecipientCircumstances) => RecipientAnswer;
  /** Shared by all listeners. */
  readonly conduct: Conduct;
  /** Recipients of one message; more get 452. */
  readonly maxRecipients: number;
  /** Connections at the same time; more get 421. */
  readonly maxConnections: number;
  /** Silence of a client. Default 5 minutes (RFC 5321 section 4.5.3.2.7). */
  readonly idleMs?: number | undefined;
  /** How long `close` waits for messages that are coming in or being stored. Default 5 s. */
  readonly closeMs?: number | undefined;
  /** What became of a message; `failed`: it could not be stored, `lost`: the client left before its end. */
  readonly onMessage: (result: TakeResult | "failed" | "lost", session: SMTPServerSession) => void;
  readonly onRecipientRefused: (reason: RefusalReason, address: string, session: SMTPServerSession) => void;
  /** Hears of messages that could not be stored, and of trouble with the listener. */
  readonly onError: (error: unknown) => void;
};

type Answer = (error?: Error | null) => void;

const OUT_OF_ORDER: Refusal = { code: 451, enhancedCode: "4.3.0", text: "The message could not be stored, try again later" };

/** RFC 5321 section 4.5.3.1.4 asks for 512; long local parts and parameters need more. */
const MAX_COMMAND_OCTETS = 4_096;

type Handlers = Pick<SMTPServerOptions, "onConnect" | "onMailFrom" | "onRcptTo" | "onData" | "onClose">;

/** The same address may come twice, written in two ways. */
const distinct = (recipients: readonly OwnRecipient[]): readonly OwnRecipient[] => [
  ...new Map(recipients.map((recipient) => [recipient.address.toLowerCase(), recipient])).values(),
];

const handlers = (options: MxReceiverOptions, busy: Busy, hangUp: (session: SMTPServerSession, text: string) => void): Handlers => {
  const { conduct, room, recipient, onMessage, onRecipientRefused, onError } = options;
  const own = new WeakMap<SMTPServerAddress, OwnRecipient>();

  return {
    onConnect: (session, answer) => {
      const refusal = conduct.arrive(session, (text) => {
        hangUp(session, text);
      });
      answer(refusal && refused(refusal));
    },
    onMailFrom: (mailFrom, session, answer) => {
      const refusal = conduct.begin(session) ?? (room.fits(announcedOctets(mailFrom)) ? undefined : NO_ROOM);
      answer(refusal && refused(refusal));
    },
    onRcptTo: (written, session, answer) => {
      const { localAddress, envelope } = session;
      const circumstances = { localAddress, smtpUtf8: envelope.smtpUtf8 === true, octets: announcedOctets(envelope.mailFrom) };
      const decided = recipient(written.address, circumstances);
      if (decided.kind === "own") {
        own.set(written, decided.recipient);
        answer();
        return;
      }
      onRecipientRefused(decided.reason, written.address, session);
      conduct.answerLate(session, () => {
        answer(refused(decided.refusal));
      });
    },
    onData: (stream, session, answer: Answer) => {
      busy.sessions.add(session);
      const recipients = distinct(session.envelope.rcptTo.flatMap((address) => own.get(address) ?? []));
      const done = (): void => {
        busy.sessions.delete(session);
        busy.onDone();
      };
      takeMail(stream, session, recipients, options).then(
        ({ result, refusal }) => {
          onMessage(result, session);
          if (result === "accepted" || result === "junk") conduct.delivered(session);
          answer(refusal && refused(refusal));
          done();
        },
        (error: unknown) => {
          // A client that left in the middle of its message is nobody's trouble but its own.
          onMessage(stream.readableEnded ? "failed" : "lost", session);
          if (stream.readableEnded) onError(error);
          answer(refused(OUT_OF_ORDER));
          done();
        },
      );
    },
    onClose: (session) => {
      conduct.leave(session);
    },
  };
};

const serverOf = (options: MxReceiverOptions, busy: Busy): WatchedServer => {
  const { tls } = options;
  const disabled = ["AUTH", "XCLIENT", "XFORWARD", "WIZ", "SHELL", "KILL", ...(tls === undefined ? ["STARTTLS"] : [])];
  const hangUp = (session: SMTPServerSession, text: string): void => {
    for (const connection of server.connections) if (connection.session === session) connection.send(421, text);
  };
  const server: WatchedServer = new WatchedServer(
    {
      name: options.hostName,
      size: options.maxMessageSize,
      rejectOversized: true,
      ...tls,
      disabledCommands: disabled,
      authOptional: true,
      disableReverseLookup: true,
      hideDSN: true,
      hideENHANCEDSTATUSCODES: false,
      maxClients: options.maxConnections,
      maxRecipients: options.maxRecipients,
      maxCommandLength: MAX_COMMAND_OCTETS,
      socketTimeout: options.idleMs ?? 300_000,
      closeTimeout: options.closeMs ?? 5_000,
      logger: false,
      ...handlers(options, busy, hangUp),
    },
    options.conduct.refused,
  );
  return server;
};

/** The listener. Nothing is opened before `listen`. */
export const mxReceiver = (options: MxReceiverOptions): SmtpListener => {
  const busy: Busy = { sessions: new Set(), onDone: () => undefined };
  return smtpListener(serverOf(options, busy), busy, options);
};
