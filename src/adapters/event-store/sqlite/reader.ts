/**
 * Reads, on the thread that asks: in WAL mode they neither wait for the writer nor hold it up, they see everything that
 * was acknowledged, and a short stream costs less than a message to another thread and back would.
 */
import type { StatementSync } from "node:sqlite";
import { NO_STREAM, type Position } from "../../../domain/event-log.ts";
import type { StoredEvent, StreamWrite } from "../event-store.ts";
import { contentReader, type ContentReader, type FirstRow } from "./content-reader.ts";
import { openForReading } from "./database.ts";
import { explained, unavailable } from "./trouble.ts";

export type Reader = {
  readonly stream: (stream: string) => readonly StoredEvent[];
  readonly all: (after: Position, limit: number) => readonly StoredEvent[];
  readonly checkpoint: (name: string) => Position;
  readonly contents: ContentReader;
  /** The first of the streams whose last revision is not the one given. */
  readonly conflict: (writes: readonly StreamWrite[]) => string | undefined;
  readonly contentIds: (afterId: number, limit: number) => readonly number[];
  readonly close: () => void;
};

// Row types are those of the schema's STRICT tables.
type EventRow = readonly [position: number, stream: string, revision: number, type: string, version: number, at: number, data: string];
type ChunkRow = readonly [bytes: Uint8Array];
type NumberRow = readonly [number];

const storedEvent = ([position, stream, revision, type, version, at, data]: EventRow): StoredEvent => {
  return { position, stream, revision, type, version, at, data };
};

/** Opens a reading connection beside the writer's. Every function throws StoreUnavailable when it cannot read. */
export const reader = (file: string): Reader => {
  const db = openForReading(file);
  const statement = (sql: string): StatementSync => {
    const prepared = db.prepare(sql);
    prepared.setReturnArrays(true);
    return prepared;
  };

  const EVENT = "SELECT position, stream, revision, type, version, at, data FROM events";
  const selectStream = statement(`${EVENT} WHERE stream = ? ORDER BY revision`);
  const selectAll = statement(`${EVENT} WHERE position > ? ORDER BY position LIMIT ?`);
  const selectRevision = statement("SELECT revision FROM events WHERE stream = ? ORDER BY revision DESC LIMIT 1");
  const selectCheckpoint = statement("SELECT position FROM checkpoints WHERE name = ?");
  const selectContent = statement("SELECT size, bytes FROM contents WHERE id = ?");
  const selectChunk = statement("SELECT bytes FROM content_chunks WHERE content = ? AND chunk = ?");
  const selectContentIds = statement("SELECT id FROM contents WHERE id > ? ORDER BY id LIMIT ?");

  /** The rows of a query, which are arrays of values. */
  const rows = (query: StatementSync, ...parameters: readonly (number | string)[]): readonly unknown[] => {
    if (!db.isOpen) throw unavailable("closed", file);
    try {
      return query.all(...parameters);
    } catch (error) {
      throw explained(error, file);
    }
  };

  const conflict: Reader["conflict"] = (writes) =>
    writes.find(({ stream, expectedRevision }) => {
      const last = rows(selectRevision, stream)[0] as NumberRow | undefined;
      return (last?.[0] ?? NO_STREAM) !== expectedRevision;
    })?.stream;

  return {
    stream: (stream) => (rows(selectStream, stream) as readonly EventRow[]).map(storedEvent),
    all: (after, limit) => (rows(selectAll, after, limit) as readonly EventRow[]).map(storedEvent),
    checkpoint: (name) => (rows(selectCheckpoint, name)[0] as NumberRow | undefined)?.[0] ?? 0,
    contents: contentReader({
      first: (id) => rows(selectContent, id)[0] as FirstRow | undefined,
      next: (id, chunk) => (rows(selectChunk, id, chunk)[0] as ChunkRow | undefined)?.[0],
    }),
    conflict,
    contentIds: (afterId, limit) => (rows(selectContentIds, afterId, limit) as readonly NumberRow[]).map(([id]) => id),
    close: () => {
      if (db.isOpen) db.close();
    },
  };
};
