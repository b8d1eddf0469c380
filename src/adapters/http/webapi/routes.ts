/** The addresses of the webapi: its methods, their pages, and the list of them (webapi v0). */
import type { Middleware } from "koa";
import { REQUEST_ID } from "../server.ts";
import { wireReader } from "../wire-reader.ts";
import { answerPage, answerPlain, answerWrongVerb } from "./answers.ts";
import type { Context } from "./answers.ts";
import type { Callable, CallOptions, CallOutcome } from "./call.ts";
import { callHandler } from "./call.ts";
import type { AnyMethod } from "./method.ts";
import { indexPage, methodPage } from "./pages.ts";

/** One call and what it came to: for metrics. */
export type CallRecord = { readonly method: string; readonly result: CallOutcome; readonly durationMs: number };

export type WebapiOptions = CallOptions & {
  /** Begins and ends with a slash, such as `/webapi/`. */
  readonly basePath: string;
  readonly methods: readonly AnyMethod[];
  readonly onCall?: (record: CallRecord) => void;
};

type Endpoint = Callable & { readonly page: string };

const VERSION = "v0/";

/** Builds the routes of the webapi, to be mounted in an application. */
export const webapiRoutes = (options: WebapiOptions): Middleware => {
  const { basePath, methods, log, onCall } = options;
  const call = callHandler(options);
  const root = basePath + VERSION;
  const index = indexPage(methods, root);
  const endpoints = new Map<string, Endpoint>(
    methods.map((method) => [method.name, { method, read: wireReader(method.request), page: methodPage(method, root) }]),
  );

  const serve = async (ctx: Context, endpoint: Endpoint): Promise<void> => {
    const startedAt = performance.now();
    const result = await call(ctx, endpoint);
    const { name } = endpoint.method;
    onCall?.({ method: name, result, durationMs: performance.now() - startedAt });
    if (result !== "ok") log.info({ requestId: String(ctx.state[REQUEST_ID]), method: name, result }, "webapi call refused");
  };

  const answerIndex = (ctx: Context, isRoot: boolean): void => {
    if (ctx.method !== "GET") answerWrongVerb(ctx, "GET");
    else if (isRoot) answerPage(ctx, index);
    else {
      ctx.redirect(root);
      ctx.status = 303;
    }
  };

  /** What lies under the base path, by the rest of the path after it. */
  const dispatch = (ctx: Context, rest: string): Promise<void> | undefined => {
    const endpoint = rest.startsWith(VERSION) ? endpoints.get(rest.slice(VERSION.length)) : undefined;
    if (endpoint !== undefined && ctx.method === "POST") return serve(ctx, endpoint);
    if (rest === "" || rest === VERSION) answerIndex(ctx, rest === VERSION);
    else if (endpoint === undefined) answerPlain(ctx, 404, "no such method");
    else if (ctx.method === "GET") answerPage(ctx, endpoint.page);
    else answerWrongVerb(ctx, "GET, POST");
    return undefined;
  };

  // A prefix and a map: the one hot path of the server has no use for a list of patterns to try.
  return (ctx, next) => (ctx.path.startsWith(basePath) ? dispatch(ctx, ctx.path.slice(basePath.length)) : next());
};
