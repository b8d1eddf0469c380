/** A running Posthorn: every adapter built from the configuration, put around the core, started and stopped in order. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Config, HttpListenerConfig } from "../adapters/config/schema.ts";
import { directoryFrom } from "../adapters/directory/configured-directory.ts";
import { codec } from "../adapters/event-store/codec.ts";
import { eventLog } from "../adapters/event-store/event-log.ts";
import type { StoreWithContents } from "../adapters/event-store/event-store.ts";
import { openSqliteStore } from "../adapters/event-store/sqlite/open.ts";
import { listen, type HttpLog, type Listener } from "../adapters/http/server.ts";
import { openViews, type Views } from "../adapters/views/open-views.ts";
import { parseCursor } from "../adapters/views/queries/page.ts";
import type { Clock } from "../domain/clock.ts";
import { engine } from "../domain/runtime/engine.ts";
import { attemptLog } from "../adapters/observability/attempt-log.ts";
import type { Metrics } from "../adapters/observability/metrics.ts";
import { httpApp, sharedHttp, type HttpParts } from "./http.ts";
import { metricsFor, observabilityRoutes, type Watched } from "./observe.ts";
import { callerFor, courierFor, type LocalDelivery } from "./outbound.ts";

export type StartOptions = {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: HttpLog;
  readonly version: string;
  readonly local?: LocalDelivery;
  /** Something without which the server cannot go on has failed: the process should stop, and say why. */
  readonly onFatal: (error: Error) => void;
};

/** What a started server can be asked and told. */
export type Posthorn = {
  /** Name of the listener in the configuration, and where it listens. */
  readonly listeners: ReadonlyMap<string, { readonly address: string; readonly port: number }>;
  readonly views: Views;
  readonly store: StoreWithContents;
  /** Takes nothing new, lets what runs end within `graceMs`, then has it given up; closes everything. */
  readonly stop: (graceMs: number) => Promise<void>;
};

/** 16 octets, base64url without padding (webapi: Send). */
const newFromId = (): string => randomBytes(16).toString("base64url");

const httpListeners = (config: Config): readonly (readonly [string, HttpListenerConfig])[] =>
  Object.entries(config.listeners).flatMap(([name, listener]) => (listener.kind === "http" ? [[name, listener] as const] : []));

const pem = ({ certFile, keyFile }: { readonly certFile: string; readonly keyFile: string }) => ({
  cert: readFileSync(certFile, "utf8"),
  key: readFileSync(keyFile, "utf8"),
});

const openEngine = (options: StartOptions, store: StoreWithContents, views: Views, recorded: Metrics) => {
  const { config, clock, log, onFatal, local, version } = options;
  const attempts = attemptLog(log);
  const events = eventLog(store, codec);
  const directory = directoryFrom(config);
  const trouble = (what: string, error: unknown): void => {
    recorded.trouble(what);
    log.error({ err: error }, `${what} failed and is tried again`);
  };
  const core = engine({
    log: events,
    contents: store.contents,
    readModel: views.readModel,
    directory,
    clock,
    courier: courierFor(config, { contents: store.contents, clock, local, onError: (error) => { trouble("delivery", error); } }),
    caller: callerFor(config, clock, `posthorn/${version}`),
    node: 0,
    random: Math.random,
    newFromId,
    limits: {
      deliveries: { total: config.delivery.maxConcurrent, perDomain: config.delivery.maxConcurrentPerDomain },
      calls: { total: config.webhooks.maxConcurrent, perHost: config.webhooks.maxConcurrentPerHost },
    },
    seedHoldRules: config.holdRules.map((rule) => ({ rule, seed: JSON.stringify([rule.account, rule.senderDomain, rule.recipientDomain]) })),
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
  return { core, events, directory };
};

/** Opens, catches up, recovers, listens, and only then works. */
export const startPosthorn = async (options: StartOptions): Promise<Posthorn> => {
  const { config, clock, log, version } = options;
  const stopping = new AbortController();
  const watched: Watched = { store: undefined, views: undefined, fatal: undefined };
  const recorded = metricsFor(watched, clock, log);
  const onFatal = (error: Error): void => {
    watched.fatal = error;
    options.onFatal(error);
  };
  const store = await openSqliteStore({ directory: config.dataDir, onBroken: onFatal, onCommit: recorded.commit, onAppend: recorded.append });
  watched.store = store;
  const views = await openViews({
    store,
    directory: config.dataDir,
    onFailure: onFatal,
    onRebuild: (reason) => {
      log.info({ reason }, "building the views from the log");
    },
  });
  watched.views = views;
  const { core, events, directory } = openEngine({ ...options, onFatal }, store, views, recorded);
  const recovered = await core.prepare();
  if (recovered > 0) log.warn({ attempts: recovered }, "closed the attempts that were open when the server last stopped");

  const parts: HttpParts = {
    admin: {
      queries: views.queries,
      parseCursor,
      views: { position: views.readModel.position, digest: views.digest },
      log: events,
      content: store.contents,
      queue: core.queue,
      calls: core.calls,
      holdRules: core.holdRules,
      suppressions: core.suppressions,
      directory,
      transports: new Set(Object.keys(config.transports)),
      clock,
    },
    directory,
    submit: async (submission) => {
      const result = await core.submit(submission);
      if (result.accepted) recorded.messagesQueued(submission.source, result.queued.length);
      return result;
    },
    suppressions: core.suppressions,
    suppressionsOf: views.queries.suppressions,
    log,
    stopping: stopping.signal,
    userAgent: `posthorn/${version}`,
    recorded,
    observability: observabilityRoutes(watched, recorded, log),
    pages: undefined,
  };
  const shared = sharedHttp(config, parts);
  const open = new Map<string, Listener>();
  for (const [name, listener] of httpListeners(config)) {
    const { address, port, tls } = listener;
    open.set(name, await listen(httpApp(listener, parts, shared), { address, port, ...(tls === undefined ? {} : { tls: pem(tls) }) }));
  }
  core.start();

  const stop = async (graceMs: number): Promise<void> => {
    stopping.abort();
    await Promise.all([...open.values()].map((listener) => listener.close(graceMs)));
    await core.stop(graceMs);
    await views.close();
    await store.close();
  };
  return { listeners: open, views, store, stop };
};

