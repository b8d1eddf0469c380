/** How the webapi answers over HTTP: JSON for calls, text for what never became one, HTML for pages. */
import type { ParameterizedContext } from "koa";
import { answerContent } from "../content-body.ts";
import type { Octets, Refusal } from "./method.ts";
import { PAGE_SECURITY_POLICY } from "./pages.ts";

export type Context = ParameterizedContext;

/** A status and a few words. */
export const answerPlain = (ctx: Context, status: number, text: string): void => {
  ctx.status = status;
  ctx.body = `${status} - ${text}`;
};

/** Any value as JSON. */
export const answerJson = (ctx: Context, status: number, value: unknown): void => {
  ctx.status = status;
  ctx.set("Content-Type", "application/json; charset=utf-8");
  ctx.set("Cache-Control", "no-store");
  ctx.body = `${JSON.stringify(value)}\n`;
};

/** Octets as they are, streamed; a client that goes away ends the stream. */
export const answerOctets = (ctx: Context, { contentType, size, pieces }: Octets): void => {
  ctx.status = 200;
  ctx.set("Content-Type", contentType);
  ctx.set("Cache-Control", "no-store");
  answerContent(ctx, { size, pieces });
};

/** A refused call: status 400, whatever the reason. */
export const answerRefusal = (ctx: Context, { code, message }: Refusal): void => {
  answerJson(ctx, 400, { Code: code, Message: message });
};

/** One of our own pages. */
export const answerPage = (ctx: Context, html: string): void => {
  ctx.set("Content-Security-Policy", PAGE_SECURITY_POLICY);
  ctx.set("X-Frame-Options", "DENY");
  ctx.set("Referrer-Policy", "no-referrer");
  ctx.type = "text/html; charset=utf-8";
  ctx.body = html;
};

/** A verb that the address does not know. */
export const answerWrongVerb = (ctx: Context, allowed: string): void => {
  ctx.set("Allow", allowed);
  answerPlain(ctx, 405, "method not allowed");
};
