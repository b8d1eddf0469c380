/**
 * The SMTP listener of local mode: takes mail for everybody without a login, and lets chosen addresses fail on purpose. A
 * message is answered with 250 only when whoever takes it has stored it.
 */
import type { SMTPServerOptions } from "smtp-server";

import type { CancelTimer, Clock } from "../../domain/clock.ts";
import { announcedOctets } from "./announced-size.ts";
import { addressIn, BAD_RECIPIENT, isBarePostmaster } from "./envelope-address.ts";
import { type IntakeOptions, takeMessage } from "./intake.ts";
import { type Busy, type SmtpListener, smtpListener } from "./listening.ts";
import { ReceivingServer } from "./receiving-connection.ts";
import { refused, type Refusal } from "./refusal.ts";
import { NO_ROOM } from "./room.ts";
import { SILENCE_MS, type Simulated, simulationOf } from "./simulation.ts";

export type LocalReceiverOptions = IntakeOptions & {
  readonly address: string;
  /** 0 = one that is free. */
  readonly port: number;
  /** Recipients of one message; more get 452. Default 1,000. */
  readonly maxRecipients?: number;
  /** Connections at the same time; more get 421. Default 1,000. */
  readonly maxConnections?: number;
  /** Silence of a client. Default 5 minutes (RFC 5321 section 4.5.3.2.7). */
  readonly idleMs?: number;
  /** How long `close` waits for messages that are coming in or being stored. Default 5 s. */
  readonly closeMs?: number;
  /** Whether mail for a canonical address is taken; 550 5.1.1 else. Default: everybody's. */
  readonly accept?: (address: string) => boolean;
  /** Hears of rejections of `onMessage`, which are answered with 451, and of trouble with the listener. */
  readonly onError?: (error: unknown) => void;
};

export type LocalReceiver = SmtpListener;

type Answer = (error?: Error | null) => void;

const NO_SUCH_USER: Refusal = { code: 550, enhancedCode: "5.1.1", text: "No such user here" };
const OUT_OF_ORDER: Refusal = { code: 451, enhancedCode: "4.3.0", text: "The message could not be stored, try again later" };
const SILENCE_OVER: Refusal = { code: 451, enhancedCode: "4.0.0", text: "Silent on purpose: the address ends in timeout" };

/** Sessions that get no answer on purpose; each waits for one at most. */
const silentSessions = (
  clock: Clock,
): { readonly begin: (session: object, answer: Answer) => void; readonly end: (session: object) => void } => {
  const waiting = new Map<object, CancelTimer>();
  return {
    begin: (session, answer) => {
      const cancel = clock.timer(clock.now() + SILENCE_MS, () => {
        waiting.delete(session);
        answer(refused(SILENCE_OVER));
      });
      waiting.set(session, cancel);
    },
    end: (session) => {
      waiting.get(session)?.();
      waiting.delete(session);
    },
  };
};

/** Canonical, or why it is none. */
const recipientOf = (path: string, smtpUtf8: boolean): string | Refusal => {
  if (isBarePostmaster(path)) return path;
  const address = addressIn(path, smtpUtf8, BAD_RECIPIENT);
  return "code" in address ? address : address.text;
};

type Handlers = Pick<SMTPServerOptions, "onConnect" | "onMailFrom" | "onRcptTo" | "onData" | "onClose">;

const handlers = (options: LocalReceiverOptions, busy: Busy): Handlers => {
  const { clock, room, accept = () => true, onError } = options;
  const silent = silentSessions(clock);

  const simulate = (simulated: Simulated, session: object, answer: Answer): void => {
    if (simulated.kind === "silence") silent.begin(session, answer);
    else answer(refused(simulated));
  };

  return {
    onConnect: (_session, answer) => {
      answer();
    },
    onMailFrom: (mailFrom, session, answer) => {
      const simulated = simulationOf(mailFrom.address, "mailFrom");
      if (simulated !== undefined) simulate(simulated, session, answer);
      else answer(room.fits(announcedOctets(mailFrom)) ? null : refused(NO_ROOM));
    },
    onRcptTo: ({ address: path }, session, answer) => {
      const address = recipientOf(path, session.envelope.smtpUtf8 === true);
      const simulated = typeof address === "string" ? simulationOf(address, "rcptTo") : undefined;
      if (typeof address !== "string") answer(refused(address));
      else if (simulated !== undefined) simulate(simulated, session, answer);
      else answer(accept(address) ? null : refused(NO_SUCH_USER));
    },
    onData: (stream, session, answer) => {
      busy.sessions.add(session);
      const done = (): void => {
        busy.sessions.delete(session);
        busy.onDone();
      };
      takeMessage(stream, session, options).then(
        (taken) => {
          if (taken.kind === "refused") answer(refused(taken.refusal));
          else if (taken.kind === "accepted" || taken.kind === "tooLarge") answer();
          else simulate(taken, session, answer);
          done();
        },
        (error: unknown) => {
          // A client that left in the middle of its message is nobody's trouble but its own.
          if (stream.readableEnded) onError?.(error);
          answer(refused(OUT_OF_ORDER));
          done();
        },
      );
    },
    onClose: (session) => {
      silent.end(session);
    },
  };
};

const serverOf = (options: LocalReceiverOptions, busy: Busy): ReceivingServer =>
  new ReceivingServer({
    name: options.hostName,
    size: options.maxMessageSize,
    rejectOversized: true,
    disabledCommands: ["AUTH", "STARTTLS", "XCLIENT", "XFORWARD", "WIZ", "SHELL", "KILL"],
    disableReverseLookup: true,
    hideDSN: true,
    hideENHANCEDSTATUSCODES: false,
    maxClients: options.maxConnections ?? 1_000,
    maxRecipients: options.maxRecipients ?? 1_000,
    socketTimeout: options.idleMs ?? 300_000,
    closeTimeout: options.closeMs ?? 5_000,
    logger: false,
    ...handlers(options, busy),
  });

/** The listener. Nothing is opened before `listen`. */
export const localReceiver = (options: LocalReceiverOptions): LocalReceiver => {
  const busy: Busy = { sessions: new Set(), onDone: () => undefined };
  return smtpListener(serverOf(options, busy), busy, options);
};
