/**
 * The admin API over HTTP: everything under /admin/api/v0/ behind the admin's login. Routes answer data; here that
 * becomes statuses, headers and bodies. Errors are `{error: {code, message}}`.
 */
import { Readable } from "node:stream";
import Router from "@koa/router";
import type { Context, Middleware } from "koa";
import { parseJson } from "../bounded-json.ts";
import { answerContent } from "../content-body.ts";
import type { BodyReader } from "../request-body.ts";
import { refused, statusOf, type Answer, type Refusal } from "./answer.ts";
import { eventRoutes } from "./event-routes.ts";
import { adminGuard, crossOrigin, type GuardOptions } from "./guard.ts";
import { holdRuleRoutes, suppressionRoutes } from "./list-routes.ts";
import type { AdminParts } from "./options.ts";
import { queueRoutes } from "./queue-routes.ts";
import type { Route } from "./route.ts";
import { receivedRoutes, stateRoutes } from "./state-routes.ts";
import { webhookRoutes } from "./webhook-routes.ts";

const MAX_BODY_OCTETS = 1024 * 1024;
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "DELETE"]);

export type AdminRoutesOptions = AdminParts &
  GuardOptions & {
    readonly bodies: BodyReader;
    /** Path that the whole server stands below; empty for the root. */
    readonly basePath?: string;
    /** Ends followed logs when the server stops. */
    readonly stopping: AbortSignal;
    /** Told of what should not have happened; the client learns only that something did. */
    readonly onError: (error: unknown) => void;
  };

const refuse = (ctx: Context, refusal: Refusal): void => {
  const { code, message } = refusal;
  ctx.status = statusOf(refusal);
  if (code === "unauthorized") ctx.set("WWW-Authenticate", 'Basic realm="Posthorn admin", charset="UTF-8"');
  ctx.body = { error: { code, message } };
};

const send = (ctx: Context, answer: Answer, stopping: AbortSignal): void => {
  switch (answer.kind) {
    case "refused":
      refuse(ctx, answer);
      return;
    case "json":
      ctx.body = answer.body;
      return;
    case "download":
      ctx.type = answer.contentType;
      ctx.attachment(answer.fileName);
      answerContent(ctx, answer.content);
      return;
    case "stream": {
      const gone = new AbortController();
      ctx.res.once("close", () => {
        gone.abort();
      });
      ctx.set("X-Accel-Buffering", "no");
      ctx.type = answer.contentType;
      ctx.body = Readable.from(answer.chunks(AbortSignal.any([gone.signal, stopping])));
    }
  }
};

const readBody = async (ctx: Context, bodies: BodyReader): Promise<{ readonly value: unknown } | Refusal> => {
  if (ctx.request.type.toLowerCase() !== "application/json") return refused("unsupportedMediaType", "the body must be application/json");
  try {
    const body = await bodies.read(ctx.req, MAX_BODY_OCTETS);
    if (body.kind === "tooLarge") return refused("tooLarge", `the body is larger than ${MAX_BODY_OCTETS} octets`);
    if (body.kind === "busy") return refused("busy", "too many requests at once, try again");
    if (body.kind !== "read") return refused("tooSlow", "the body did not arrive in time");
    const parsed = parseJson(body.octets.toString("utf8"));
    return parsed.ok ? parsed : refused("badJson", parsed.fault);
  } finally {
    bodies.release(ctx.req);
  }
};

const paramsOf = (ctx: Context): Readonly<Record<string, string>> => {
  const params = ctx["params"] as Readonly<Record<string, string | undefined>> | undefined;
  return Object.fromEntries(Object.entries(params ?? {}).map(([name, value]) => [name, value ?? ""]));
};

const answerOf = async (ctx: Context, { method, answer }: Route, bodies: BodyReader): Promise<Answer> => {
  const body = method === "POST" ? await readBody(ctx, bodies) : { value: undefined };
  if ("kind" in body) return body;
  const query = new URLSearchParams(ctx.querystring);
  return answer({ params: paramsOf(ctx), query, body: body.value, header: (name) => ctx.get(name) });
};

const routesOf = (parts: AdminParts): readonly Route[] => [
  ...queueRoutes(parts),
  ...webhookRoutes(parts),
  ...suppressionRoutes(parts),
  ...holdRuleRoutes(parts),
  ...eventRoutes(parts),
  ...receivedRoutes(parts),
  ...stateRoutes(parts),
];

/** The middleware that answers under `<basePath>/admin/api/`, and passes on everything else. */
export const adminRoutes = (options: AdminRoutesOptions): Middleware => {
  const { bodies, basePath = "", stopping, onError } = options;
  const guard = adminGuard(options);
  const root = `${basePath}/admin/api`;
  const router = new Router({ prefix: `${root}/v0`, sensitive: true, strict: true });
  for (const route of routesOf(options)) {
    router.register(route.path, [route.method], async (ctx) => {
      send(ctx, await answerOf(ctx, route, bodies), stopping);
    });
  }
  const dispatch = router.routes() as unknown as Middleware;

  const otherMethods = (path: string): readonly string[] => [
    ...new Set(router.stack.filter((layer) => layer.match(path)).flatMap(({ methods }) => methods)),
  ];

  const guarded = async (ctx: Context): Promise<void> => {
    const refusal = (await guard(ctx.req)) ?? (["GET", "HEAD"].includes(ctx.method) ? undefined : crossOrigin(ctx.req));
    if (refusal !== undefined) {
      refuse(ctx, refusal);
      return;
    }
    let missed = !METHODS.has(ctx.method);
    if (!missed) {
      await dispatch(ctx, () => {
        missed = true;
        return Promise.resolve();
      });
    }
    if (!missed) return;
    const allowed = otherMethods(ctx.path);
    if (allowed.length > 0) ctx.set("Allow", allowed.join(", "));
    refuse(
      ctx,
      allowed.length > 0 ? refused("methodNotAllowed", `use ${allowed.join(" or ")} here`) : refused("notFound", "there is nothing here"),
    );
  };

  return async (ctx, next) => {
    if (ctx.path !== root && !ctx.path.startsWith(`${root}/`)) {
      await next();
      return;
    }
    ctx.set({
      "Cache-Control": "no-store",
      "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
      "X-Content-Type-Options": "nosniff",
    });
    try {
      await guarded(ctx);
    } catch (error) {
      onError(error);
      refuse(ctx, refused("server", "something went wrong here; the server's log says what"));
    }
  };
};
