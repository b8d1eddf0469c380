/**
 * The event log as the core sees it: typed events in named streams, with one order over all of them. Adapters put a
 * codec and an event store behind it; nothing here assumes where that store runs.
 */
import type { DomainEvent, DomainEventType } from "./events.ts";

/** A place in the order of the whole log: grows, may have gaps, starts above 0. 0 means "before everything". */
export type Position = number;

/** Revision to expect of a stream that must not exist yet. */
export const NO_STREAM = -1;

/** An event where it stands. Revisions count from 0 within a stream. */
export type Recorded<E extends DomainEvent = DomainEvent> = {
  readonly position: Position;
  readonly stream: string;
  readonly revision: number;
  readonly event: E;
};

/** Events for one stream whose last revision must still be `expectedRevision` ({@link NO_STREAM}: must not exist). */
export type EventWrite = {
  readonly stream: string;
  readonly expectedRevision: number;
  readonly events: readonly DomainEvent[];
};

/**
 * A raw message as one piece or more, in order: where the cuts lie means nothing. A large one should come in pieces of
 * {@link CONTENT_PIECE} octets, each in memory of its own, so that it can change hands without being copied.
 */
export type Content = readonly Uint8Array[];

/** Octets of a piece, at which handing over and storing cost least. Contents that are read come in pieces of at most this. */
export const CONTENT_PIECE = 256 * 1_024;

/** Octets of a content in all. */
export const contentSize = (content: Content): number => content.reduce((sum, { byteLength }) => sum + byteLength, 0);

/** Content to be stored together with the events that refer to it. The pieces belong to the log from the call on. */
export type NewContent = { readonly id: number; readonly pieces: Content };

/** `conflict` names a stream whose revision was another: nothing of the append was stored. */
export type AppendResult =
  { readonly appended: true; readonly position: Position } | { readonly appended: false; readonly conflict: string };

/** A run of events in order. Everything up to `upTo` has been seen, also where events were filtered out. */
export type EventBatch = { readonly events: readonly Recorded[]; readonly upTo: Position };

export type EventLog = {
  /**
   * Stores all writes and contents, or none of them, durably: when the promise is kept they survive a power loss.
   * Throws only when the store is out of order (disk full, closed); then nothing was acknowledged.
   *
   * The contents' memory may be taken away from the caller, but for a conflict with what was stored before the call: then
   * the contents are the caller's again.
   */
  readonly append: (writes: readonly EventWrite[], contents?: readonly NewContent[]) => Promise<AppendResult>;
  /** The events of a stream from its first, in order; empty when there is none or it was deleted. */
  readonly read: (stream: string) => Promise<readonly Recorded[]>;
  /**
   * All events after a position, in order, without end: first what is stored, then what comes. Only the `types` asked
   * for are decoded and handed out. Ends when `signal` aborts.
   */
  readonly subscribe: (
    after: Position,
    options: { readonly types?: ReadonlySet<DomainEventType>; readonly signal: AbortSignal },
  ) => AsyncIterable<EventBatch>;
  /** Removes a stream for good. Deleting what is not there does nothing. */
  readonly deleteStream: (stream: string) => Promise<void>;
  /** Where a named reader stands, durable; 0 when it never saved. */
  readonly loadCheckpoint: (name: string) => Promise<Position>;
  readonly saveCheckpoint: (name: string, position: Position) => Promise<void>;
  /** Position of the newest event. */
  readonly head: () => Position;
  /** Whether no other node can be working on this log, so that an attempt left open is known to be nobody's. */
  readonly exclusive: boolean;
};

/** A content in its store. Nothing needs to be closed. */
export type StoredContent = {
  readonly size: number;
  /**
   * The content from its first octet to its last, read as far as it is asked for; each iteration starts anew, and its pieces
   * are nobody else's. Throws when the content is deleted meanwhile or cannot be read: what came so far is then only the
   * beginning.
   */
  readonly pieces: AsyncIterable<Uint8Array>;
};

/** Raw messages, stored by {@link EventLog.append} and referred to by id from events. */
export type ContentStore = {
  /** The whole content; undefined when it was deleted. Takes as much memory as the content is large. */
  readonly read: (id: number) => Promise<Uint8Array | undefined>;
  /** The content to be read piece by piece; undefined when it was deleted. */
  readonly open: (id: number) => Promise<StoredContent | undefined>;
  /** Deletes contents; ids that are gone already are passed over. */
  readonly delete: (ids: readonly number[]) => Promise<void>;
};
