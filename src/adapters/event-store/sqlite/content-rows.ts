/** Contents as rows: one for a small content, more for a large one, so that no row has to be held or bound whole. */
import type { DatabaseSync } from "node:sqlite";
import { CONTENT_PIECE, contentSize, type Content, type NewContent } from "../../../domain/event-log.ts";

export type ContentRows = {
  readonly insert: (content: NewContent) => void;
  /** Passes over what is not there. */
  readonly delete: (id: number) => void;
};

/**
 * The content in pieces of {@link CONTENT_PIECE}, and a shorter last one. Of pieces that are cut otherwise a copy is handed
 * out, which holds until the next is asked for.
 */
export function* rowsOf(content: Content): Generator<Uint8Array> {
  let gathered: Uint8Array | undefined;
  let filled = 0;
  for (const piece of content) {
    for (let at = 0; at < piece.byteLength;) {
      const part = piece.subarray(at, at + CONTENT_PIECE - filled);
      at += part.byteLength;
      if (part.byteLength === CONTENT_PIECE) yield part;
      else {
        gathered ??= new Uint8Array(CONTENT_PIECE);
        gathered.set(part, filled);
        filled += part.byteLength;
        if (filled < CONTENT_PIECE) continue;
        filled = 0;
        yield gathered;
      }
    }
  }
  if (gathered !== undefined && filled > 0) yield gathered.subarray(0, filled);
}

/** Both work inside the caller's transaction. */
export const contentRows = (db: DatabaseSync): ContentRows => {
  const insertFirst = db.prepare("INSERT INTO contents (id, size, bytes) VALUES (?, ?, ?)");
  const insertChunk = db.prepare("INSERT INTO content_chunks (content, chunk, bytes) VALUES (?, ?, ?)");
  const deleteFirst = db.prepare("DELETE FROM contents WHERE id = ? RETURNING size");
  const deleteChunks = db.prepare("DELETE FROM content_chunks WHERE content = ?");
  return {
    insert: ({ id, pieces }) => {
      const [only = new Uint8Array(), second] = pieces;
      if (second === undefined && only.byteLength <= CONTENT_PIECE) {
        insertFirst.run(id, only.byteLength, only);
        return;
      }
      let chunk = 0;
      for (const row of rowsOf(pieces)) {
        if (chunk === 0) insertFirst.run(id, contentSize(pieces), row);
        else insertChunk.run(id, chunk, row);
        chunk += 1;
      }
      if (chunk === 0) insertFirst.run(id, 0, new Uint8Array());
    },
    delete: (id) => {
      if (Number(deleteFirst.get(id)?.["size"] ?? 0) > CONTENT_PIECE) deleteChunks.run(id);
    },
  };
};
