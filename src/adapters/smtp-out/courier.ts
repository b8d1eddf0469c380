/**
 * Delivers messages over SMTP: the courier of the queue. Reads the content, chooses the transport, carries out one
 * transaction and says for each recipient how it ended.
 */
import type { Clock } from "../../domain/clock.ts";
import type { Courier, Delivery, DeliveryRecipient } from "../../domain/delivery.ts";
import type { ContentStore } from "../../domain/event-log.ts";
import type { DeliveryOutcome } from "../../domain/smtp-result.ts";
import { type Carry, carrier } from "./carry.ts";
import { type KeptLimits, keptSessions } from "./kept-sessions.ts";
import { mailContent } from "./mail-content.ts";
import type { Timeouts } from "./open-session.ts";
import { INTERRUPTED, recordOutcomes, rejectedBy } from "./outcome.ts";
import { type Scope, scopeOf } from "./scope.ts";
import { type Route, transportFor } from "./transport.ts";
import { permanent, temporary, type Trouble } from "./trouble.ts";
import { type WayOptions, ways } from "./ways.ts";

export type CourierOptions = WayOptions & {
  readonly contents: Pick<ContentStore, "open">;
  readonly clock: Clock;
  /** The first that matches is taken. */
  readonly routes: readonly Route[];
  /** Longest that an attempt takes in all. Default 10 minutes. */
  readonly deadlineMs?: number;
  readonly timeouts?: Partial<Timeouts>;
  readonly kept?: Partial<KeptLimits>;
  /** PEM certificates to trust in place of the well-known authorities. */
  readonly trustedCertificates?: readonly string[];
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

/** Transactions of one delivery at the same time, where each recipient has its own. */
const MAX_PARALLEL = 20;

/** The library writes addresses between angle brackets and refuses those that hold some, quoted as they may be. */
const UNSENDABLE = /[<>\r\n]/u;

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
  const { contents, clock, onError } = options;

  const findWay = ways(options);

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
    const plan = await findWay(delivery, transport, scope);
    if ("permanent" in plan) return refuse(sendable, plan);
    const stored = await contents.open(delivery.contentId);
    if (stored === undefined) return refuse(sendable, permanent("the content of the message is gone"));

    const content = await mailContent(stored, (error) => onError?.(error));
    const { mailFrom: from, eightBit, smtpUtf8, envelopeId, returnContent } = delivery;
    const carryFor = async (recipients: readonly DeliveryRecipient[]): Promise<void> => {
      const dsn = new Map(recipients.map((recipient) => [recipient.address, recipient]));
      const common = { from, content, eightBit, smtpUtf8, envelopeId, returnContent, requireTls: plan.requireTls };
      const carried = await carry(plan.way, { ...common, to: [...dsn.keys()], dsn }, scope);
      recordOutcomes(outcomes, recipients, carried, facts(), scope.stopped());
    };
    if (plan.eachAlone) await inParallel(sendable, (recipient) => carryFor([recipient]));
    else await carryFor(sendable);
    return outcomes;
  };
};

/** The courier. `close` closes kept sessions; what is under way is ended by its own signal. */
export const courier = (options: CourierOptions): Courier => {
  const { clock, routes, trustedCertificates, deadlineMs = DEADLINE_MS, onError } = options;
  const timeouts = { ...TIMEOUTS, ...options.timeouts };
  const sessions = keptSessions({ ...KEPT, ...options.kept });
  const openOptions = { timeouts, ...(trustedCertificates === undefined ? {} : { trustedCertificates }) };
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
