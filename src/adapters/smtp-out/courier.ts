/**
 * Delivers messages over SMTP: the courier of the queue. Reads the content, chooses the transport, carries out one
 * transaction and says for each recipient how it ended.
 */
import type { Clock } from "../../domain/clock.ts";
import type { Courier, Delivery, DeliveryRecipient } from "../../domain/delivery.ts";
import type { ContentStore } from "../../domain/event-log.ts";
import type { DeliveryOutcome } from "../../domain/smtp-result.ts";
import type { Resolver } from "../dns/resolver.ts";
import { type Carry, carrier, type Way } from "./carry.ts";
import { type KeptLimits, keptSessions } from "./kept-sessions.ts";
import { mailContent } from "./mail-content.ts";
import { fixedHost, mailHosts } from "./mail-hosts.ts";
import type { Security, Timeouts } from "./open-session.ts";
import { INTERRUPTED, recordOutcomes, rejectedBy } from "./outcome.ts";
import { type Scope, scopeOf, unlessStopped } from "./scope.ts";
import { DIRECT, type Route, type Smarthost, type Transport, transportFor } from "./transport.ts";
import { permanent, REQUIRETLS_CODE, temporary, type Trouble } from "./trouble.ts";

export type CourierOptions = {
  readonly contents: Pick<ContentStore, "open">;
  readonly clock: Clock;
  readonly resolver: Resolver;
  /** By name. `direct` is there without being named. */
  readonly transports: Readonly<Record<string, Transport>>;
  /** The first that matches is taken. */
  readonly routes: readonly Route[];
  /** This server's name: in EHLO, and to recognise itself among mail exchangers. */
  readonly hostName: string;
  /** Longest that an attempt takes in all. Default 10 minutes. */
  readonly deadlineMs?: number;
  readonly timeouts?: Partial<Timeouts>;
  readonly kept?: Partial<KeptLimits>;
  /** PEM certificates to trust in place of the well-known authorities. */
  readonly trustedCertificates?: readonly string[];
  /** Port of mail exchangers; another than 25 is for tests. */
  readonly directPort?: number;
  /** Chooses among equal mail exchangers: 0 to below 1. */
  readonly random?: () => number;
  /** Hears of errors that nobody foresaw; the delivery is then answered with a temporary failure. */
  readonly onError?: (error: unknown) => void;
};

/**
 * RFC 5321 section 4.5.3.2 asks for patience of minutes with every step. Connecting and greeting get less: a host that
 * is slow there is better tried again later than waited for.
 */
const TIMEOUTS: Timeouts = { connectMs: 30_000, greetingMs: 60_000, commandMs: 300_000, finalReplyMs: 600_000, quitMs: 1_000 };
const KEPT: KeptLimits = { maxIdle: 200, idleMs: 5_000, maxMessages: 100 };
const DEADLINE_MS = 600_000;
const SMTP_PORT = 25;

/** Transactions of one delivery at the same time, where each recipient has its own. */
const MAX_PARALLEL = 20;

const NONE: Security = { mode: "none", verified: false };
const OPPORTUNISTIC: Security = { mode: "opportunistic", verified: false };
const VERIFIED: Security = { mode: "starttls", verified: true };

/** The library writes addresses between angle brackets and refuses those that hold some, quoted as they may be. */
const UNSENDABLE = /[<>\r\n]/u;

const wayThrough = ({ host, port, tls, verifyCertificate, auth }: Smarthost, requireTls: boolean): Way | Trouble => {
  if (requireTls && tls === "none")
    return permanent(`the smarthost ${host} is used without TLS, which the sender asks for`, REQUIRETLS_CODE);
  return {
    domain: host,
    hosts: [fixedHost(host, host)],
    port,
    security: { mode: tls, verified: verifyCertificate || requireTls },
    ...(auth === undefined ? {} : { login: auth }),
  };
};

type Plan = { readonly way: Way; readonly eachAlone: boolean; readonly requireTls: boolean };

/** One job at a time per worker, `MAX_PARALLEL` workers. */
const inParallel = async <T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> => {
  const queue = items.values();
  const work = async (): Promise<void> => {
    for (const item of queue) await run(item);
  };
  await Promise.all(Array.from({ length: Math.min(MAX_PARALLEL, items.length) }, work));
};

type Attempt = { readonly delivery: Delivery; readonly transport: string; readonly startedAt: number; readonly scope: Scope };

