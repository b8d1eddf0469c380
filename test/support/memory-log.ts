/** An event log and content store in memory that keeps the port's promises and breaks down when a test says so. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { Readable } from "node:stream";
import { takeContent } from "../../src/adapters/event-store/content-memory.ts";
import { joinContent } from "../../src/domain/content.ts";
import {
  NO_STREAM,
  type AppendResult,
  type ContentStore,
  type EventLog,
  type EventWrite,
  type NewContent,
  type Position,
  type Recorded,
} from "../../src/domain/event-log.ts";
import type { DomainEvent } from "../../src/domain/events.ts";

export type MemoryLog = EventLog & {
  readonly contents: ContentStore & { readonly ids: () => readonly number[] };
  /** Everything stored and not deleted, in order. */
  readonly all: () => readonly Recorded[];
  readonly types: (stream: string) => readonly string[];
  /** Stores events as somebody else, whatever the revision. */
  readonly write: (stream: string, ...events: readonly DomainEvent[]) => Position;
  /** Called back after every change, in the same turn. */
  readonly onChange: (listener: () => void) => void;
  readonly checkpoints: Map<string, Position>;
  /** What a test puts before the store's work: throw to break it, wait to slow it. */
  before: (what: "append" | "read", stream: string, writes: readonly EventWrite[]) => Promise<void> | void;
  /** Between storing and the acknowledgement. */
  after: (writes: readonly EventWrite[]) => Promise<void> | void;
  /** Events in one batch of a subscription at most. */
  batch: number;
};

/** Positions grow by more than one: nobody may count on there being no gaps. */
const STEP = 3;

export const memoryLog = ({ exclusive = true }: { readonly exclusive?: boolean } = {}): MemoryLog => {
  let stored: Recorded[] = [];
  const streams = new Map<string, Recorded[]>();
  const contents = new Map<number, Uint8Array>();
  const listeners: (() => void)[] = [];
  const readers: (() => void)[] = [];
  const checkpoints = new Map<string, Position>();
  let head: Position = 0;

  const changed = (): void => {
    for (const listener of [...listeners, ...readers.splice(0)]) listener();
  };

  const store = ({ stream, events }: Pick<EventWrite, "stream" | "events">): void => {
    const mine = streams.get(stream) ?? [];
    streams.set(stream, mine);
    for (const event of events) {
      head += STEP;
      const recorded = { position: head, stream, revision: mine.length, event };
      mine.push(recorded);
      stored.push(recorded);
    }
  };

  const revisionOf = (stream: string): number => streams.get(stream)?.at(-1)?.revision ?? NO_STREAM;

  const append = async (writes: readonly EventWrite[], added: readonly NewContent[] = []): Promise<AppendResult> => {
    await log.before("append", writes[0]?.stream ?? "", writes);
    const conflict = writes.find(({ stream, expectedRevision }) => revisionOf(stream) !== expectedRevision);
    if (conflict !== undefined) return { appended: false, conflict: conflict.stream };
    writes.forEach(store);
    for (const { id, pieces } of added.map(takeContent)) contents.set(id, joinContent(pieces));
    const position = head;
    changed();
    await log.after(writes);
    return { appended: true, position };
  };

  const subscribe: EventLog["subscribe"] = async function* (after, { types, signal }) {
    let seen = after;
    const open = (): boolean => !signal.aborted;
    while (open()) {
      const next = stored.filter(({ position }) => position > seen).slice(0, log.batch);
      const upTo = next.at(-1)?.position;
      if (upTo === undefined) {
        await Promise.race([
          new Promise<void>((resolve) => readers.push(resolve)),
          new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true })),
        ]);
        continue;
      }
      seen = upTo;
      await nextTurn();
      if (open()) yield { events: next.filter(({ event }) => types?.has(event.type) ?? true), upTo };
    }
  };

  const log: MemoryLog = {
    exclusive,
    append,
    subscribe,
    read: async (stream) => {
      await log.before("read", stream, []);
      return [...(streams.get(stream) ?? [])];
    },
    deleteStream: async (stream) => {
      streams.delete(stream);
      stored = stored.filter((recorded) => recorded.stream !== stream);
    },
    loadCheckpoint: async (name) => checkpoints.get(name) ?? 0,
    saveCheckpoint: async (name, position) => void checkpoints.set(name, position),
    head: () => head,
    contents: {
      read: async (id) => contents.get(id),
      open: async (id) => {
        const bytes = contents.get(id);
        return bytes === undefined ? undefined : { size: bytes.byteLength, pieces: Readable.from([bytes.slice()]) };
      },
      delete: async (ids) => ids.forEach((id) => contents.delete(id)),
      ids: () => [...contents.keys()],
    },
    all: () => stored,
    types: (stream) => (streams.get(stream) ?? []).map(({ event }) => event.type),
    write: (stream, ...events) => {
      store({ stream, events });
      changed();
      return head;
    },
    onChange: (listener) => void listeners.push(listener),
    checkpoints,
    before: () => undefined,
    after: () => undefined,
    batch: 100,
  };
  return log;
};
