/** A running Posthorn: every adapter built from the configuration, put around the core, started and stopped in order. */
import { readFileSync } from "node:fs";
import type { Config } from "../adapters/config/schema.ts";
import { directoryFrom } from "../adapters/directory/configured-directory.ts";
import type { StoreWithContents } from "../adapters/event-store/event-store.ts";
import { openSqliteStore } from "../adapters/event-store/sqlite/open.ts";
import { listen, type HttpLog } from "../adapters/http/server.ts";
import type { Metrics } from "../adapters/observability/metrics.ts";
import type { Room } from "../adapters/smtp-in/room.ts";
import { openViews, type Views } from "../adapters/views/open-views.ts";
import { parseCursor } from "../adapters/views/queries/page.ts";
import type { Directory } from "../domain/account/account.ts";
import type { Clock } from "../domain/clock.ts";
import type { Submit } from "../domain/submission/submission.ts";
import { coreOf, type Core } from "./core.ts";
import { httpApp, sharedHttp, type HttpParts, type HttpShared } from "./http.ts";
import { pagesFor, receiverFor, type LocalMode } from "./local-mode.ts";
import type { Network } from "./outbound.ts";
import { metricsFor, observabilityRoutes, type Watched } from "./observe.ts";
import type { ReceivingParts } from "./receiving.ts";
import { smtpRoom } from "./smtp-room.ts";
import { listenForSubmission } from "./submission.ts";

export type StartOptions = {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: HttpLog;
  readonly version: string;
  readonly local?: LocalMode | undefined;
  /** For tests: takes the place of what delivery asks of the internet. */
  readonly network?: Network | undefined;
  /** Something without which the server cannot go on has failed: the process should stop, and say why. */
  readonly onFatal: (error: Error) => void;
};

/** What a started server can be asked and told. */
export type Posthorn = {
  /** Name of each listener in the configuration, and where it listens. */
  readonly listeners: ReadonlyMap<string, { readonly address: string; readonly port: number }>;
  readonly views: Views;
  readonly store: StoreWithContents;
  /** Takes nothing new, lets what runs end within `graceMs`, then has it given up; closes everything. */
  readonly stop: (graceMs: number) => Promise<void>;
};

type Closing = (graceMs: number) => Promise<void>;

type Opened = { readonly listeners: Map<string, { readonly address: string; readonly port: number }>; readonly closing: Closing[] };

const pem = ({ certFile, keyFile }: { readonly certFile: string; readonly keyFile: string }) => ({
  cert: readFileSync(certFile, "utf8"),
  key: readFileSync(keyFile, "utf8"),
});

const listenHttp = async (config: Config, parts: HttpParts, shared: HttpShared, { listeners, closing }: Opened): Promise<void> => {
  for (const [name, listener] of Object.entries(config.listeners)) {
    if (listener.kind !== "http") continue;
    const { address, port, tls } = listener;
    const open = await listen(httpApp(listener, parts, shared), { address, port, ...(tls === undefined ? {} : { tls: pem(tls) }) });
    listeners.set(name, { address: open.address, port: open.port });
    closing.push(open.close);
  }
};

/** Local mode's SMTP port is open before the queue begins to deliver to it. */
const listenLocally = async ({ config, clock, log, local }: StartOptions, directory: Directory, room: Room, opened: Opened) => {
  if (local === undefined) return undefined;
  const { receiver, deliverTo, address } = receiverFor(config, local, { clock, directory, log, room });
  const port = await receiver.listen();
  opened.listeners.set(local.smtpListener, { address, port });
  return { deliverTo, close: receiver.close, delivery: { transport: local.transport, host: address, port } };
};

/** Mail from other servers. What checks where it comes from is large: it is loaded only where such mail comes in. */
const listenForMail = async (
  { config, local, ...options }: StartOptions,
  parts: Omit<ReceivingParts, "config" | "clock" | "log">,
  opened: Opened,
) => {
  const isWanted = Object.entries(config.listeners).some(([name, { kind }]) => kind === "smtp" && name !== local?.smtpListener);
  if (!isWanted) return;
  const receiving = await import("./receiving.ts");
  for (const { name, address, port, close } of await receiving.listenForMail({ config, ...options, ...parts }, local?.smtpListener)) {
    opened.listeners.set(name, { address, port });
    opened.closing.push(close);
  }
};

