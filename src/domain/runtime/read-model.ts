/**
 * What the core asks of the views. Views follow the log by a few milliseconds, so nothing here decides alone: the
 * stream's own state has the last word when a command is carried out.
 */
import type { Instant } from "../clock.ts";
import type { Position } from "../event-log.ts";
import type { EventReference } from "../identity.ts";

/** What waits for its time: a delivery, a webhook call, an open attempt that may be nobody's, an end of keeping. */
export type WorkKind = "deliver" | "call" | "interrupt" | "remove" | "delete";

/** One stream's next step. */
export type DueItem = {
  readonly stream: string;
  /** Number of the message or call, from the stream's name. */
  readonly id: number;
  /** What is limited and treated fairly against its like: destination domain, webhook host, else the kind itself. */
  readonly lane: string;
  /** Items of one lane with the same non-empty batch may share an SMTP transaction. */
  readonly batch: string;
  readonly dueAt: Instant;
};

export type DueQuery = {
  readonly kind: WorkKind;
  /** Only what is due at this instant or before. */
  readonly at: Instant;
  /** At most this many of one lane, and in all. Lanes take turns: a lane with a long queue does not crowd out others. */
  readonly perLane: number;
  readonly limit: number;
};

/** When the earliest work of each kind falls due among what a step of the views has put into the schedule. */
export type Soonest = Readonly<Partial<Record<WorkKind, Instant>>>;

/** A message found by what a report names it by. */
export type MessageLookup = { readonly id: number; readonly recipient: string };

export type ReadModel = {
  /** How far the views are. */
  readonly position: () => Position;
  /** Resolves when the views have passed `position`. */
  readonly passed: (position: Position) => Promise<void>;
  /** Calls back after every step forward, with what it brought if that is known, until the returned function is called. */
  readonly onAdvance: (listener: (soonest?: Soonest) => void) => () => void;

  /** Due work, the longest due first within a lane. */
  readonly due: (query: DueQuery) => readonly DueItem[];
  /** When the next work of this kind that lies after `at` falls due; undefined without any. */
  readonly nextDueAt: (kind: WorkKind, at: Instant) => Instant | undefined;
  /** All open attempts, whenever they fall due: what a restart has to close. At most `limit`. */
  readonly openAttempts: (limit: number) => readonly DueItem[];
  /** Takes a deleted stream's last row out of the schedule; resolves when done. */
  readonly forget: (stream: string) => Promise<void>;

  /** The largest id of any message or webhook call; 0 without any. A restart must not give out ids again. */
  readonly newestId: () => number;

  /** The event that put this address on the account's suppression list; undefined when it is not on it. */
  readonly suppression: (account: string, baseAddress: string) => EventReference | undefined;
  /** Failed deliveries in a row of this account to this address. */
  readonly failuresInARow: (account: string, baseAddress: string) => number;
  /** Whether the account ever wrote to this address. */
  readonly contacted: (account: string, baseAddress: string) => boolean;
  /** Messages queued by the account, and first contacts, after the instant. */
  readonly usage: (account: string, after: Instant) => { readonly messages: number; readonly firstContacts: number };
  /** Octets of content that the account's queued messages and mailboxes hold. */
  readonly storedOctets: (account: string) => number;

  /** The queued or retired message with this fromid; undefined without one. */
  readonly messageOfFromId: (fromId: string) => number | undefined;
  /**
   * The account's messages of this envelope, queued or retired, the newest first: bounded, and only such as were tried at
   * least once. While a first attempt is under way, a message may still be missing.
   */
  readonly messagesOfEnvelope: (account: string, envelopeId: string) => readonly MessageLookup[];
  /** As {@link messagesOfEnvelope}, for a Message-ID with its angle brackets. */
  readonly messagesOfMessageId: (account: string, messageId: string) => readonly MessageLookup[];

  /** Of these contents, those that no queued message, mail in a mailbox or call that has yet to tell about it refers to any more. */
  readonly unreferenced: (contentIds: readonly number[]) => readonly number[];
  /** Calls about this message that are not done: waiting, queued or in flight; oldest first. */
  readonly unfinishedCalls: (messageId: number) => readonly number[];
  /** Calls that wait for this call to be done. */
  readonly callsAfter: (callId: number) => readonly number[];
  /** Queued messages not on hold that the rule matches, at most `limit`, with ids above `afterId`, ascending. */
  readonly matching: (
    rule: { readonly account: string | null; readonly senderDomain: string | null; readonly recipientDomain: string | null },
    afterId: number,
    limit: number,
  ) => readonly number[];
};
