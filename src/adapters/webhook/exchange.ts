/** One HTTP request and as much of its answer as is kept, within a time limit, over a pool of connections. */
import type { Dispatcher } from "undici";

/** Octets of the answer's body that are kept. */
const EXCERPT_OCTETS = 512;
/** A longer body is not read to its end: the connection is given up instead. */
const MAX_DISCARDED_OCTETS = 64 * 1024;
/** Once the status has come, a body that dawdles is not waited for. */
const BODY_GRACE_MS = 5_000;

export type Request = {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Sends `Connection: close`. */
  readonly closeAfter: boolean;
};

export type Answer = {
  readonly status: number;
  readonly retryAfter: string | readonly string[] | undefined;
  /** The beginning of the body as text; octets that are no UTF-8 are replaced. */
  readonly excerpt: string;
};

export type Exchange =
  | { readonly kind: "answered"; readonly answer: Answer }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "timedOut" }
  | { readonly kind: "aborted" };

const excerptOf = (chunks: readonly Buffer[], wasCut: boolean): string => {
  const bytes = Buffer.concat(chunks).subarray(0, EXCERPT_OCTETS);
  // A character cut in two by the limit is dropped instead of shown as damaged.
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes, { stream: wasCut });
};

/** Reads the answer; `settle` is called once, whatever comes first. */
const answerReader = (settle: (exchange: Exchange) => void) => {
  let controller: Dispatcher.DispatchController | undefined;
  let over = false;
  let head: { readonly status: number; readonly retryAfter: string | readonly string[] | undefined } | undefined;
  let grace: NodeJS.Timeout | undefined;
  const chunks: Buffer[] = [];
  let octets = 0;

  const finish = (exchange: Exchange): void => {
    if (over) return;
    over = true;
    clearTimeout(grace);
    settle(exchange);
  };
  const stop = (exchange: Exchange): void => {
    if (over) return;
    finish(exchange);
    controller?.abort(new Error("not needed any more"));
  };
  // With a status in hand the question is answered, whatever becomes of the body.
  const end = (otherwise: Exchange): Exchange =>
    head === undefined ? otherwise : { kind: "answered", answer: { ...head, excerpt: excerptOf(chunks, octets > EXCERPT_OCTETS) } };

  const handler: Dispatcher.DispatchHandler = {
    onRequestStart: (started) => {
      controller = started;
      // The request was given up while it waited for a connection.
      if (over) started.abort(new Error("not needed any more"));
    },
    onResponseStart: (_controller, status, headers) => {
      if (status < 200) return; // informational, the answer is still to come (RFC 9110 section 15.2)
      head = { status, retryAfter: headers["retry-after"] };
      grace = setTimeout(() => {
        stop(end({ kind: "timedOut" }));
      }, BODY_GRACE_MS);
    },
    onResponseData: (_controller, chunk) => {
      if (octets < EXCERPT_OCTETS) chunks.push(Buffer.from(chunk.subarray(0, EXCERPT_OCTETS)));
      octets += chunk.length;
      if (octets > MAX_DISCARDED_OCTETS) stop(end({ kind: "timedOut" }));
    },
    onResponseEnd: () => {
      finish(end({ kind: "failed", error: undefined }));
    },
    onResponseError: (_controller, error) => {
      finish(end({ kind: "failed", error }));
    },
  };
  return { handler, stop: (exchange: Exchange) => stop(end(exchange)) };
};

/** POSTs once. Never rejects; `limitMs` covers everything from waiting for a connection to the end of the answer. */
export const exchange = (dispatcher: Dispatcher, request: Request, limitMs: number, signal: AbortSignal): Promise<Exchange> =>
  new Promise((resolve) => {
    const settle = (result: Exchange): void => {
      clearTimeout(deadline);
      signal.removeEventListener("abort", abort);
      resolve(result);
    };
    const { handler, stop } = answerReader(settle);
    const deadline = setTimeout(() => {
      stop({ kind: "timedOut" });
    }, limitMs);
    const abort = (): void => {
      stop({ kind: "aborted" });
    };
    signal.addEventListener("abort", abort, { once: true });
    try {
      dispatcher.dispatch(
        {
          origin: request.url.origin,
          path: `${request.url.pathname}${request.url.search}`,
          method: "POST",
          headers: request.headers,
          body: request.body,
          reset: request.closeAfter,
        },
        handler,
      );
    } catch (error) {
      settle({ kind: "failed", error });
    }
  });
