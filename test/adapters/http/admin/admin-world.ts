/**
 * A whole server but for what moves mail: real log, views and operations in memory and a temporary folder, with the
 * admin API and local mode's pages on a real socket. Tests say what happened, then ask over HTTP.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { createServer, request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import Koa from "koa";
import { failureLimiter } from "../../../../src/adapters/auth/failure-limiter.ts";
import { codec } from "../../../../src/adapters/event-store/codec.ts";
import { eventLog } from "../../../../src/adapters/event-store/event-log.ts";
import { memoryStore } from "../../../../src/adapters/event-store/memory.ts";
import { adminRoutes } from "../../../../src/adapters/http/admin/admin-routes.ts";
import type { AdminQueries } from "../../../../src/adapters/http/admin/queries.ts";
import { localPages } from "../../../../src/adapters/http/local/local-pages.ts";
import { bodyReader } from "../../../../src/adapters/http/request-body.ts";
import { openViews } from "../../../../src/adapters/views/open-views.ts";
import { parseCursor } from "../../../../src/adapters/views/queries/page.ts";
import type { EventLog, NewContent } from "../../../../src/domain/event-log.ts";
import type { DomainEvent } from "../../../../src/domain/events.ts";
import { callOperations, holdRuleOperations, queueOperations, suppressionList } from "../../../../src/domain/operations/operations.ts";
import { parseRecipientStream } from "../../../../src/domain/recipient/events.ts";
import { actorRuntime } from "../../../../src/domain/runtime/actor.ts";
import { holdRulesKind, messageKind, recipientKind, webhookKind } from "../../../../src/domain/runtime/kinds.ts";
import { DAY_MS } from "../../../../src/domain/clock.ts";
import { aMessage, NOON } from "../../../support/samples.ts";
import { virtualClock } from "../../../support/virtual-clock.ts";

export const PASSWORD = "a right password";

export const LOGIN = `Basic ${Buffer.from(`admin:${PASSWORD}`).toString("base64")}`;

const runtimes = (log: EventLog, now: () => number) => {
  let id = 5_000;
  const nextId = (): number => (id += 1);
  const policy = { keepRetiredMs: DAY_MS, uncertainDelivery: "wait" } as const;
  return {
    messages: actorRuntime({
      log,
      kind: messageKind,
      terms: () => ({ now: now(), spread: 0, callIds: [nextId(), nextId()] as const, policy }),
      remember: 100,
    }),
    webhooks: actorRuntime({ log, kind: webhookKind, terms: () => ({ now: now(), spread: 0, keepRetiredMs: DAY_MS }), remember: 100 }),
    recipients: actorRuntime({
      log,
      kind: recipientKind,
      terms: (stream) => ({ now: now(), id: nextId(), ...parseRecipientStream(stream) }),
      remember: 100,
    }),
    holdRules: actorRuntime({ log, kind: holdRulesKind, terms: () => ({ now: now(), id: nextId() }), remember: 1 }),
  };
};

const close = async (server: Server): Promise<void> => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
};

/** What stands at a path such as `error.code` in an answer; undefined where nothing does. */
const valueAt = (json: unknown, path: string): unknown =>
  path.split(".").reduce<unknown>((value, key) => (value as Readonly<Record<string, unknown>> | null | undefined)?.[key], json);

export type WorldOptions = { readonly withoutPassword?: boolean; readonly brokenQueries?: boolean };

