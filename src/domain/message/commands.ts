/** What may be asked of a queued message, and the terms under which its account wants it treated. */
import type { Instant } from "../clock.ts";
import type { EventReference, Identity } from "../identity.ts";
import type { DeliveryOutcome } from "../smtp-result.ts";
import type { DsnAction, MatchedBy, QueuedMessage, UncertainPolicy } from "./events.ts";

/** What a DSN says about this message. Fields of a reply as in `AttemptResult`. */
export type DsnNews = {
  /** False for another message to the unique MAIL FROM. */
  readonly isDsn: boolean;
  readonly action: DsnAction;
  readonly code: number;
  readonly enhancedCode: string;
  readonly error: string;
  /** The host that the DSN speaks of; empty when it names none. */
  readonly remoteHost: string;
};

export type MessageCommand =
  /** `holdBy`: the hold rule that matches it, null without one. */
  | { readonly type: "queue"; readonly message: QueuedMessage; readonly holdBy: Identity | null }
  | { readonly type: "hold" | "release" | "fail" | "cancel"; readonly by: Identity }
  | { readonly type: "schedule"; readonly nextAttemptAt: Instant; readonly by: Identity }
  | { readonly type: "setTransport"; readonly transport: string | null; readonly by: Identity }
  | { readonly type: "setRequireTls"; readonly requireTls: boolean | null; readonly by: Identity }
  /** Claim an attempt; refused before its time. `deadlineMs`: how long it may take, so that nobody else claims it meanwhile. */
  | { readonly type: "attempt"; readonly deadlineMs: number }
  /** Instead of an attempt: the address is on the suppression list. */
  | { readonly type: "suppress"; readonly baseAddress: string; readonly suppression: EventReference }
  /** What the attempt came to. `failuresBefore`: messages to this address that failed in a row before. */
  | { readonly type: "record"; readonly attempt: number; readonly outcome: DeliveryOutcome; readonly failuresBefore: number }
  /**
   * Nobody is working on the attempt any more, because the process that did was lost. `overdueOnly`: concluded from the
   * clock alone, so that an attempt still in its time must be left to whoever has claimed it.
   */
  | { readonly type: "abandon"; readonly reason: string; readonly overdueOnly: boolean }
  /** A DSN about it came, kept as `receivedId`. `failuresBefore`: other messages to this address that failed in a row before. */
  | {
      readonly type: "noteDsn";
      readonly receivedId: number;
      readonly matchedBy: MatchedBy;
      readonly news: DsnNews;
      readonly failuresBefore: number;
      /** Whether the address is on the suppression list already. */
      readonly isListed: boolean;
    }
  /** Somebody complained about it, in what is kept as `receivedId`. `feedbackType`: see feedback.ts. */
  | {
      readonly type: "noteComplaint";
      readonly receivedId: number;
      readonly matchedBy: MatchedBy;
      readonly feedbackType: string;
      readonly isListed: boolean;
    }
  /** The keep period is over. */
  | { readonly type: "remove" };

export type MessagePolicy = { readonly keepRetiredMs: number; readonly uncertainDelivery: UncertainPolicy };

/** What a decision may depend on besides the state: passed in, so that deciding is pure. */
export type MessageTerms = {
  readonly now: Instant;
  /** Chance for spreading retries, from -1 to 1. */
  readonly spread: number;
  /** Fresh ids for the webhook calls that the events will cause. */
  readonly callIds: readonly [number, number];
  readonly policy: MessagePolicy;
};
