/** Takes mail from clients that log in (RFC 6409), with STARTTLS (port 587) or TLS from the first octet (port 465, RFC 8314). */
import type { SMTPServerOptions, SMTPServerSession } from "smtp-server";

import type { Directory } from "../../../domain/account/account.ts";
import { type CancelTimer, type Clock, MINUTE_MS } from "../../../domain/clock.ts";
import { refused, type Refusal } from "../refusal.ts";
import { type Busy, type SmtpListener, smtpListener } from "../listening.ts";
import { type Conduct, CONDUCT_LIMITS, type ConductLimits } from "../mx/conduct.ts";
import { envelopeOf, SubmissionServer } from "./connection.ts";
import { login, type LoginTerms } from "./login.ts";
import { type TakeTerms, takeSubmission } from "./take.ts";

export type SubmissionListenerOptions = TakeTerms &
  LoginTerms & {
    readonly address: string;
    /** 0 = one that is free. */
    readonly port: number;
    readonly clock: Clock;
    readonly directory: Directory;
    /** Watches connections of all such listeners together. */
    readonly conduct: Conduct;
    /** Certificate chain and key, PEM; without them there is no TLS. */
    readonly tls?: { readonly cert: string; readonly key: string } | undefined;
    /** TLS from the first octet instead of STARTTLS. */
    readonly implicitTls?: boolean | undefined;
    /** Passwords may come in the clear. */
    readonly allowInsecureLogin?: boolean | undefined;
    /** Recipients of one message; more get 452. Default 1,000. */
    readonly maxRecipients?: number | undefined;
    /** Connections at the same time; more get 421. Default 500. */
    readonly maxConnections?: number | undefined;
    /** Silence of a client. Default 5 minutes (RFC 5321 section 4.5.3.2.7). */
    readonly idleMs?: number | undefined;
    /** How long `close` waits for messages that are coming in or being stored. Default 5 s. */
    readonly closeMs?: number | undefined;
    /** Hears of rejections of `submit`, which are answered with 451, and of trouble with the listener. */
    readonly onError?: ((error: unknown) => void) | undefined;
  };

/** What connections of one listener ask. */
export type SubmissionDesk = Pick<SubmissionListenerOptions, "clock" | "directory" | "hostName" | "maxMessageSize" | "room"> & {
  readonly maxRecipients: number;
  readonly allowInsecureLogin: boolean;
  readonly conduct: Conduct;
};

/** What clients with a login may do: an application keeps its connection, and its list of addresses may have some that are none. */
export const SUBMISSION_LIMITS: ConductLimits = {
  ...CONDUCT_LIMITS,
  perAddress: 100,
  refusals: 100,
  messages: Number.POSITIVE_INFINITY,
};

/** A client has to log in by then. */
const LOGIN_MS = 2 * MINUTE_MS;
/** Ids named in a reply, whose line has 512 octets (RFC 5321 section 4.5.3.1.5). */
const NAMED_IDS = 10;

const OUT_OF_ORDER: Refusal = { code: 451, enhancedCode: "4.3.0", text: "The message could not be stored, try again later" };
const NO_AUTHENTICATION: Refusal = { code: 454, enhancedCode: "4.7.0", text: "Logins cannot be verified now, try again later" };
const NO_LOGIN = "4.7.0 No login within the time allowed";

