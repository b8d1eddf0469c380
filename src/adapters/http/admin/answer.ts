/** What a route answers, as data: refusals are values too, and one place turns all of it into HTTP. */
import type { BodyContent } from "../content-body.ts";

/** Error codes of the admin API; each has one status. */
const STATUS_OF = {
  badRequest: 400,
  badJson: 400,
  badCursor: 400,
  filterRequired: 400,
  unauthorized: 401,
  adminDisabled: 403,
  crossOrigin: 403,
  notFound: 404,
  accountNotFound: 404,
  methodNotAllowed: 405,
  tooSlow: 408,
  alreadyExists: 409,
  tooLarge: 413,
  unsupportedMediaType: 415,
  tooManyFailures: 429,
  server: 500,
  busy: 503,
  tooManyFollowers: 503,
} as const;

export type ErrorCode = keyof typeof STATUS_OF;

export type Refusal = { readonly kind: "refused"; readonly code: ErrorCode; readonly message: string };

export type Answer =
  | { readonly kind: "json"; readonly body: unknown }
  /** Bytes to be saved under a name, never to be rendered. */
  | { readonly kind: "download"; readonly content: BodyContent; readonly contentType: string; readonly fileName: string }
  /** Text without end: runs until the client goes, which aborts the signal. */
  | { readonly kind: "stream"; readonly contentType: string; readonly chunks: (signal: AbortSignal) => AsyncIterable<string> }
  | Refusal;

export const json = (body: unknown): Answer => ({ kind: "json", body });

/** `message` is for people, in one sentence. */
export const refused = (code: ErrorCode, message: string): Refusal => ({ kind: "refused", code, message });

export const statusOf = ({ code }: Refusal): number => STATUS_OF[code];
