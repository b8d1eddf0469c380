/** Webhook calls over HTTP: the adapter behind the `Caller` port. */
import { Agent } from "undici";

import type { Clock } from "../../domain/clock.ts";
import type { Call, Caller, CallOutcome } from "../../domain/webhook/caller.ts";
import { addressGuard } from "./address-guard.ts";
import { callBodies, type BodyParts, type CallBody } from "./call-body.ts";
import { callProblem } from "./call-problem.ts";
import { type Exchange, exchange, type Request } from "./exchange.ts";
import { guardedConnector, type Resolve, systemResolve } from "./guarded-connector.ts";
import { retryAfterMs } from "./retry-after.ts";

/** With what calls about mail that arrived are made. */
export type WebhookCallerOptions = BodyParts & {
  readonly clock: Clock;
  /** Value of the Authorization header for an account's calls, looked up at each call; undefined for none. */
  readonly authorization: (account: string, kind: Call["kind"]) => string | undefined;
  /** Networks that may be called although they are not public: CIDR notation or single addresses. */
  readonly allowedNetworks?: readonly string[];
  /** How host names become addresses; the operating system's way unless given. */
  readonly resolve?: Resolve;
  /** Connections to one host at the same time; more calls wait for one of them. */
  readonly connectionsPerHost?: number;
  /** Connections in all; above it none is kept open after its call. */
  readonly keptConnections?: number;
  /** Longest that one call may take, from waiting for a connection to the answer. */
  readonly deadlineMs?: number;
  readonly userAgent?: string;
  /** PEM certificates to trust instead of the usual authorities. */
  readonly trustedCertificates?: readonly string[];
  /** Told why a message could not be read for its call; the call is made again later. */
  readonly onError?: (error: unknown) => void;
};

const DEADLINE_MS = 60_000;
const CONNECT_TIMEOUT_MS = 20_000;
/** Shorter than the 5 s after which common servers close idle connections, so that a call seldom meets a closing one. */
const KEEP_ALIVE_MS = 4_000;
const MAX_KEEP_ALIVE_MS = 60_000;
const MAX_HEADER_OCTETS = 16_384;

/** The URL without its login, and the Authorization header's value for it; undefined when it is not for HTTP. */
const target = (
  text: string,
  authorization: string | undefined,
): { readonly url: URL; readonly authorization: string | undefined } | undefined => {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) return undefined;
  if (url.username === "" && url.password === "") return { url, authorization };
  let login: string;
  try {
    login = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  } catch {
    return undefined;
  }
  url.username = "";
  url.password = "";
  return { url, authorization: authorization ?? `Basic ${Buffer.from(login).toString("base64")}` };
};

const headersOf = (call: Call, authorization: string | undefined, userAgent: string): Readonly<Record<string, string>> => ({
  "Content-Type": "application/json; charset=utf-8",
  "User-Agent": userAgent,
  "X-Mox-Webhook-ID": String(call.id),
  "X-Mox-Webhook-Attempt": String(call.attempt),
  ...(authorization === undefined ? {} : { Authorization: authorization }),
});

const statusProblem = (status: number): string => {
  if (status < 300) return "";
  return status < 400 ? `HTTP status ${status}: redirects are not followed` : `HTTP status ${status}`;
};

const SHUT_DOWN: ReadonlySet<unknown> = new Set(["UND_ERR_DESTROYED", "UND_ERR_CLOSED"]);

const isShutDown = (error: unknown): boolean => SHUT_DOWN.has((error as { readonly code?: unknown } | null)?.code);

const INTERRUPTED: CallOutcome = { kind: "interrupted", reason: "the server is stopping" };

const timingOf = (startedAt: number, now: number) => ({ startedAt, durationMs: Math.max(0, now - startedAt) });

const unanswered = (error: string) => ({ status: 0, response: "", error });

type Limits = { readonly deadlineMs: number; readonly signal: AbortSignal; readonly onError?: (error: unknown) => void };