/** Builds it. `stop` leaves nothing running. */
export const adminWorld = async ({ withoutPassword = false, brokenQueries = false }: WorldOptions = {}) => {
  const directory = await mkdtemp(join(tmpdir(), "posthorn-admin-"));
  const clock = virtualClock(NOON);
  const store = memoryStore();
  const log = eventLog(store, codec);
  const errors: unknown[] = [];
  const views = await openViews({ store, directory, onFailure: (error) => errors.push(error) });
  const { readModel } = views;
  const { messages, webhooks, recipients, holdRules } = runtimes(log, clock.now);
  const stopping = new AbortController();
  const account = { name: "shop" } as never;
  const passwords: string[] = [];
  const broken = new Proxy({} as AdminQueries, {
    get: () => () => {
      throw new Error("the views are closed");
    },
  });
  const queries: AdminQueries = brokenQueries ? broken : views.queries;
  const onError = (error: unknown): void => void errors.push(error);

  const app = new Koa({ env: "test" });
  app.silent = true;
  app.use(
    adminRoutes({
      queries,
      parseCursor,
      views: { position: readModel.position, digest: () => views.digest() },
      log,
      content: store.contents,
      queue: queueOperations({ log, messages, readModel }),
      calls: callOperations({ webhooks, readModel }),
      holdRules: holdRuleOperations({ holdRules, readModel }),
      suppressions: suppressionList({ recipients, readModel }),
      directory: { account: (name) => (name === "shop" ? account : undefined) },
      transports: new Set(["relay"]),
      clock,
      checkPassword: withoutPassword
        ? undefined
        : async (attempt) => {
            passwords.push(attempt);
            return attempt === PASSWORD;
          },
      limiter: failureLimiter(clock),
      trustForwarded: false,
      bodies: bodyReader(),
      stopping: stopping.signal,
      onError,
    }),
  );
  app.use(
    localPages({
      queries,
      parseCursor,
      log,
      content: store.contents,
      clock,
      info: () => ({
        version: "0.1.0",
        listeners: [
          { protocol: "SMTP", address: "127.0.0.1", port: 1025, what: "receives mail for any address" },
          { protocol: "HTTP", address: "127.0.0.1", port: 1080, what: "these pages, the webapi and the admin API" },
        ],
        login: { address: "local@localhost", password: 'it\'s "posthorn"' },
        adminPassword: "posthorn",
        webhookUrl: undefined,
        incomingWebhookUrl: undefined,
        dataDir: "/var/lib/posthorn",
      }),
      onError,
    }),
  );
  const handle = app.callback();
  const server = createServer((request, response) => void handle(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const base = `http://127.0.0.1:${port}`;

  return {
    clock,
    log,
    views,
    errors,
    passwords,
    port,
    base,
    /** Stores events at the end of a stream; answers when the views show them. */
    tell: async (stream: string, events: readonly DomainEvent[], contents: readonly NewContent[] = []): Promise<void> => {
      const before = await log.read(stream);
      const result = await log.append([{ stream, expectedRevision: before.length - 1, events }], contents);
      if (!result.appended) throw new Error(`conflict at ${stream}`);
      await readModel.passed(result.position);
    },
    /** Queues messages with these ids, a minute apart. */
    queue: async (ids: readonly number[], changes: Partial<ReturnType<typeof aMessage>> = {}): Promise<void> => {
      const result = await log.append(
        ids.map((id, index) => ({
          stream: `message-${id}`,
          expectedRevision: -1,
          events: [
            { type: "MessageQueued", at: NOON + index, ...aMessage({ id, nextAttemptAt: NOON + index * 60_000, ...changes }) } as const,
          ],
        })),
      );
      if (result.appended) await readModel.passed(result.position);
    },
    /** An API call as the admin. */
    call: async (
      path: string,
      init: { readonly method?: string; readonly body?: unknown; readonly headers?: Record<string, string> } = {},
    ) => {
      const { method = init.body === undefined ? "GET" : "POST", body, headers = {} } = init;
      const response = await fetch(`${base}/admin/api/v0${path}`, {
        method,
        headers: { authorization: LOGIN, ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
      const json: unknown = isJson ? JSON.parse(text) : undefined;
      return { status: response.status, headers: response.headers, text, json, get: (path: string) => valueAt(json, path) };
    },
    /** A request with its target and headers exactly as given. */
    raw: (
      target: string,
      headers: Readonly<Record<string, string>> = {},
    ): Promise<{ readonly status: number; readonly headers: Record<string, unknown>; readonly text: string }> =>
      new Promise((resolve, reject) => {
        const sent = httpRequest({ host: "127.0.0.1", port, path: target, headers, agent: false }, (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("end", () => {
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString() });
          });
        });
        sent.on("error", reject);
        sent.end();
      }),
    stopFollowers: () => {
      stopping.abort();
    },
    stop: async (): Promise<void> => {
      stopping.abort();
      await close(server);
      await views.close();
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
};

export type AdminWorld = Awaited<ReturnType<typeof adminWorld>>;
