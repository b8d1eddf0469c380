/**
 * The event store below the domain's log: the same operations on encoded events, so that every adapter stores bytes and
 * one codec knows what they mean. Nothing here assumes where the store runs or that it is a relational database.
 *
 * A store on a server that appends to one stream at a time (KurrentDB through @eventstore/db-client) keeps the promise of
 * {@link EventStore.append} with a write-ahead intent: it first appends the whole set of writes as one event of an intent
 * stream, then carries it out stream by stream with the expected revisions; a reader of a stream named by an open intent
 * finishes that intent first, and a restart finishes those that were left.
 */
import type { AppendResult, ContentStore, NewContent, Position } from "../../domain/event-log.ts";

/** An event as it is stored: `data` is JSON text in the shape of schema `version` (from 1) of `type`. */
export type EncodedEvent = {
  readonly type: string;
  readonly version: number;
  /** Instant the event happened, whole milliseconds. */
  readonly at: number;
  readonly data: string;
  /** What it was encoded from, where this process did that lately: saves decoding it. Not stored, and not sent to others. */
  readonly origin?: object;
};

/** An encoded event where it stands. Plain data: may cross to another thread. */
export type StoredEvent = EncodedEvent & {
  readonly position: Position;
  readonly stream: string;
  readonly revision: number;
};

/** Events for one stream whose last revision must still be `expectedRevision`. Without events it is only a check. */
export type StreamWrite = {
  readonly stream: string;
  readonly expectedRevision: number;
  readonly events: readonly EncodedEvent[];
};

/** A run of events in order. Everything up to `upTo` has been seen: no event at or before it will follow. */
export type StoredBatch = { readonly events: readonly StoredEvent[]; readonly upTo: Position };

export type EventStore = {
  /**
   * Stores all writes and contents durably, or none of them. The events take ascending positions in the order given;
   * `position` in the answer is that of the last one. Every stream may occur once.
   *
   * The contents belong to the store from the call on: it may take their memory away from the caller. Only a conflict with
   * what was stored before the call leaves them to the caller, who can try again with other names.
   *
   * @throws StoreUnavailable when the store is out of order; nothing was acknowledged.
   * @throws RangeError or TypeError for what no store could take (a stream twice, a name that is not text): a bug.
   */
  readonly append: (writes: readonly StreamWrite[], contents?: readonly NewContent[]) => Promise<AppendResult>;
  /** The events of a stream from its first, in order; empty when there is none or it was deleted. */
  readonly readStream: (stream: string) => Promise<readonly StoredEvent[]>;
  /** At most `limit` events after a position, in order. Events of deleted streams are not among them. */
  readonly readAll: (after: Position, limit: number) => Promise<readonly StoredEvent[]>;
  /**
   * All events after a position, in order, each once, without end: first what is stored, then what comes. A reader that
   * is slower than the log costs no memory: it is served from storage again until it has caught up. A batch may still
   * hold events of a stream that was deleted moments ago. Ends when `signal` aborts.
   *
   * @throws StoreUnavailable when the store is closed or breaks down.
   */
  readonly subscribe: (after: Position, options: { readonly signal: AbortSignal }) => AsyncIterable<StoredBatch>;
  /**
   * Removes a stream for good. Deleting what is not there does nothing. Its positions are not given out again; a stream
   * of this name may be created anew, expecting none.
   */
  readonly deleteStream: (stream: string) => Promise<void>;
  /** Where a named reader stands; 0 when it never saved. */
  readonly loadCheckpoint: (name: string) => Promise<Position>;
  /** Durable when the promise is kept. */
  readonly saveCheckpoint: (name: string, position: Position) => Promise<void>;
  /** Position of the newest acknowledged event; 0 in a log that never had one. Never falls. */
  readonly head: () => Position;
  /** Whether no other process can be working on this store. */
  readonly exclusive: boolean;
  /** Finishes what was handed in, refuses what comes later, gives everything back. May be called again. */
  readonly close: () => Promise<void>;
};

/** An event store that keeps contents too, so that an append covers both. */
export type StoreWithContents = EventStore & {
  readonly contents: ContentStore;
  /** Ids of stored contents above `afterId`, ascending, at most `limit`: for a sweep of what nothing refers to. */
  readonly storedContentIds: (afterId: number, limit: number) => Promise<readonly number[]>;
};
