/** Carries one transaction to the first of several hosts that can be talked to, over a kept session or a new one. */
import type { PolicyFacts } from "../../domain/smtp-result.ts";
import type { KeptSessions } from "./kept-sessions.ts";
import { addressTrouble, type MailHost } from "./mail-hosts.ts";
import { openSession, type Opened, type OpenOptions, type Security, sessionKey, type Target, type Terms } from "./open-session.ts";
import { type Scope, unlessStopped } from "./scope.ts";
import type { Remote, Session } from "./session.ts";
import type { Mail, Transaction, TransactionEnd } from "./transaction.ts";
import type { Said } from "./transcript.ts";
import { permanent, REQUIRETLS_CODE, temporary, type Trouble } from "./trouble.ts";

/** How a host is to be talked to, and what decided that. */
export type Protection = { readonly security: Security; readonly policy?: PolicyFacts };

/** Where a message may go and on what terms. */
export type Way = {
  /** Domain or host that people know, for reasons. */
  readonly domain: string;
  /** In the order of preference; at least one. */
  readonly hosts: readonly MailHost[];
  readonly port: number;
  /** Asked when a host's turn has come: a trouble leaves this host out. */
  readonly protect: (host: MailHost) => Promise<Protection | Trouble>;
} & Omit<Terms, "security">;

/** `failed`: there was no transaction. */
export type Carried = {
  readonly remote: Remote;
  readonly refused: Transaction["refused"];
  readonly end: TransactionEnd | { readonly kind: "failed"; readonly trouble: Trouble };
  /** Absent when no connection was made. */
  readonly said?: Said;
  /** Whether the host offered DSN. */
  readonly offersDsn?: boolean;
};

/** Addresses dialled in one attempt. RFC 5321 section 5.1 asks for two at least. */
const MAX_ADDRESSES = 8;

const NOBODY: ReadonlyMap<string, Trouble> = new Map();

const failed = (trouble: Trouble, remote: Remote, said?: Said): Carried => ({
  remote,
  refused: NOBODY,
  end: { kind: "failed", trouble },
  ...(said === undefined ? {} : { said }),
});

/** What the content asks for and the server does not offer. */
const lackOf = (session: Session, mail: Mail): Trouble | undefined => {
  const { host } = session.remote;
  if (mail.requireTls && !session.supports("REQUIRETLS")) {
    return permanent(`${host} does not offer REQUIRETLS, which the sender asks for`, REQUIRETLS_CODE);
  }
  if (mail.smtpUtf8 && !session.supports("SMTPUTF8")) {
    return permanent(`${host} does not offer SMTPUTF8, which the message needs`, "5.6.7");
  }
  if (mail.eightBit && !session.supports("8BITMIME")) {
    // RFC 6152 section 3 forbids to send it. A server that offers nothing at all may be a greylister's front door.
    const reason = `${host} does not offer 8BITMIME, which the message needs`;
    return session.esmtp ? permanent(reason, "5.6.3") : temporary(reason, "4.6.3");
  }
  return undefined;
};

/** Whether nobody can have accepted anything, so that another session may try the same at once. */
const isUntouched = ({ end }: Carried): boolean =>
  (end.kind === "broken" && !end.dotSent) || (end.kind === "refused" && end.trouble.code === 421 && !end.afterDot);

/** Whether the next address or host may do better: no transaction, or one that came to nothing without an answer. */
const goesOn = ({ end }: Carried): boolean => end.kind === "failed" || (end.kind === "broken" && !end.dotSent);

/** Of several failures a temporary one is reported: while there is hope the message stays. */
const isHopeless = ({ end }: Carried): boolean => end.kind === "failed" && end.trouble.permanent;

/** Opens a session; where TLS is only taken along, a host whose TLS is broken is talked to without it. */
const open = async (target: Target, terms: Terms, options: OpenOptions, scope: Scope): Promise<Opened> => {
  const opened = await openSession(target, terms, options, scope);
  const mayDoWithout = terms.security.mode === "opportunistic" && scope.stopped() === undefined;
  if ("session" in opened || opened.failure.tls !== "broken" || !mayDoWithout) return opened;
  return openSession(target, { ...terms, security: { mode: "none", verified: false } }, options, scope);
};

