/** Contents as rows: one for a small content, more for a large one, so that no row has to be held or bound whole. */
import type { DatabaseSync } from "node:sqlite";
import type { NewContent } from "../../../domain/event-log.ts";

/** Octets in one row: what is read and written at a time. */
const CHUNK_SIZE = 256 * 1_024;

export type ContentRows = {
  readonly insert: (content: NewContent) => void;
  /** Passes over what is not there. */
  readonly delete: (id: number) => void;
};

/** Both work inside the caller's transaction. */
export const contentRows = (db: DatabaseSync): ContentRows => {
  const insertFirst = db.prepare("INSERT INTO contents (id, size, bytes) VALUES (?, ?, ?)");
  const insertChunk = db.prepare("INSERT INTO content_chunks (content, chunk, bytes) VALUES (?, ?, ?)");
  const deleteFirst = db.prepare("DELETE FROM contents WHERE id = ? RETURNING size");
  const deleteChunks = db.prepare("DELETE FROM content_chunks WHERE content = ?");
  return {
    insert: ({ id, bytes }) => {
      insertFirst.run(id, bytes.byteLength, bytes.subarray(0, CHUNK_SIZE));
      for (let offset = CHUNK_SIZE; offset < bytes.byteLength; offset += CHUNK_SIZE) {
        insertChunk.run(id, offset / CHUNK_SIZE, bytes.subarray(offset, offset + CHUNK_SIZE));
      }
    },
    delete: (id) => {
      if (Number(deleteFirst.get(id)?.["size"] ?? 0) > CHUNK_SIZE) deleteChunks.run(id);
    },
  };
};
