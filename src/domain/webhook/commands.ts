/** What may be asked of a webhook call. */
import type { Instant } from "../clock.ts";
import type { Identity } from "../identity.ts";
import type { CallOutcome } from "./caller.ts";
import type { QueuedCall } from "./events.ts";

export type WebhookCommand =
  | { readonly type: "queue"; readonly call: QueuedCall }
  /** The call that it waited for is done. */
  | { readonly type: "unblock" }
  /** Claim an attempt; refused before its time. `deadlineMs`: how long it may take. */
  | { readonly type: "attempt"; readonly deadlineMs: number }
  | { readonly type: "record"; readonly attempt: number; readonly outcome: CallOutcome }
  /**
   * Nobody is working on the attempt any more, because the process that did was lost. `overdueOnly`: concluded from the
   * clock alone, so that an attempt still in its time must be left to whoever has claimed it.
   */
  | { readonly type: "abandon"; readonly reason: string; readonly overdueOnly: boolean }
  | { readonly type: "schedule"; readonly nextAttemptAt: Instant; readonly by: Identity }
  | { readonly type: "supersede"; readonly supersededBy: number }
  | { readonly type: "cancel"; readonly by: Identity }
  | { readonly type: "remove" };

/** What a decision may depend on besides the state. */
export type WebhookTerms = {
  readonly now: Instant;
  /** Chance for spreading retries, from -1 to 1. */
  readonly spread: number;
  /** How long the account keeps finished calls. */
  readonly keepRetiredMs: number;
};
