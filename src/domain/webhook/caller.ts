/** The port through which webhook calls leave: one HTTP request at a time. */
import type { CallResult, QueuedCall } from "./events.ts";

/** A call as it is to be made now. */
export type Call = QueuedCall & { readonly attempt: number; readonly queuedAt: number };

/**
 * - `answered`: an HTTP status came, whatever it says; `retryAfterMs` from a Retry-After header (RFC 9110 section
 *   10.2.3), null without one.
 * - `unreachable`: no status came (network, TLS, time out, refused address).
 * - `impossible`: the call cannot be made, now or ever: what it should tell is gone.
 * - `interrupted`: this process gave the request up, to stop.
 */
export type CallOutcome =
  | { readonly kind: "answered"; readonly result: CallResult; readonly retryAfterMs: number | null }
  | { readonly kind: "unreachable"; readonly result: CallResult }
  | { readonly kind: "impossible"; readonly result: CallResult }
  | { readonly kind: "interrupted"; readonly reason: string };

/** Makes webhook calls. */
export type Caller = {
  /** Tries once; never throws. Ends soon, as `interrupted`, when `signal` aborts. */
  readonly call: (call: Call, signal: AbortSignal) => Promise<CallOutcome>;
  /** Longest that one `call` can take. */
  readonly deadlineMs: number;
  readonly close: () => Promise<void>;
};