/** Adds to what was carried, whoever carried it, which rules held this time: a session may serve several. */
const under = (policy: PolicyFacts | undefined, carried: Carried): Carried =>
  policy === undefined ? carried : { ...carried, remote: { ...carried.remote, policy } };

const openFailed = ({ failure }: Extract<Opened, { readonly failure: unknown }>, host: string, mail: Mail): Carried => {
  const { trouble, address, tls, said } = failure;
  const remote = { host, address };
  if (!mail.requireTls || tls === undefined) return failed(trouble, remote, said);
  return failed(tls === "refused" ? permanent(trouble.text, REQUIRETLS_CODE) : { ...trouble, enhancedCode: "4.7.5" }, remote, said);
};

export type Carry = (way: Way, mail: Mail, scope: Scope) => Promise<Carried>;

/** Never throws. When it ends because the attempt was stopped, the trouble says nothing of worth. */
export const carrier = (sessions: KeptSessions, options: OpenOptions): Carry => {
  const transact = async (session: Session, mail: Mail, scope: Scope): Promise<Carried> => {
    const lack = lackOf(session, mail);
    if (lack !== undefined) {
      sessions.give(session, true);
      return failed(lack, session.remote, session.said());
    }
    const transaction = await session.send(mail, scope);
    const said = session.said();
    sessions.give(session, transaction.end.kind === "accepted");
    return { remote: session.remote, ...transaction, said, offersDsn: session.supports("DSN") };
  };

  /** Over a kept session; undefined when there is none, or when it turns out to be stale before anything was accepted. */
  const reuse = async (key: string, mail: Mail, scope: Scope): Promise<Carried | undefined> => {
    const session = sessions.take(key);
    if (session === undefined) return undefined;
    const carried = await transact(session, mail, scope);
    return isUntouched(carried) && scope.stopped() === undefined ? undefined : carried;
  };

  /** Dials the addresses of a host until a transaction came to an end. */
  const dialAll = async (
    host: MailHost,
    way: Way,
    terms: Terms,
    mail: Mail,
    scope: Scope,
    budget: { addresses: number },
  ): Promise<Carried> => {
    const found = (await unlessStopped(scope, host.addresses())) ?? { status: "failed", reason: "the attempt was given up" };
    if (found.status !== "found") return failed(addressTrouble(way.domain, host.name, found), { host: host.name, address: "" });
    const key = sessionKey(host.name, way.port, terms);
    let last: Carried | undefined;
    for (const address of found.records) {
      if (budget.addresses === 0 || scope.stopped() !== undefined) break;
      budget.addresses -= 1;
      const opened = await open({ key, host: host.name, address, port: way.port }, terms, options, scope);
      last = "session" in opened ? await transact(opened.session, mail, scope) : openFailed(opened, host.name, mail);
      if (!goesOn(last)) return last;
    }
    return last ?? failed(temporary(`no address of ${host.name} was tried`), { host: host.name, address: "" });
  };

  /** Tries one host, as its protection asks for it: a kept session, then its addresses. */
  const carryTo = async (host: MailHost, way: Way, mail: Mail, scope: Scope, budget: { addresses: number }): Promise<Carried> => {
    const protection = (await unlessStopped(scope, way.protect(host))) ?? temporary("the attempt was given up");
    if ("permanent" in protection) return failed(protection, { host: host.name, address: "" });
    const { security, policy } = protection;
    const terms = { security, identity: way.identity, ...(way.login === undefined ? {} : { login: way.login }) };
    const reused = await reuse(sessionKey(host.name, way.port, terms), mail, scope);
    return under(policy, reused ?? (await dialAll(host, way, terms, mail, scope, budget)));
  };

  return async (way, mail, scope) => {
    const budget = { addresses: MAX_ADDRESSES };
    let best: Carried | undefined;
    for (const host of way.hosts) {
      const carried = await carryTo(host, way, mail, scope, budget);
      if (!goesOn(carried)) return carried;
      if (best === undefined || isHopeless(best) || !isHopeless(carried)) best = carried;
      if (scope.stopped() !== undefined) break;
    }
    return best ?? failed(temporary(`no host of ${way.domain} was tried`), { host: "", address: "" });
  };
};
