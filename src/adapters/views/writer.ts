/** Takes stored batches into the views file: as many as wait in one transaction, together with how far that is. */
import type { DatabaseSync } from "node:sqlite";
import type { Position, Recorded } from "../../domain/event-log.ts";
import type { DomainEvent } from "../../domain/events.ts";
import { ALL } from "../../projections/all.ts";
import type { Soonest } from "../../domain/runtime/read-model.ts";
import type { Key } from "../../projections/projection.ts";
import type { StoredBatch, StoredEvent } from "../event-store/event-store.ts";
import { fillHeads } from "./derive.ts";
import { viewEngine } from "./engine.ts";
import { progressWriter, type Progress } from "./views-file.ts";

/** Throws for an event that it does not know, saying which and where. */
export type Decode = (stored: StoredEvent) => DomainEvent;

export type Writer = {
  /** Applies batches, and takes rows out of the schedule, in one transaction. Answers how far the views are, and what is due. */
  readonly write: (batches: readonly StoredBatch[], forget: readonly Key[]) => { readonly position: Position; readonly soonest: Soonest };
  /** What a rebuild leaves for the end, before the indexes. */
  readonly finish: () => void;
};

/**
 * @param options.bulk - writes a fresh file that nobody reads yet.
 */
export const viewsWriter = (db: DatabaseSync, start: Progress, decode: Decode, options: { readonly bulk: boolean }): Writer => {
  const engine = viewEngine(db, ALL, options);
  const saveProgress = progressWriter(db);
  const begin = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  let progress = start;

  const decoded = (stored: StoredEvent): Recorded => ({
    position: stored.position,
    stream: stored.stream,
    revision: stored.revision,
    event: decode(stored),
  });

  /** What of these batches is new: after a start some may come again. */
  const newEvents = (batches: readonly StoredBatch[]): Recorded[] => {
    const events: Recorded[] = [];
    for (const batch of batches) {
      for (const stored of batch.events) if (stored.position > progress.position) events.push(decoded(stored));
    }
    return events;
  };

  const progressAfter = (events: readonly Recorded[], upTo: Position): Progress => {
    const last = events.at(-1);
    if (last === undefined) return { ...progress, position: upTo };
    const newestAt = events.reduce((newest, { event }) => Math.max(newest, event.at), progress.newestAt);
    return { position: upTo, newestAt, lastPosition: last.position, lastStream: last.stream, lastRevision: last.revision };
  };

  return {
    write: (batches, forget) => {
      const events = newEvents(batches);
      const upTo = Math.max(progress.position, ...batches.map((batch) => batch.upTo));
      const next = progressAfter(events, upTo);
      let soonest: Soonest = {};
      begin.run();
      try {
        if (events.length > 0) soonest = engine.apply(events);
        for (const key of forget) engine.drop("schedule", key);
        saveProgress(next);
        commit.run();
      } catch (error) {
        if (db.isTransaction) db.exec("ROLLBACK");
        throw error;
      }
      progress = next;
      return { position: upTo, soonest };
    },
    finish: () => {
      engine.expire(progress.newestAt);
      fillHeads(db, ALL);
    },
  };
};