/** RFC 2920 section 3.2 leaves the text to the server; operators look for the ids. */
const queuedAs = (ids: readonly number[]): string => {
  const more = ids.length - NAMED_IDS;
  return `2.0.0 queued as ${ids.slice(0, NAMED_IDS).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
};

/** Ends the connection of a session, which the library does not hand to its handlers. */
type HangUp = (session: SMTPServerSession, text: string) => void;

/** Connections that have not logged in yet, and must before long. */
const strangers = (clock: Clock, hangUp: HangUp) => {
  const timers = new Map<SMTPServerSession, CancelTimer>();
  return {
    arrive: (session: SMTPServerSession): void => {
      const cancel = clock.timer(clock.now() + LOGIN_MS, () => {
        hangUp(session, NO_LOGIN);
      });
      timers.set(session, cancel);
    },
    /** It has logged in, or left. */
    end: (session: SMTPServerSession): void => {
      timers.get(session)?.();
      timers.delete(session);
    },
  };
};

type Handler<Name extends "onConnect" | "onAuth" | "onData" | "onClose"> = Required<SMTPServerOptions>[Name];

const onData =
  (options: SubmissionListenerOptions, { conduct }: SubmissionDesk, busy: Busy): Handler<"onData"> =>
  (stream, session, answer) => {
    const envelope = envelopeOf(session);
    if (envelope === undefined) throw new Error("content without an envelope");
    busy.sessions.add(session);
    takeSubmission(stream, session, envelope, options)
      .then(
        (taken) => {
          if (taken.kind === "refused") answer(refused(taken.refusal));
          else if (taken.kind === "tooLarge") answer();
          else {
            conduct.delivered(session);
            answer(null, queuedAs(taken.ids));
          }
        },
        (error: unknown) => {
          // A client that left in the middle of its message is nobody's trouble but its own.
          if (stream.readableEnded) options.onError?.(error);
          answer(refused(OUT_OF_ORDER));
        },
      )
      .finally(() => {
        busy.sessions.delete(session);
        busy.onDone();
      });
  };

const handlers = (options: SubmissionListenerOptions, desk: SubmissionDesk, busy: Busy, hangUp: HangUp) => {
  const { conduct } = desk;
  const unknown = strangers(options.clock, hangUp);

  const onConnect: Handler<"onConnect"> = (session, answer) => {
    const refusal = conduct.arrive(session, (text) => {
      hangUp(session, text);
    });
    if (refusal === undefined) unknown.arrive(session);
    answer(refusal === undefined ? null : refused(refusal));
  };
  const onAuth: Handler<"onAuth"> = (auth, session, answer) => {
    login(auth, session.remoteAddress, options).then(
      (result) => {
        if ("code" in result) answer(refused(result));
        else {
          unknown.end(session);
          answer(null, { user: result });
        }
      },
      (error: unknown) => {
        options.onError?.(error);
        answer(refused(NO_AUTHENTICATION));
      },
    );
  };
  const onClose: Handler<"onClose"> = (session) => {
    unknown.end(session);
    conduct.leave(session);
  };
  return { onConnect, onAuth, onClose, onData: onData(options, desk, busy) };
};

const libraryOptions = (options: SubmissionListenerOptions): SMTPServerOptions => {
  const { tls, implicitTls = false, allowInsecureLogin = false } = options;
  const disabled = ["XCLIENT", "XFORWARD", "WIZ", "SHELL", "KILL", "HELP"];
  return {
    name: options.hostName,
    size: options.maxMessageSize,
    rejectOversized: true,
    authMethods: ["PLAIN", "LOGIN"],
    allowInsecureAuth: allowInsecureLogin,
    disabledCommands: tls === undefined || implicitTls ? [...disabled, "STARTTLS"] : disabled,
    ...(tls === undefined ? {} : { ...tls, secure: implicitTls, minVersion: "TLSv1.2" }),
    disableReverseLookup: true,
    hideDSN: false,
    hideREQUIRETLS: false,
    hideENHANCEDSTATUSCODES: false,
    maxClients: options.maxConnections ?? 500,
    socketTimeout: options.idleMs ?? 5 * MINUTE_MS,
    closeTimeout: options.closeMs ?? 5_000,
    heloResponse: "%s",
    logger: false,
  };
};

/** A listener. Nothing is opened before `listen`. */
export const submissionListener = (options: SubmissionListenerOptions): SmtpListener => {
  const { clock, directory, hostName, maxMessageSize, room, conduct, maxRecipients = 1_000, allowInsecureLogin = false } = options;
  const desk = { clock, directory, hostName, maxMessageSize, room, maxRecipients, allowInsecureLogin, conduct };
  const busy: Busy = { sessions: new Set(), onDone: () => undefined };
  const hangUp: HangUp = (session, text) => {
    for (const connection of smtp.connections) if (connection.session === session) connection.send(421, text);
  };
  const smtp = new SubmissionServer({ ...libraryOptions(options), ...handlers(options, desk, busy, hangUp) }, desk);
  return smtpListener(smtp, busy, {
    ...options,
    onError: (error) => {
      // A handshake that fails is the client's trouble.
      if (!(error instanceof Error && "meta" in error)) options.onError?.(error);
    },
  });
};
