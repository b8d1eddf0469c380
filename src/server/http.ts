/** What the HTTP listeners serve: webapi, admin API, metrics and health, and in local mode the pages. */
import { readFileSync } from "node:fs";
import type Koa from "koa";
import type { Middleware } from "koa";
import type { Config, HttpListenerConfig } from "../adapters/config/schema.ts";
import { adminRoutes } from "../adapters/http/admin/admin-routes.ts";
import type { AdminParts } from "../adapters/http/admin/options.ts";
import { authenticator } from "../adapters/auth/authenticator.ts";
import { basicLogin } from "../adapters/http/auth/basic-login.ts";
import { failureLimiter } from "../adapters/auth/failure-limiter.ts";
import { matchesHash, parsePasswordHash, samePassword } from "../adapters/auth/password-hash.ts";
import { localHostsOnly } from "../adapters/http/local/hosts.ts";
import { bodyReader } from "../adapters/http/request-body.ts";
import { createHttpApp, type HttpLog } from "../adapters/http/server.ts";
import { webapiRoutes, type CallRecord } from "../adapters/http/webapi/routes.ts";
import { messageMethods } from "../adapters/http/webapi/message-methods.ts";
import { sendMethod } from "../adapters/http/webapi/send.ts";
import { suppressionMethods } from "../adapters/http/webapi/suppression-methods.ts";
import { pooledRandom } from "../adapters/random/pooled-random.ts";
import type { Metrics } from "../adapters/observability/metrics.ts";
import { composer } from "../adapters/mime/compose.ts";
import { readMail } from "../adapters/mime/reader/read-mail.ts";
import { readPart } from "../adapters/mime/reader/read-part.ts";
import { dkimKey, dkimSigner, type DkimSelector } from "../adapters/mime/dkim.ts";
import type { Directory } from "../domain/account/account.ts";
import type { ContentStore } from "../domain/event-log.ts";
import type { Mailboxes } from "../domain/received/mailboxes.ts";
import type { Suppression, SuppressionList } from "../domain/recipient/service.ts";
import type { Submit } from "../domain/submission/submission.ts";

export type HttpParts = {
  readonly admin: AdminParts;
  readonly directory: Directory;
  readonly submit: Submit;
  readonly suppressions: SuppressionList;
  readonly mailboxes: Mailboxes;
  readonly contents: Pick<ContentStore, "open">;
  readonly suppressionsOf: (account: string) => readonly Suppression[];
  readonly log: HttpLog;
  readonly stopping: AbortSignal;
  readonly userAgent: string;
  readonly recorded: Pick<Metrics, "apiCall" | "loginFailed">;
  /** `/metrics` and `/healthz` below a base path. */
  readonly observability: (basePath: string) => Middleware;
  /** Local mode's pages; undefined otherwise. */
  readonly pages: Middleware | undefined;
};

/** Every listener shares these: a login's failures count wherever they come in. */
export type HttpShared = ReturnType<typeof sharedHttp>;

const signerFor = (config: Config, clock: AdminParts["clock"]) => {
  const selectors = new Map(
    Object.entries(config.domains).map(([name, { dkim }]): [string, readonly DkimSelector[]] => [
      name,
      dkim.map(({ selector, keyFile, headers }) => ({
        selector,
        key: dkimKey(readFileSync(keyFile, "utf8")),
        ...(headers === undefined ? {} : { headers }),
      })),
    ]),
  );
  return dkimSigner((domain) => selectors.get(domain) ?? [], clock);
};

/** Undefined when there is no admin password: then nobody is the admin. */
const adminCheck = ({ adminPassword, adminPasswordHash }: Config): ((attempt: string) => Promise<boolean>) | undefined => {
  if (adminPassword !== undefined) return async (attempt) => samePassword(attempt, adminPassword);
  const hash = adminPasswordHash === undefined ? undefined : parsePasswordHash(adminPasswordHash);
  return hash && ((attempt) => matchesHash(attempt, hash));
};

/** What requests may hold in memory together; room for the largest one in any case, which takes three times a message. */
const BUFFERED_OCTETS = 256 * 1024 * 1024;

/** Builds what all listeners have in common. */
export const sharedHttp = (config: Config, parts: HttpParts) => {
  const { directory, submit, mailboxes, contents, suppressions, suppressionsOf, userAgent, admin } = parts;
  const { clock } = admin;
  const sign = signerFor(config, clock);
  const passwords = ({ password, passwordHash }: Config["accounts"][string]): string | undefined => passwordHash ?? password;
  return {
    sign,
    bodies: bodyReader({ maxBuffered: Math.max(BUFFERED_OCTETS, 4 * config.maxMessageSize) }),
    limiter: failureLimiter(clock),
    authenticator: authenticator({
      directory,
      clock,
      passwordOf: (name) => {
        const account = config.accounts[name];
        return account && passwords(account);
      },
    }),
    checkAdmin: adminCheck(config),
    methods: [
      sendMethod({
        directory,
        clock,
        submit,
        composer: composer({ hostname: config.hostName, userAgent, random: pooledRandom() }),
        sign,
        maxMessageSize: config.maxMessageSize,
      }),
      ...messageMethods({ mailboxes, contents, readMail, readPart }),
      ...suppressionMethods({ suppressionList: suppressions, suppressions: suppressionsOf }),
    ],
  };
};

/** Passwords must not come in the clear, unless the operator said that they may. */
const onlyOverTls =
  ({ tls, allowInsecureLogin, trustProxy, basePath }: HttpListenerConfig): Middleware =>
  (ctx, next) => {
    const behindTls = trustProxy && ctx.get("X-Forwarded-Proto").toLowerCase() === "https";
    const takesLogin = ctx.path.startsWith(`${basePath}/webapi/`) ? ctx.method === "POST" : ctx.path.startsWith(`${basePath}/admin/`);
    if (tls !== undefined || allowInsecureLogin || behindTls || !takesLogin) return next();
    ctx.status = 403;
    ctx.body = "403 - this listener takes no passwords over plain HTTP: use HTTPS, or set allowInsecureLogin";
    return undefined;
  };

/** The application of one listener. */
export const httpApp = (listener: HttpListenerConfig, parts: HttpParts, shared: HttpShared): Koa => {
  const { log, stopping, admin, recorded, observability, pages } = parts;
  const { bodies, limiter, methods, checkAdmin } = shared;
  const { basePath, trustProxy, services } = listener;
  const mounts: Middleware[] = [onlyOverTls(listener)];
  // Passwords of local mode are known to all: no other site's page may get to them by a name of its own.
  if (pages !== undefined) mounts.unshift(localHostsOnly());
  if (services.includes("webapi")) {
    const login = basicLogin({ authenticator: shared.authenticator, limiter, trustForwarded: trustProxy });
    const onCall = ({ method, result, durationMs }: CallRecord): void => {
      recorded.apiCall("webapi", method, result, durationMs);
      if (result === "unauthorized") recorded.loginFailed("webapi");
    };
    mounts.push(webapiRoutes({ basePath: `${basePath}/webapi/`, methods, login, bodies, log, onCall }));
  }
  if (services.includes("admin")) {
    const onError = (error: unknown): void => {
      log.error({ err: error }, "admin call failed");
    };
    mounts.push(
      adminRoutes({ ...admin, checkPassword: checkAdmin, limiter, trustForwarded: trustProxy, bodies, basePath, stopping, onError }),
    );
  }
  if (services.includes("metrics")) mounts.push(observability(basePath));
  if (pages !== undefined) mounts.push(pages);
  return createHttpApp({ mounts, log });
};
