/** Carries single operations out, inside a transaction that somebody else begins and ends. */
import type { DatabaseSync } from "node:sqlite";
import { NO_STREAM, type Position } from "../../../domain/event-log.ts";
import { recentMap } from "../../../domain/recent-map.ts";
import { contentRows } from "./content-rows.ts";
import type { Operation, Outcome } from "./operations.ts";

export type Changes = {
  /** Throws what SQLite throws; the transaction must then be rolled back and {@link Changes.forget} be called. */
  readonly perform: (operation: Operation) => Outcome;
  /** Position of the newest event. */
  readonly head: () => Position;
  /** After a rollback: the head is again where it was, and nothing that was remembered can be relied on. */
  readonly forget: (head: Position) => void;
};

const readHead = (db: DatabaseSync): Position => {
  const row = db.prepare("SELECT max(coalesce((SELECT max(position) FROM events), 0), position) AS head FROM high_water").get();
  return Number(row?.["head"] ?? 0);
};

/** Last revisions of the streams written lately: the next append to one of them asks no index. */
const REVISIONS_REMEMBERED = 40_000;

export const changes = (db: DatabaseSync): Changes => {
  const revisions = recentMap<number>(REVISIONS_REMEMBERED);
  const contents = contentRows(db);
  let head = readHead(db);

  const selectRevision = db.prepare("SELECT revision FROM events WHERE stream = ? ORDER BY revision DESC LIMIT 1");
  const insertEvent = db.prepare("INSERT INTO events (position, stream, revision, type, version, at, data) VALUES (?, ?, ?, ?, ?, ?, ?)");
  const deleteEvents = db.prepare("DELETE FROM events WHERE stream = ?");
  const raiseHighWater = db.prepare("UPDATE high_water SET position = ?");
  const saveCheckpoint = db.prepare("INSERT INTO checkpoints VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET position = excluded.position");

  const revisionOf = (stream: string): number => revisions.get(stream) ?? Number(selectRevision.get(stream)?.["revision"] ?? NO_STREAM);

  const append = (operation: Extract<Operation, { kind: "append" }>): Outcome => {
    // All checks come before the first insert: a conflict leaves nothing to undo.
    for (const { stream, expectedRevision } of operation.writes) if (revisionOf(stream) !== expectedRevision) return stream;
    const before = head;
    for (const { stream, expectedRevision, events } of operation.writes) {
      let revision = expectedRevision;
      for (const { type, version, at, data } of events) {
        head += 1;
        revision += 1;
        insertEvent.run(head, stream, revision, type, version, at, data);
      }
      if (events.length > 0) revisions.set(stream, revision);
    }
    for (const content of operation.contents) contents.insert(content);
    return before;
  };

  const perform: Changes["perform"] = (operation) => {
    switch (operation.kind) {
      case "append":
        return append(operation);
      case "deleteStream":
        revisions.delete(operation.stream);
        if (deleteEvents.run(operation.stream).changes > 0) raiseHighWater.run(head);
        return head;
      case "saveCheckpoint":
        saveCheckpoint.run(operation.name, operation.position);
        return head;
      case "deleteContents":
        for (const id of operation.ids) contents.delete(id);
        return head;
    }
  };

  return {
    perform,
    head: () => head,
    forget: (before) => {
      head = before;
      revisions.clear();
    },
  };
};
