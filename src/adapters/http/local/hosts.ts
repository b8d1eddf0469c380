/**
 * Local mode has no secrets and one protection: it answers this machine only. A page of another site could still reach
 * it from a browser here, by a name of its own that suddenly means 127.0.0.1 (DNS rebinding). Such a request carries
 * that name, so names other than localhost are refused; addresses cannot be rebound.
 */
import { isIP } from "node:net";
import type { Context, Middleware } from "koa";

/** Whether a Host header names this machine. `alsoAllowed`: other names it goes by, such as a container's, lower-case. */
export const isLocalHost = (host: string | undefined, alsoAllowed: readonly string[] = []): boolean => {
  if (host === undefined || !/^[A-Za-z0-9.:[\]_-]{1,255}$/u.test(host)) return false;
  const name = URL.parse(`http://${host}/`)?.hostname;
  if (name === undefined) return false;
  const isAddress = isIP(name.replace(/^\[|\]$/gu, "")) !== 0;
  return isAddress || name === "localhost" || name.endsWith(".localhost") || alsoAllowed.includes(name);
};

const refuse = (ctx: Context): void => {
  ctx.status = 403;
  ctx.type = "text/plain";
  ctx.body = "In local mode this server answers to the name localhost only.\n";
};

/** Answers only requests that name this machine: for every listener of local mode, before anything else. */
export const localHostsOnly =
  (alsoAllowed: readonly string[] = []): Middleware =>
  (ctx, next) => {
    if (isLocalHost(ctx.req.headers.host, alsoAllowed)) return next();
    refuse(ctx);
    return Promise.resolve();
  };
