/** One call of a webapi method, from the login to the answer. */
import { Stream } from "node:stream";
import { giveBack } from "../../../domain/content.ts";
import type { BasicLogin, BasicLoginResult } from "../auth/basic-login.ts";
import { parseJson } from "../bounded-json.ts";
import { parseForm } from "../form.ts";
import type { FormFile } from "../form.ts";
import type { BodyReader, BodyResult } from "../request-body.ts";
import type { HttpLog } from "../server.ts";
import { REQUEST_ID } from "../server.ts";
import type { WireReader } from "../wire-reader.ts";
import { answerJson, answerOctets, answerPlain, answerRefusal } from "./answers.ts";
import type { Context } from "./answers.ts";
import type { AnyMethod, Caller, ErrorCode, MethodResult } from "./method.ts";
import { refuse } from "./method.ts";

/** What a call came to: `ok`, an error code, or what kept it from becoming one. */
export type CallOutcome = ErrorCode | "ok" | "unauthorized" | "limited" | "busy" | "aborted";

/** A method with the reader of its requests. */
export type Callable = { readonly method: AnyMethod; readonly read: WireReader<unknown> };

export type CallOptions = { readonly login: BasicLogin; readonly bodies: BodyReader; readonly log: HttpLog };

/** Carries out the call that a POST asks for, and answers it. */
export type CallHandler = (ctx: Context, callable: Callable) => Promise<CallOutcome>;

type ReadRequest = { readonly ok: true; readonly request: unknown; readonly files: readonly FormFile[] } | ReturnType<typeof refuse>;

/** The request in a form: its JSON, read by the method's schema. */
const readRequest = (read: WireReader<unknown>, contentType: string | undefined, octets: Buffer): ReadRequest => {
  const form = parseForm(contentType, octets, ["request"]);
  if (!form.ok) return refuse("protocol", `parsing form: ${form.fault}`);
  // Fields are strings by now; only files are views of the octets.
  if (form.form.files.length === 0) giveBack(octets);
  const text = form.form.fields.get("request") ?? "";
  if (text === "") return refuse("protocol", "missing/empty request");
  const json = parseJson(text);
  if (!json.ok) return refuse("protocol", `parsing request: ${json.fault}`);
  const request = read(json.value);
  if (!request.ok) return refuse("protocol", `parsing request: ${request.fault}`);
  return { ok: true, request: request.value, files: form.form.files };
};

const answerBusy = (ctx: Context): CallOutcome => {
  ctx.set("Retry-After", "5");
  answerPlain(ctx, 503, "too many large requests at once, try again");
  return "busy";
};

const answerUnread = (ctx: Context, kind: Exclude<BodyResult["kind"], "read">, { tooLarge }: AnyMethod): CallOutcome => {
  if (kind === "tooLarge") {
    answerRefusal(ctx, tooLarge);
    return tooLarge.code;
  }
  if (kind === "busy") return answerBusy(ctx);
  answerPlain(ctx, 408, "request body did not arrive in time");
  return "aborted";
};

const OUTCOME_OF_STATUS = { 401: "unauthorized", 429: "limited", 503: "busy" } as const;

const answerLogin = (ctx: Context, { status, detail }: Extract<BasicLoginResult, { readonly ok: false }>): CallOutcome => {
  if (status === 401) ctx.set("WWW-Authenticate", "Basic realm=webapi");
  else ctx.set("Retry-After", status === 429 ? "60" : "5");
  answerPlain(ctx, status, detail);
  return OUTCOME_OF_STATUS[status];
};

/** Builds a {@link CallHandler}. */
export const callHandler = ({ login, bodies, log }: CallOptions): CallHandler => {
  const perform = async (ctx: Context, { method, read }: Callable, octets: Buffer, caller: Omit<Caller, "files">) => {
    try {
      const request = readRequest(read, ctx.req.headers["content-type"], octets);
      if (!request.ok) return request;
      return await method.call({ ...caller, files: request.files }, request.request);
    } catch (error) {
      const fields = { err: error, requestId: String(ctx.state[REQUEST_ID]), method: method.name, account: caller.account.name };
      log.error(fields, "webapi call failed");
      return refuse("server", "the server could not carry this out");
    }
  };

  const run = async (ctx: Context, callable: Callable, caller: Omit<Caller, "files">): Promise<CallOutcome> => {
    const body = await bodies.read(ctx.req, callable.method.maxBody);
    if (body.kind !== "read") return answerUnread(ctx, body.kind, callable.method);
    const result: MethodResult<unknown> = await perform(ctx, callable, body.octets, caller);
    giveBack(body.octets);
    if (result.ok) {
      if ("octets" in result) answerOctets(ctx, result.octets);
      else answerJson(ctx, 200, result.answer);
      return "ok";
    }
    if ("busy" in result) return answerBusy(ctx);
    answerRefusal(ctx, result.refusal);
    return result.refusal.code;
  };

  return async (ctx, callable) => {
    const release = (): void => {
      bodies.release(ctx.req);
    };
    const user = await login(ctx.req);
    if (!user.ok) return answerLogin(ctx, user);
    try {
      return await run(ctx, callable, { account: user.account, login: user.login, hold: (octets) => bodies.hold(ctx.req, octets) });
    } finally {
      // Octets are sent after the call.
      if (ctx.body instanceof Stream && !ctx.res.closed) ctx.res.once("close", release);
      else release();
    }
  };
};
