/** An event store in memory: the port without a disk, for tests. As strict as the real ones, and as asynchronous. */
import type { AppendResult, NewContent, Position } from "../../domain/event-log.ts";
import { checkAppend, checkName } from "./check-append.ts";
import { takeContent } from "./content-memory.ts";
import type { StoredBatch, StoredEvent, StoreWithContents, StreamWrite } from "./event-store.ts";
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

  return {
    append: (writes) => {
      for (const { stream, expectedRevision } of writes) {
        if ((streams.get(stream)?.length ?? 0) - 1 !== expectedRevision) return { appended: false, conflict: stream };
      }
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

/** A copy of its own, where the caller still has the memory. */
const kept = (content: NewContent): NewContent => {
  const { id, bytes } = takeContent(content);
  return { id, bytes: bytes === content.bytes ? new Uint8Array(bytes) : bytes };
};

/** An empty store, gone with the process. */
export const memoryStore = (): StoreWithContents => {
  const events = eventLists();
  const contents = new Map<number, Uint8Array>();
  const checkpoints = new Map<string, Position>();
  const bell = newsBell();
  let closed = false;

  /** Answers later, so that no caller gets used to an answer in the same turn. */
  const later = async <T>(run: () => T): Promise<T> => {
    await Promise.resolve();
    if (closed) throw new StoreUnavailable("closed", "the event store is closed");
    return run();
  };

  const store = (writes: readonly StreamWrite[], added: readonly NewContent[]): AppendResult => {
    for (const { id } of added) if (contents.has(id)) throw new Error(`content ${id} exists already`);
    const result = events.append(writes);
    if (result.appended) for (const { id, bytes } of added) contents.set(id, bytes);
    bell.ring();
    return result;
  };

  return {
    append: async (writes, added = []) => {
      checkAppend(writes, added);
      const own = added.map(kept);
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
    contents: {
      read: (id) => later(() => contents.get(id)?.slice()),
      delete: (ids) => later(() => ids.forEach((id) => contents.delete(id))),
    },
    storedContentIds: (afterId, limit) =>
      later(() =>
        [...contents.keys()]
          .filter((id) => id > afterId)
          .sort((a, b) => a - b)
          .slice(0, limit),
      ),
  };
};