const outcomeOf = (result: Exchange, startedAt: number, now: number, deadlineMs: number): CallOutcome => {
  const timing = timingOf(startedAt, now);
  const unreachable = (error: string): CallOutcome => ({ kind: "unreachable", result: { ...timing, ...unanswered(error) } });
  switch (result.kind) {
    case "answered": {
      const { status, excerpt, retryAfter } = result.answer;
      const answer = { ...timing, status, response: excerpt, error: statusProblem(status) };
      return { kind: "answered", result: answer, retryAfterMs: retryAfterMs(retryAfter, now) };
    }
    case "failed":
      return isShutDown(result.error) ? INTERRUPTED : unreachable(callProblem(result.error));
    case "timedOut":
      return unreachable(`no answer within ${deadlineMs / 1_000} seconds`);
    case "aborted":
      return INTERRUPTED;
  }
};

/** What came of a call that has no body. */
const withoutBody = (body: Exclude<CallBody, { kind: "body" }>, startedAt: number, now: number, options: Limits): CallOutcome => {
  const timing = timingOf(startedAt, now);
  switch (body.kind) {
    case "gone":
      return { kind: "impossible", result: { ...timing, ...unanswered("the message that this call is about was deleted") } };
    case "unread":
      options.onError?.(body.error);
      return { kind: "unreachable", result: { ...timing, ...unanswered("the message could not be read for now") } };
    case "stopped":
      return outcomeOf({ kind: options.signal.aborted ? "aborted" : "timedOut" }, startedAt, now, options.deadlineMs);
  }
};

/** Reading a message counts towards the time that a call may take; other bodies are made at once. */
const inTime = ({ kind }: Call, signal: AbortSignal, deadlineMs: number): AbortSignal =>
  kind === "outgoing" ? signal : AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);

/**
 * Makes webhook calls over kept HTTP/1.1 connections. Redirects are not followed. Only public addresses and those of
 * `allowedNetworks` are called, judged by the address really connected to.
 */
export const webhookCaller = (options: WebhookCallerOptions): Caller => {
  const { clock, deadlineMs = DEADLINE_MS, userAgent = "Posthorn (webhook)", keptConnections = 1_000 } = options;
  const connector = guardedConnector({
    guard: addressGuard(options.allowedNetworks ?? []),
    resolve: options.resolve ?? systemResolve,
    connectTimeoutMs: Math.min(CONNECT_TIMEOUT_MS, deadlineMs),
    trustedCertificates: options.trustedCertificates,
  });
  const settings = {
    connect: connector.connect,
    connections: options.connectionsPerHost ?? 32,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: MAX_KEEP_ALIVE_MS,
    // The deadline over the whole call stands for these.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: MAX_HEADER_OCTETS,
    allowH2: false,
  };
  const agent = new Agent(settings);
  /** Keeps no connection, so each of its requests has a new one. */
  const freshAgent = new Agent(settings);

  const bodyOf = callBodies(options);

  const attempt = async (request: Request, startedAt: number, signal: AbortSignal): Promise<Exchange> => {
    const leftMs = (): number => deadlineMs - Math.max(0, clock.now() - startedAt);
    if (leftMs() <= 0) return { kind: "timedOut" };
    const first = await exchange(agent, request, leftMs(), signal);
    // The other side may close a kept connection in the moment of its next use: a fresh one tells whether it is there.
    if (first.kind !== "failed" || !connector.brokeKeptConnection(first.error) || signal.aborted) return first;
    return leftMs() <= 0 ? { kind: "timedOut" } : exchange(freshAgent, { ...request, closeAfter: true }, leftMs(), signal);
  };

  const call = async (toCall: Call, signal: AbortSignal): Promise<CallOutcome> => {
    const startedAt = clock.now();
    if (signal.aborted) return INTERRUPTED;
    const to = target(toCall.url, options.authorization(toCall.account, toCall.kind));
    if (to === undefined) return { kind: "unreachable", result: { startedAt, durationMs: 0, ...unanswered("not an http or https URL") } };
    const content = await bodyOf(toCall, inTime(toCall, signal, deadlineMs));
    if (content.kind !== "body") return withoutBody(content, startedAt, clock.now(), { ...options, deadlineMs, signal });
    const request = {
      url: to.url,
      headers: headersOf(toCall, to.authorization, userAgent),
      body: content.body,
      closeAfter: connector.openSockets() >= keptConnections,
    };
    return outcomeOf(await attempt(request, startedAt, signal), startedAt, clock.now(), deadlineMs);
  };

  return {
    call,
    deadlineMs,
    close: async () => {
      await Promise.all([agent.destroy(), freshAgent.destroy()]);
      connector.destroy();
    },
  };
};