const httpParts = (options: StartOptions, { engine, events }: Core, directory: Directory, views: Views, store: StoreWithContents) => ({
  admin: {
    queries: views.queries,
    parseCursor,
    views: { position: views.readModel.position, digest: views.digest },
    log: events,
    content: store.contents,
    queue: engine.queue,
    calls: engine.calls,
    holdRules: engine.holdRules,
    suppressions: engine.suppressions,
    directory,
    transports: new Set(Object.keys(options.config.transports)),
    clock: options.clock,
  },
  directory,
  mailboxes: engine.mailboxes,
  contents: store.contents,
  suppressions: engine.suppressions,
  suppressionsOf: views.queries.suppressions,
  log: options.log,
  userAgent: `posthorn/${options.version}`,
});

/** What has to be closed when the start fails, in the order of opening. */
type Undo = (() => Promise<void>)[];

/** The event store and the views that follow it. */
const openStorage = async (
  { config, log }: StartOptions,
  { watched, recorded, undo, onFatal }: { watched: Watched; recorded: Metrics; undo: Undo; onFatal: (error: Error) => void },
) => {
  const { dataDir: directory } = config;
  const store = await openSqliteStore({ directory, onBroken: onFatal, onCommit: recorded.commit, onAppend: recorded.append });
  undo.push(store.close);
  watched.store = store;
  const onRebuild = (reason: string): void => {
    log.info({ reason }, "building the views from the log");
  };
  const views = await openViews({ store, directory, onFailure: onFatal, onRebuild });
  undo.push(views.close);
  watched.views = views;
  return { store, views };
};

const openAll = async (options: StartOptions, undo: Undo): Promise<Posthorn> => {
  const { config, clock, log, version, local } = options;
  const stopping = new AbortController();
  const watched: Watched = { store: undefined, views: undefined, fatal: undefined };
  const recorded = metricsFor(watched, clock, log);
  const onFatal = (error: Error): void => {
    watched.fatal = error;
    options.onFatal(error);
  };
  const opened: Opened = { listeners: new Map(), closing: [] };
  const directory = directoryFrom(config);
  const room = smtpRoom(config);
  const { store, views } = await openStorage(options, { watched, recorded, undo, onFatal });

  const receiver = await listenLocally(options, directory, room.strangers, opened);
  undo.push(async () => {
    await Promise.all([receiver?.close(), ...opened.closing.map((close) => close(0))]);
  });
  const shown = { userAgent: `posthorn/${version}`, recorded, local: receiver?.delivery, network: options.network };
  const core = coreOf({ config, clock, log, store, views, directory, onFatal, ...shown });
  const { engine, events } = core;
  const recovered = await engine.prepare();
  if (recovered > 0) log.warn({ attempts: recovered }, "closed the attempts that were open when the server last stopped");
  receiver?.deliverTo(engine.receive);

  const submit: Submit = async (submission) => {
    const result = await engine.submit(submission);
    if (result.accepted) recorded.messagesQueued(submission.source, result.queued.length);
    return result;
  };
  const parts: HttpParts = {
    ...httpParts(options, core, directory, views, store),
    submit,
    stopping: stopping.signal,
    recorded,
    observability: observabilityRoutes(watched, recorded, log),
    pages: local && pagesFor({ config, local, version, views, events, store, clock, log, ports: opened.listeners }),
  };
  await listenForMail(options, { directory, recorded, room: room.strangers, readModel: views.readModel, receive: engine.receive }, opened);
  const shared = sharedHttp(config, parts);
  await listenHttp(config, parts, shared, opened);
  await listenForSubmission({ config, clock, log, directory, submit, room: room.clients, shared, recorded }, (name, place, close) => {
    opened.listeners.set(name, place);
    opened.closing.push(close);
  });
  engine.start();

  const stop: Closing = async (graceMs) => {
    stopping.abort();
    await Promise.all(opened.closing.map((close) => close(graceMs)));
    await engine.stop(graceMs);
    await receiver?.close();
    await views.close();
    await store.close();
  };
  return { listeners: opened.listeners, views, store, stop };
};

/**
 * Opens, catches up, recovers, listens, and only then works.
 *
 * @throws when something cannot be opened; what was opened until then is closed again.
 */
export const startPosthorn = async (options: StartOptions): Promise<Posthorn> => {
  const undo: Undo = [];
  try {
    return await openAll(options, undo);
  } catch (error) {
    // Why it did not start is what matters.
    for (const close of undo.reverse()) await close().catch(() => undefined);
    throw error;
  }
};