const courierOver = (carry: Carry, options: CourierOptions): ((attempt: Attempt) => Promise<ReadonlyMap<number, DeliveryOutcome>>) => {
  const { contents, clock, resolver, transports, hostName, onError, random = Math.random, directPort = SMTP_PORT } = options;

  const directWay = async ({ recipientDomain, requireTls }: Delivery, scope: Scope): Promise<Way | Trouble> => {
    const found = await unlessStopped(scope, mailHosts(recipientDomain, resolver, hostName, random));
    if (found === undefined) return temporary("the attempt was given up while the mail exchangers were looked up");
    if ("trouble" in found) return found.trouble;
    return { domain: recipientDomain, hosts: found.hosts, port: directPort, security: requireTls === true ? VERIFIED : OPPORTUNISTIC };
  };

  const planFor = async (delivery: Delivery, name: string, scope: Scope): Promise<Plan | Trouble> => {
    const transport = Object.hasOwn(transports, name) ? transports[name] : undefined;
    const kind = transport?.kind ?? (name === DIRECT ? "direct" : undefined);
    if (transport?.kind === "fail") {
      const { code, message } = transport;
      // x.7.0 (policy): that nothing leaves this way says nothing about the mailbox, so it must not be suppressed.
      return code >= 500 ? permanent(message, "5.7.0", code) : { ...temporary(message, "4.7.0"), code };
    }
    if (transport?.kind === "local") {
      const { host, port } = transport;
      // Nothing leaves this machine: TLS would protect nothing.
      return { way: { domain: host, hosts: [fixedHost(host, host)], port, security: NONE }, eachAlone: true, requireTls: false };
    }
    if (kind === undefined) return temporary(`there is no transport ${JSON.stringify(name)}`);
    const requireTls = delivery.requireTls === true;
    const way = transport?.kind === "smarthost" ? wayThrough(transport, requireTls) : await directWay(delivery, scope);
    return "permanent" in way ? way : { way, eachAlone: false, requireTls };
  };

  return async ({ delivery, transport, startedAt, scope }) => {
    const outcomes = new Map<number, DeliveryOutcome>();
    const facts = (): { startedAt: number; endedAt: number; transport: string } => ({ startedAt, endedAt: clock.now(), transport });
    const refuse = (recipients: readonly DeliveryRecipient[], trouble: Trouble): typeof outcomes => {
      const outcome = scope.stopped() === "aborted" ? INTERRUPTED : rejectedBy(trouble, facts());
      for (const { messageId } of recipients) outcomes.set(messageId, outcome);
      return outcomes;
    };

    const sendable = delivery.recipients.filter(({ address }) => !UNSENDABLE.test(address));
    if (sendable.length < delivery.recipients.length) {
      refuse(delivery.recipients, permanent("addresses with quoted angle brackets cannot be sent to", "5.1.3"));
    }
    if (sendable.length === 0) return outcomes;
    const plan = await planFor(delivery, transport, scope);
    if ("permanent" in plan) return refuse(sendable, plan);
    const stored = await contents.open(delivery.contentId);
    if (stored === undefined) return refuse(sendable, permanent("the content of the message is gone"));

    const content = await mailContent(stored, (error) => onError?.(error));
    const { mailFrom: from, eightBit, smtpUtf8 } = delivery;
    const carryFor = async (recipients: readonly DeliveryRecipient[]): Promise<void> => {
      const to = [...new Set(recipients.map(({ address }) => address))];
      const carried = await carry(plan.way, { from, to, content, eightBit, smtpUtf8, requireTls: plan.requireTls }, scope);
      recordOutcomes(outcomes, recipients, carried, facts(), scope.stopped());
    };
    if (plan.eachAlone) await inParallel(sendable, (recipient) => carryFor([recipient]));
    else await carryFor(sendable);
    return outcomes;
  };
};

/** The courier. `close` closes kept sessions; what is under way is ended by its own signal. */
export const courier = (options: CourierOptions): Courier => {
  const { clock, routes, hostName, trustedCertificates, deadlineMs = DEADLINE_MS, onError } = options;
  const timeouts = { ...TIMEOUTS, ...options.timeouts };
  const sessions = keptSessions({ ...KEPT, ...options.kept });
  const openOptions = { ehloName: hostName, timeouts, ...(trustedCertificates === undefined ? {} : { trustedCertificates }) };
  const attempt = courierOver(carrier(sessions, openOptions), options);

  return {
    deadlineMs,
    deliver: async (delivery, signal) => {
      const startedAt = clock.now();
      const transport = transportFor(delivery, routes);
      const scope = scopeOf(signal, deadlineMs);
      try {
        return await attempt({ delivery, transport, startedAt, scope });
      } catch (error) {
        onError?.(error);
        const outcome = rejectedBy(temporary("internal error"), { startedAt, endedAt: clock.now(), transport });
        return new Map(delivery.recipients.map(({ messageId }) => [messageId, outcome]));
      } finally {
        scope.end();
      }
    },
    close: sessions.close,
  };
};
