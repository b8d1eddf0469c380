/**
 * What clients from the internet may do to a listener before it has had enough of them: how many connections they hold, how
 * many errors they make, how long they may take. Clients that keep to the rules never notice.
 */
import type { SMTPConnection } from "smtp-server/lib/smtp-connection";
import type { SMTPServerSession } from "smtp-server";

import { type CancelTimer, type Clock, MINUTE_MS, SECOND_MS } from "../../../domain/clock.ts";
import type { Refusal } from "../refusal.ts";

export type ConductLimits = {
  /** Open connections from one IPv4 address or IPv6 /64. */
  readonly perAddress: number;
  /** Refused commands and messages, after which a connection is closed. */
  readonly refusals: number;
  /** Refusals from which on every further refused recipient is answered late. */
  readonly freeRefusals: number;
  /** How late. */
  readonly delayMs: number;
  /** Messages that one connection may bring. */
  readonly messages: number;
  /** How long a connection may take to bring a message, however busy it looks. */
  readonly patienceMs: number;
};

export const CONDUCT_LIMITS: ConductLimits = {
  perAddress: 50,
  refusals: 20,
  freeRefusals: 5,
  delayMs: SECOND_MS,
  messages: 10_000,
  patienceMs: 30 * MINUTE_MS,
};

const TOO_MANY_HERE: Refusal = { code: 421, enhancedCode: "4.7.0", text: "Too many connections from your address" };
const ENOUGH_MESSAGES: Refusal = { code: 421, enhancedCode: "4.7.0", text: "Enough messages for one connection: connect again" };
const TOO_MANY_ERRORS = "4.7.0 Too many errors";
const TOO_SLOW = "4.4.2 No message within the time allowed";

type Visit = {
  readonly network: string;
  readonly hangUp: (text: string) => void;
  refusals: number;
  messages: number;
  cancelPatience: CancelTimer;
  /** Answers that wait. */
  readonly late: Set<CancelTimer>;
};

/** Connections by what they are counted by. */
const counting = () => {
  const open = new Map<string, number>();
  return {
    of: (network: string): number => open.get(network) ?? 0,
    add: (network: string, difference: 1 | -1): void => {
      const count = (open.get(network) ?? 0) + difference;
      if (count > 0) open.set(network, count);
      else open.delete(network);
    },
  };
};

export type Conduct = {
  /** A refusal when the client must go. To be asked before anything else. */
  readonly arrive: (session: SMTPServerSession, hangUp: (text: string) => void) => Refusal | undefined;
  /** A refusal when it has brought enough. */
  readonly begin: (session: SMTPServerSession) => Refusal | undefined;
  /** It has been told that something is refused. */
  readonly refused: (connection: SMTPConnection) => void;
  /** Runs `answer`, later for a client that has guessed too often. */
  readonly answerLate: (session: SMTPServerSession, answer: () => void) => void;
  /** It has brought a message. */
  readonly delivered: (session: SMTPServerSession) => void;
  readonly leave: (session: SMTPServerSession) => void;
};

export type ConductOptions = {
  readonly clock: Clock;
  readonly limits: ConductLimits;
  /** What connections are counted by: one client's addresses. */
  readonly networkOf: (remoteAddress: string) => string;
};

/** Watches the connections of one server, all its listeners together. */
export const conductOf = ({ clock, limits, networkOf }: ConductOptions): Conduct => {
  const visits = new Map<object, Visit>();
  const open = counting();

  const waitFor = (visit: Visit): void => {
    visit.cancelPatience = clock.timer(clock.now() + limits.patienceMs, () => {
      visit.hangUp(TOO_SLOW);
    });
  };

  return {
    arrive: (session, hangUp) => {
      const network = networkOf(session.remoteAddress);
      if (open.of(network) >= limits.perAddress) return TOO_MANY_HERE;
      open.add(network, 1);
      const visit: Visit = { network, hangUp, refusals: 0, messages: 0, cancelPatience: () => undefined, late: new Set() };
      visits.set(session, visit);
      waitFor(visit);
      return undefined;
    },
    begin: (session) => ((visits.get(session)?.messages ?? 0) >= limits.messages ? ENOUGH_MESSAGES : undefined),
    refused: (connection) => {
      const visit = visits.get(connection.session);
      if (visit === undefined) return;
      visit.refusals += 1;
      // Exactly once: the reply that sends it away is a refusal as well.
      if (visit.refusals === limits.refusals) connection.send(421, TOO_MANY_ERRORS);
    },
    answerLate: (session, answer) => {
      const visit = visits.get(session);
      if (visit === undefined || visit.refusals < limits.freeRefusals) {
        answer();
        return;
      }
      const cancel = clock.timer(clock.now() + limits.delayMs, () => {
        visit.late.delete(cancel);
        answer();
      });
      visit.late.add(cancel);
    },
    delivered: (session) => {
      const visit = visits.get(session);
      if (visit === undefined) return;
      visit.messages += 1;
      visit.cancelPatience();
      waitFor(visit);
    },
    leave: (session) => {
      const visit = visits.get(session);
      if (visit === undefined) return;
      visits.delete(session);
      visit.cancelPatience();
      for (const cancel of visit.late) cancel();
      open.add(visit.network, -1);
    },
  };
};
