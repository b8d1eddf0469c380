/** An event store in memory: the port without a disk, for tests. As strict as the real ones, and as asynchronous. */
import type { AppendResult, NewContent, Position } from "../../domain/event-log.ts";
import { checkAppend, checkName } from "./check-append.ts";
import type { StoredBatch, StoredEvent, StoreWithContents, StreamWrite } from "./event-store.ts";
import { memoryContents, ownContent } from "./memory-contents.ts";
import { StoreUnavailable } from "./store-unavailable.ts";
import { newsBell, subscription } from "./subscription.ts";

/** Index of the first event after the position in a list that grows by position. */
const indexAfter = (events: readonly StoredEvent[], position: Position): number => {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((events[middle]?.position ?? Infinity) <= position) low = middle + 1;
    else high = middle;
  }
  return low;
};

type Events = {
  /** The first stream that is not as expected. */
  readonly conflict: (writes: readonly StreamWrite[]) => string | undefined;
  readonly append: (writes: readonly StreamWrite[]) => AppendResult;
  readonly stream: (stream: string) => readonly StoredEvent[];
  readonly after: (position: Position, limit: number) => StoredBatch;
  readonly delete: (stream: string) => void;
  readonly head: () => Position;
};

/** The events alone, without waiting. */
const eventLists = (): Events => {
  const all: StoredEvent[] = []; // those of deleted streams stay in it, and are passed over
  const streams = new Map<string, StoredEvent[]>();
  const head = (): Position => all.at(-1)?.position ?? 0;
  const isStored = (event: StoredEvent): boolean => streams.get(event.stream)?.[event.revision] === event;

  const store = ({ stream, events }: StreamWrite): void => {
    const stored = streams.get(stream) ?? [];
    for (const { type, version, at, data } of events) {
      const event = { position: head() + 1, stream, revision: stored.length, type, version, at, data };
      stored.push(event);
      all.push(event);
    }
    if (stored.length > 0) streams.set(stream, stored);
  };

  const conflict = (writes: readonly StreamWrite[]): string | undefined =>
    writes.find(({ stream, expectedRevision }) => (streams.get(stream)?.length ?? 0) - 1 !== expectedRevision)?.stream;

  return {
    conflict,
    append: (writes) => {
      const stream = conflict(writes);
      if (stream !== undefined) return { appended: false, conflict: stream };
      for (const write of writes) store(write);
      return { appended: true, position: head() };
    },
    stream: (stream) => [...(streams.get(stream) ?? [])],
    after: (position, limit) => {
      const events: StoredEvent[] = [];
      for (let index = indexAfter(all, position); index < all.length && events.length < limit; index += 1) {
        const event = all[index];
        if (event !== undefined && isStored(event)) events.push(event);
      }
      return { events, upTo: events.length < limit ? head() : (events.at(-1)?.position ?? position) };
    },
    delete: (stream) => void streams.delete(stream),
    head,
  };
};

/** An empty store, gone with the process. */
export const memoryStore = (): StoreWithContents => {
  const events = eventLists();
  const checkpoints = new Map<string, Position>();
  const bell = newsBell();
  let closed = false;

  /** Answers later, so that no caller gets used to an answer in the same turn. */
  const later = async <T>(run: () => T): Promise<T> => {
    await Promise.resolve();
    if (closed) throw new StoreUnavailable("closed", "the event store is closed");
    return run();
  };

  const contents = memoryContents(later);

  const store = (writes: readonly StreamWrite[], added: readonly NewContent[]): AppendResult => {
    const conflict = events.conflict(writes);
    if (conflict !== undefined) return { appended: false, conflict };
    contents.insert(added);
    const result = events.append(writes);
    bell.ring();
    return result;
  };

  return {
    append: async (writes, added = []) => {
      checkAppend(writes, added);
      const known = events.conflict(writes);
      if (known !== undefined) return later(() => ({ appended: false, conflict: known }));
      const own = added.map(ownContent);
      return later(() => store(writes, own));
    },
    readStream: (stream) => later(() => events.stream(stream)),
    readAll: (after, limit) => later(() => events.after(after, limit).events),
    subscribe: (after, { signal }) => subscription({ head: events.head, read: events.after, bell }, after, signal),
    deleteStream: (stream) => later(() => events.delete(stream)),
    loadCheckpoint: (name) => later(() => checkpoints.get(name) ?? 0),
    saveCheckpoint: async (name, position) => {
      checkName(name);
      await later(() => checkpoints.set(name, position));
    },
    head: events.head,
    exclusive: true,
    close: async () => {
      closed = true;
      bell.break(new StoreUnavailable("closed", "the event store is closed"));
    },
    contents: { read: contents.read, open: contents.open, delete: contents.delete },
    storedContentIds: (afterId, limit) =>
      later(() =>
        contents
          .ids()
          .filter((id) => id > afterId)
          .sort((a, b) => a - b)
          .slice(0, limit),
      ),
  };
};
