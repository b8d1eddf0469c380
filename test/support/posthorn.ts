/**
 * A whole Posthorn for journeys: real sockets, real files in a directory of its own, and a clock that the test moves. Around
 * it a smarthost and a webhook receiver that do as told.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Config } from "../../src/adapters/config/schema.ts";
import { validateConfig } from "../../src/adapters/config/validate.ts";
import type { WorkKind } from "../../src/domain/runtime/read-model.ts";
import { REACTIONS_CHECKPOINT } from "../../src/domain/reactions/reactions.ts";
import type { Network } from "../../src/server/outbound.ts";
import { startPosthorn, type Posthorn } from "../../src/server/start.ts";
import { eventWatch, type EventWatch } from "./event-watch.ts";
import { adminCall, webapiCall, type ApiAnswer, type Login } from "./http-client.ts";
import { scriptedRemote, type RemoteOptions, type ScriptedRemote } from "./scripted-remote.ts";
import { virtualClock, type VirtualClock } from "./virtual-clock.ts";
import { webhookReceiver, type WebhookReceiver } from "./webhook-receiver.ts";

export const LOGIN: Login = { user: "orders@shop.example", password: "a secret of the shop" };
const ADMIN_PASSWORD = "a secret of the operator";

/** The token that the shop's receiver expects. */
export const WEBHOOK_TOKEN = "Bearer tell-me";

type Json = Readonly<Record<string, unknown>>;

export type HouseOptions = {
  /** Data that there is already, and when it is taken up again. The house removes it in the end. */
  readonly directory?: string;
  readonly startAt?: number;
  readonly remote?: RemoteOptions;
  /** Changes to the configuration, to the account `shop` and to its webhook. `webhook: null`: it has none. */
  readonly config?: Json | ((hook: string) => Json);
  readonly account?: Json;
  readonly webhook?: Json | null;
  /** What stands for the internet where mail goes direct. */
  readonly network?: Network;
};

export type Submission = { readonly Address: string; readonly QueueMsgID: number; readonly FromID: string };
export type SendAnswer = { readonly MessageID: string; readonly Submissions: readonly Submission[] };

export type House = {
  readonly directory: string;
  readonly clock: VirtualClock;
  readonly remote: ScriptedRemote;
  readonly receiver: WebhookReceiver;
  readonly posthorn: () => Posthorn;
  readonly base: () => string;
  readonly events: EventWatch["events"];
  readonly awaitEvent: EventWatch["first"];
  /** Calls the webapi as the shop. */
  readonly webapi: (method: string, request: unknown, login?: Login) => Promise<ApiAnswer>;
  /** Sends to one address, or what the request says; fails the test when it is refused. */
  readonly send: (request: string | Json) => Promise<SendAnswer>;
  /** As `send`, for one recipient: its id. */
  readonly sendTo: (address: string, more?: Json) => Promise<number>;
  readonly admin: <Answer = Json>(method: string, path: string, body?: unknown) => Promise<Answer>;
  /** The items of a list of the admin API. */
  readonly list: <Row = Json>(path: string) => Promise<readonly Row[]>;
  /** Resolves when there is nothing to do until time moves. */
  readonly quiet: () => Promise<void>;
  /** Moves time, stopping wherever something falls due until that has happened. */
  readonly pass: (ms: number) => Promise<void>;
  /** As `pass`, to an instant. */
  readonly passTo: (at: number) => Promise<void>;
  /**
   * What the log of the server said about trouble, and errors with which it cannot go on; the test fails after its end
   * unless it takes them out.
   */
  readonly troubles: unknown[];
  readonly start: () => Promise<void>;
  /** Stops the server; what does not end by itself is given up, and virtual time moves on meanwhile. */
  readonly stop: () => Promise<void>;
};

const KINDS: readonly WorkKind[] = ["deliver", "call", "interrupt", "remove", "delete"];

/** Between two looks at whether all is quiet. */
const LOOK_AGAIN_MS = 2;
const QUIET_LIMIT_MS = 30_000;
/** Deliveries that are due and do not begin for so long wait for a destination's pace: for time to move. */
const PACED_MS = 300;
const GRACE_MS = 1_000;

const configFor = (directory: string, remotePort: number, hook: string, { config, account, webhook }: HouseOptions): Config => {
  const value = {
    hostName: "posthorn.example",
    dataDir: directory,
    logLevel: "silent",
    adminPassword: ADMIN_PASSWORD,
    listeners: { web: { kind: "http", address: "127.0.0.1", port: 0, allowInsecureLogin: true } },
    domains: { "shop.example": { catchAllSeparator: "+" } },
    accounts: {
      shop: {
        addresses: [LOGIN.user, "shop@shop.example"],
        password: LOGIN.password,
        fullName: "The Shop",
        ...(webhook === null ? {} : { outgoingWebhook: { url: hook, authorization: WEBHOOK_TOKEN, ...webhook } }),
        ...account,
      },
    },
    transports: { smarthost: { kind: "smarthost", host: "127.0.0.1", port: remotePort, tls: "none" } },
    routes: [{ transport: "smarthost" }],
    webhooks: { allowedNetworks: ["127.0.0.0/8"] },
    ...(typeof config === "function" ? config(hook) : config),
  };
  const result = validateConfig({ value, source: "journey", lineOf: () => null, directory }, {}, directory);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.config;
};

