/** The core with its adapters: event log, views, SMTP and webhooks out, metrics and logs. */
import type { Config } from "../adapters/config/schema.ts";
import { codec } from "../adapters/event-store/codec.ts";
import { eventLog } from "../adapters/event-store/event-log.ts";
import { rememberingContents } from "../adapters/event-store/recent-contents.ts";
import type { StoreWithContents } from "../adapters/event-store/event-store.ts";
import type { HttpLog } from "../adapters/http/server.ts";
import { senderReports } from "../adapters/mime/dsn-report.ts";
import { attemptLog } from "../adapters/observability/attempt-log.ts";
import type { Metrics } from "../adapters/observability/metrics.ts";
import { pooledRandom } from "../adapters/random/pooled-random.ts";
import type { Views } from "../adapters/views/open-views.ts";
import type { Directory } from "../domain/account/account.ts";
import type { Clock } from "../domain/clock.ts";
import type { EventLog } from "../domain/event-log.ts";
import { engine, type Engine } from "../domain/runtime/engine.ts";
import { courierFor, type LocalDelivery, type Network } from "./outbound.ts";
import { callerFor } from "./webhooks-out.ts";

export type CoreParts = {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: HttpLog;
  readonly userAgent: string;
  readonly store: StoreWithContents;
  readonly views: Views;
  readonly directory: Directory;
  readonly recorded: Metrics;
  readonly local: LocalDelivery | undefined;
  readonly network?: Network | undefined;
  readonly onFatal: (error: Error) => void;
};

export type Core = { readonly engine: Engine; readonly events: EventLog };

const random = pooledRandom();

/** 16 octets, base64url without padding (webapi: Send). */
const newFromId = (): string => random(16).toString("base64url");

const limitsOf = ({ delivery, webhooks }: Config) => ({
  deliveries: {
    total: delivery.maxConcurrent,
    perDomain: delivery.maxConcurrentPerDomain,
    perDomainPerMinute: delivery.maxPerMinutePerDomain,
  },
  calls: { total: webhooks.maxConcurrent, perHost: webhooks.maxConcurrentPerHost },
});

/** A rule of the file is named by what it says: it is added once, however often the server starts. */
const seedsOf = ({ holdRules }: Config) =>
  holdRules.map((rule) => ({ rule, seed: JSON.stringify([rule.account, rule.senderDomain, rule.recipientDomain]) }));

export const coreOf = (parts: CoreParts): Core => {
  const { config, clock, log, store, views, directory, recorded, local, onFatal, userAgent } = parts;
  const { log: events, contents } = rememberingContents({ log: eventLog(store, codec), contents: store.contents });
  const attempts = attemptLog(log);
  const trouble = (what: string, error: unknown): void => {
    recorded.trouble(what);
    log.error({ err: error, what }, "work failed and is tried again");
  };
  const troubleOf =
    (what: string) =>
    (error: unknown): void => {
      trouble(what, error);
    };
  const built = engine({
    log: events,
    contents,
    readModel: views.readModel,
    directory,
    clock,
    senderReports: senderReports({ hostName: config.hostName, random }),
    courier: courierFor(config, { contents, clock, local, log, network: parts.network, onError: troubleOf("delivery") }),
    caller: callerFor(config, { contents, clock, userAgent, onError: troubleOf("webhook") }),
    node: 0,
    random: Math.random,
    newFromId,
    limits: limitsOf(config),
    seedHoldRules: seedsOf(config),
    observe: {
      delivery: (message, attempt, outcome) => {
        recorded.delivery(outcome);
        attempts.delivery(message, attempt, outcome);
      },
      call: (call, attempt, outcome) => {
        recorded.call(outcome);
        attempts.call(call, attempt, outcome);
      },
      trouble,
      failure: (error) => {
        onFatal(new Error("the reactions to events have stopped", { cause: error }));
      },
    },
  });
  return { engine: built, events };
};
