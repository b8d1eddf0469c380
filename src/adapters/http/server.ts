/** The HTTP server: one koa application that others mount their routes on, and listeners with limits on slow clients. */
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import Koa from "koa";
import type { Middleware } from "koa";
import type { Logger } from "pino";
import { SECOND_MS } from "../../domain/clock.ts";
import { awaitGoAhead } from "./go-ahead.ts";

export type HttpLog = Pick<Logger, "debug" | "info" | "warn" | "error">;

export type HttpAppOptions = {
  /** Routes, asked in order; each passes on what is not its own. */
  readonly mounts: readonly Middleware[];
  readonly log: HttpLog;
};

/** Name of the state field that holds the id of a request, also sent as X-Request-Id and part of what is logged. */
export const REQUEST_ID = "requestId";

const statusOf = (error: unknown): number => {
  const status = error instanceof Error && "status" in error ? error.status : undefined;
  return typeof status === "number" && status >= 400 && status < 500 ? status : 500;
};

/** What a mount throws is a bug or an outage, but for koa's own refusals of malformed requests. */
const answerErrors =
  (log: HttpLog): Middleware =>
  async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      ctx.status = statusOf(error);
      ctx.body = ctx.status === 500 ? "500 - internal server error" : `${ctx.status} - bad request`;
      const fields = { err: error, requestId: String(ctx.state[REQUEST_ID]), method: ctx.method, path: ctx.path };
      if (ctx.status === 500) log.error(fields, "http request failed");
      else log.debug(fields, "http request refused");
    }
  };

const identify = (): Middleware => {
  const prefix = randomBytes(6).toString("base64url");
  let count = 0;
  return (ctx, next) => {
    count += 1;
    const id = `${prefix}-${count.toString(36)}`;
    ctx.state[REQUEST_ID] = id;
    ctx.res.setHeader("X-Request-Id", id);
    ctx.res.setHeader("X-Content-Type-Options", "nosniff");
    return next();
  };
};

/** Builds the application. */
export const createHttpApp = ({ mounts, log }: HttpAppOptions): Koa => {
  const app = new Koa();
  app.on("error", (error: unknown) => {
    log.debug({ err: error }, "http response failed");
  });
  app.use(identify());
  app.use(answerErrors(log));
  for (const mount of mounts) app.use(mount);
  app.use((ctx) => {
    ctx.status = 404;
    ctx.body = "404 - not found";
  });
  return app;
};

export type ListenOptions = {
  readonly address: string;
  /** 0 = any free port. */
  readonly port: number;
  /** Key and certificate chain in PEM. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** A request's header must be complete within this time. */
  readonly headerTimeoutMs?: number;
  /** A connection that moves no octet for this long is closed, in a request or between two. */
  readonly idleTimeoutMs?: number;
  /** What is left of a request body after its answer was sent may take this long. */
  readonly lingerMs?: number;
  readonly maxConnections?: number;
};

export type Listener = {
  readonly address: string;
  readonly port: number;
  /** Takes no more connections, lets requests in progress finish, and cuts what is left after `graceMs`. */
  readonly close: (graceMs: number) => Promise<void>;
};

/** An answer may be given before the request's body has come: what follows of it is read and forgotten, for a while. */
const cutUnread = (request: IncomingMessage, lingerMs: number): void => {
  if (request.complete || request.destroyed) return;
  request.resume();
  const cut = setTimeout(() => request.socket.destroy(), lingerMs);
  request.once("close", () => {
    clearTimeout(cut);
  });
};

const closeServer = (server: Server, graceMs: number): Promise<void> =>
  new Promise((resolve) => {
    const cut = setTimeout(() => {
      server.closeAllConnections();
    }, graceMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });

/** Starts a listener. What is no HTTP at all is answered with 400 by node and cut off. Rejects when the address cannot be listened on. */
export const listen = async (app: Koa, options: ListenOptions): Promise<Listener> => {
  const { headerTimeoutMs = 20 * SECOND_MS, idleTimeoutMs = 120 * SECOND_MS, lingerMs = 5 * SECOND_MS } = options;
  const limits = {
    headersTimeout: headerTimeoutMs,
    // Bodies have their own deadline, which depends on their size.
    requestTimeout: 0,
    keepAliveTimeout: Math.min(75 * SECOND_MS, idleTimeoutMs),
    connectionsCheckingInterval: Math.min(5 * SECOND_MS, headerTimeoutMs),
    maxHeaderSize: 16_384,
  };
  const server: Server = options.tls === undefined ? createServer(limits) : createTlsServer({ ...limits, ...options.tls });
  server.maxHeadersCount = 200;
  server.maxConnections = options.maxConnections ?? 10_000;
  server.timeout = idleTimeoutMs;
  const handle = app.callback();
  let closing = false;
  /** Connections without a request so far: node does not count them as idle. */
  const unused = new Set<Socket>();
  server.on(options.tls === undefined ? "connection" : "secureConnection", (socket: Socket) => {
    unused.add(socket);
    socket.once("close", () => unused.delete(socket));
  });
  const take = (request: IncomingMessage, response: ServerResponse, asksToGoOn: boolean): void => {
    unused.delete(request.socket);
    if (closing) response.shouldKeepAlive = false;
    if (asksToGoOn) awaitGoAhead(request, response);
    response.once("close", () => {
      cutUnread(request, lingerMs);
      if (closing) setImmediate(() => server.closeIdleConnections());
    });
    void handle(request, response);
  };
  server.on("request", (request, response) => {
    take(request, response, false);
  });
  server.on("checkContinue", (request, response) => {
    take(request, response, true);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.address, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const { address, port } = server.address() as AddressInfo;
  const close = (graceMs: number): Promise<void> => {
    closing = true;
    for (const socket of unused) socket.destroy();
    return closeServer(server, graceMs);
  };
  return { address, port, close };
};