/** What there is to do before time has to move; empty when nothing. */
const unrest = async ({ store, views: { readModel } }: Posthorn, now: number): Promise<readonly string[]> => {
  const head = store.head();
  const reacted = await store.loadCheckpoint(REACTIONS_CHECKPOINT);
  return [
    ...(readModel.position() === store.head() ? [] : [`the views are at ${readModel.position()} of ${store.head()}`]),
    ...(reacted >= head && head === store.head() ? [] : [`the reactions are at ${reacted} of ${store.head()}`]),
    ...readModel.openAttempts(1).map(({ stream }) => `an attempt of ${stream} is open`),
    ...KINDS.flatMap((kind) => readModel.due({ kind, at: now, perLane: 1, limit: 1 }).map(({ stream }) => `${kind} of ${stream} is due`)),
  ];
};

const open = async (options: HouseOptions) => {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), "posthorn-journey-"));
  const clock = virtualClock(options.startAt);
  const remote = await scriptedRemote(options.remote);
  const receiver = await webhookReceiver();
  const config = configFor(directory, remote.port, receiver.url, options);
  const watch = eventWatch();
  const troubles: unknown[] = [];
  let running: Posthorn | undefined;

  const posthorn = (): Posthorn => {
    if (running === undefined) throw new Error("the server does not run");
    return running;
  };
  const trouble = (what: unknown): void => void troubles.push(what);
  const nothing = (): void => undefined;
  const start = async (): Promise<void> => {
    const log = { debug: nothing, info: nothing, warn: nothing, error: trouble };
    running = await startPosthorn({ config, clock, log, version: "0.0.0", network: options.network, onFatal: trouble });
    watch.follow(running.store);
  };
  const stop = async (): Promise<void> => {
    if (running === undefined) return;
    const stopping = running.stop(GRACE_MS);
    running = undefined;
    const stopped = stopping.then(() => true);
    // The grace begins when the last connection is closed: virtual time follows until it is over.
    while (!(await Promise.race([stopped, pause(LOOK_AGAIN_MS, false)]))) if (clock.pending() > 0) clock.advance(GRACE_MS);
    await watch.ended();
    assert.equal(clock.pending(), 0, "timers are left behind");
  };
  const base = (): string => `http://127.0.0.1:${posthorn().listeners.get("web")?.port}`;
  const quiet = async (): Promise<void> => {
    const limit = performance.now() + QUIET_LIMIT_MS;
    let lastHead = -1;
    let movedAt = performance.now();
    for (;;) {
      const toDo = await unrest(posthorn(), clock.now());
      const head = posthorn().store.head();
      if (head !== lastHead) [lastHead, movedAt] = [head, performance.now()];
      const isPaced = toDo.every((what) => what.startsWith("deliver of ")) && clock.nextAt() !== undefined;
      if (isPaced && performance.now() - movedAt > PACED_MS) return;
      const fatal = troubles.find((trouble) => trouble instanceof Error);
      if (fatal !== undefined) throw new Error("the server cannot go on", { cause: fatal });
      if (toDo.length === 0) return;
      if (performance.now() > limit) throw new Error(`it never gets quiet: ${toDo.join("; ")}`);
      await pause(LOOK_AGAIN_MS);
    }
  };
  const passTo: House["passTo"] = async (at) => {
    await quiet();
    while (clock.now() < at) {
      const { nextDueAt } = posthorn().views.readModel;
      const next = Math.min(at, clock.nextAt() ?? at, ...KINDS.map((kind) => nextDueAt(kind, clock.now()) ?? at));
      clock.set(next);
      await quiet();
    }
  };
  const webapi: House["webapi"] = (method, request, login = LOGIN) => webapiCall(base(), login, method, request);
  const send: House["send"] = async (request) => {
    const simple = typeof request === "string" ? { To: [{ Address: request }] } : request;
    const { status, body } = await webapi("Send", { Subject: "Your order", Text: "Thanks.\n", ...simple });
    assert.equal(status, 200, JSON.stringify(body));
    return body as SendAnswer;
  };
  const admin: House["admin"] = async <Answer>(method: string, path: string, body?: unknown) => {
    const answer = await adminCall(base(), ADMIN_PASSWORD, method, path, body);
    assert.equal(answer.status, 200, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body as Answer;
  };

  const house: House = {
    ...{ directory, clock, remote, receiver, posthorn, base, webapi, send, admin, quiet, troubles, start, stop },
    events: watch.events,
    awaitEvent: watch.first,
    sendTo: async (address, more = {}) => {
      const { Submissions } = await send({ To: [{ Address: address }], ...more });
      return Submissions[0]!.QueueMsgID;
    },
    list: async <Row>(path: string) => (await admin<{ readonly items: readonly Row[] }>("GET", path)).items,
    pass: (ms) => passTo(clock.now() + ms),
    passTo,
  };
  const close = async (): Promise<void> => {
    try {
      await stop();
    } finally {
      await remote.close();
      await receiver.close();
      rmSync(directory, { recursive: true, force: true });
    }
  };
  return { house, close };
};

/** For a test file: opens houses and closes them after each test, which fails when one of them reported trouble. */
export const houses = (): ((options?: HouseOptions) => Promise<House>) => {
  const opened: Awaited<ReturnType<typeof open>>[] = [];
  afterEach(async () => {
    for (const { house, close } of opened.splice(0)) {
      await close();
      assert.deepEqual(house.troubles, [], "the server reported trouble");
    }
  });
  return async (options = {}) => {
    const one = await open(options);
    opened.push(one);
    await one.house.start();
    return one.house;
  };
};
