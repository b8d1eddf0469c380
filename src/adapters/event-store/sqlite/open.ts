/** The embedded event store: one SQLite file with events, contents and checkpoints, a thread that writes, reads beside it. */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { setImmediate as turnOfTheLoop } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { Position } from "../../../domain/event-log.ts";
import { checkAppend, checkName } from "../check-append.ts";
import { givesItsMemoryAway, takeContent } from "../content-memory.ts";
import { commitTail, type CommitTail } from "../commit-tail.ts";
import type { EventStore, StoredBatch, StoreWithContents } from "../event-store.ts";
import type { StoreUnavailable } from "../store-unavailable.ts";
import { newsBell, subscription } from "../subscription.ts";
import type { DatabaseOptions } from "./database.ts";
import { lockDirectory } from "./directory-lock.ts";
import { eventCount, type Operation } from "./operations.ts";
import { reader, type Reader } from "./reader.ts";
import { unavailable } from "./trouble.ts";
import { writerClient, type CommitStatistics, type WriterClient } from "./writer-client.ts";

export type { CommitStatistics };

export type SqliteStoreOptions = {
  /** Holds the database, its write-ahead log and the lock; made if it is missing. Must be on a local file system. */
  readonly directory: string;
  /** Largest size of the database file, octets: beyond it appends fail as on a full disk. Default: no bound of its own. */
  readonly maxBytes?: number;
  /** Called after each transaction, also after one that stored nothing (`events` 0). */
  readonly onCommit?: (statistics: CommitStatistics) => void;
  /** Called with each append's time from the call until it was durable, ms. */
  readonly onAppend?: (latencyMs: number) => void;
  /** Called once when the writing thread has died: nothing can be stored until the process starts again. */
  readonly onBroken?: (error: StoreUnavailable) => void;
};

/** What passes through the writer is short-lived: a large young generation would only be filled, MiB. */
const MEMORY = { maxYoungGenerationSizeMb: 8 } as const;

/** Hands the events of a stored append to the tail, at the positions that the writer gave them. */
const announce = (tail: CommitTail, operation: Operation, before: Position): void => {
  if (operation.kind !== "append") return;
  let position = before;
  for (const { stream, expectedRevision, events } of operation.writes) {
    let revision = expectedRevision;
    for (const event of events) {
      position += 1;
      revision += 1;
      tail.push({ ...event, position, stream, revision });
    }
  }
};

/** Appends, with their latency. */
const appendWith =
  (client: WriterClient, reads: Reader, onAppend: ((latencyMs: number) => void) | undefined): EventStore["append"] =>
  async (writes, contents = []) => {
    checkAppend(writes, contents);
    if (contents.some(({ pieces }) => pieces.some(givesItsMemoryAway))) {
      const conflict = reads.conflict(writes);
      if (conflict !== undefined) return { appended: false, conflict };
    }
    const startedAt = performance.now();
    const operation: Operation = { kind: "append", writes, contents: contents.map(takeContent) };
    const outcome = await client.submit(operation);
    if (typeof outcome === "string") return { appended: false, conflict: outcome };
    onAppend?.(performance.now() - startedAt);
    return { appended: true, position: outcome + eventCount(operation) };
  };

/** Reads for subscriptions: from memory what is new, else from the file, where a long catch-up must let the loop turn. */
const subscriptionReads =
  (tail: CommitTail, reads: Reader, head: () => Position) =>
  (after: Position, limit: number): StoredBatch | Promise<StoredBatch> => {
    const recent = tail.after(after, limit);
    if (recent !== undefined && recent.events.length > 0) return recent;
    const upTo = head();
    const events = reads.all(after, limit);
    const last = events.at(-1)?.position ?? upTo;
    return turnOfTheLoop({ events, upTo: events.length < limit ? Math.max(last, upTo) : last });
  };

const makeDirectory = (directory: string): void => {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unavailable("cannotOpen", directory, error instanceof Error ? error.message : String(error), error);
  }
};

/**
 * Opens the store in a directory, and keeps every other process out of it until it is closed or this process dies.
 *
 * @throws StoreUnavailable when the directory or the file in it cannot be used; the message names it and says why.
 */
export const openSqliteStore = async (options: SqliteStoreOptions): Promise<StoreWithContents> => {
  const directory = resolve(options.directory);
  const { maxBytes, onCommit, onAppend, onBroken } = options;
  makeDirectory(directory);
  const unlock = lockDirectory(join(directory, "posthorn.lock"), directory);
  const database: DatabaseOptions = { file: join(directory, "events.sqlite"), ...(maxBytes === undefined ? {} : { maxBytes }) };
  const { file } = database;
  const bell = newsBell();
  let newest: Position = 0;
  let tail: CommitTail | undefined;
  let reads: Reader | undefined;

  try {
    const worker = new Worker(new URL("./writer-thread.ts", import.meta.url), {
      workerData: database,
      name: "event-store",
      resourceLimits: MEMORY,
    });
    const { client, head } = await writerClient({
      worker,
      file,
      onStored: (operation, before) => {
        if (tail !== undefined) announce(tail, operation, before);
        newest = Math.max(newest, before + eventCount(operation));
      },
      onCommit: (statistics) => {
        bell.ring();
        onCommit?.(statistics);
      },
      onStopped: (error) => {
        bell.break(error);
        onBroken?.(error);
      },
    });
    newest = head;
    tail = commitTail(head);
    const opened = reader(file);
    reads = opened;
    const close = async (): Promise<void> => {
      await client.close();
      bell.break(unavailable("closed", file));
      opened.close();
      unlock();
    };
    return sqliteStore({ client, reads: opened, tail, bell, head: () => newest, append: appendWith(client, opened, onAppend), close });
  } catch (error) {
    reads?.close();
    unlock();
    throw error;
  }
};

type Parts = {
  readonly client: WriterClient;
  readonly reads: Reader;
  readonly tail: CommitTail;
  readonly bell: ReturnType<typeof newsBell>;
  readonly head: () => Position;
  readonly append: EventStore["append"];
  readonly close: () => Promise<void>;
};

/** The port, put together. */
const sqliteStore = ({ client, reads, tail, bell, head, append, close }: Parts): StoreWithContents => {
  const read = subscriptionReads(tail, reads, head);
  return {
    append,
    readStream: async (stream) => reads.stream(stream),
    readAll: async (after, limit) => reads.all(after, limit),
    subscribe: (after, { signal }) => subscription({ head, read, bell }, after, signal),
    deleteStream: async (stream) => {
      await client.submit({ kind: "deleteStream", stream });
    },
    loadCheckpoint: async (name) => reads.checkpoint(name),
    saveCheckpoint: async (name, position) => {
      checkName(name);
      await client.submit({ kind: "saveCheckpoint", name, position });
    },
    head,
    exclusive: true,
    close,
    contents: {
      ...reads.contents,
      delete: async (ids) => {
        await client.submit({ kind: "deleteContents", ids });
      },
    },
    storedContentIds: async (afterId, limit) => reads.contentIds(afterId, limit),
  };
};
