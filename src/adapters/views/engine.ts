/**
 * Applies runs of events to the tables: each touched row is loaded once, folded in memory through all events of the
 * run, and written once. What derives from rows follows from how they were before and are after, so it does not matter
 * how the log is cut into runs.
 */
import type { DatabaseSync } from "node:sqlite";
import { MINUTE_MS, type Instant } from "../../domain/clock.ts";
import type { Recorded } from "../../domain/event-log.ts";
import type { DomainEventType } from "../../domain/events.ts";
import type { Soonest, WorkKind } from "../../domain/runtime/read-model.ts";
import { tablesOf } from "../../projections/all.ts";
import type { Key, Projections, Table } from "../../projections/projection.ts";
import type { ScheduleRow } from "../../projections/schedule.ts";
import { deriver, type RowChange } from "./derive.ts";
import { foldedRows, type FoldedRows } from "./folded-rows.ts";
import { tableStore, type StoreOf } from "./table-store.ts";

export type Engine = {
  /**
   * Folds a run of events into the tables, within the caller's transaction. Answers what it put into the schedule.
   *
   * @throws an error that names the event, for one that a fold cannot take: views that pass over an event would be wrong
   * for ever. The transaction must be rolled back.
   */
  readonly apply: (events: readonly Recorded[]) => Soonest;
  /** Takes one row out of a derived table, whatever it follows from, within the caller's transaction. */
  readonly drop: (derivation: string, key: Key) => void;
  /** Removes what is too old to matter, given the newest event's instant. */
  readonly expire: (newestAt: Instant) => void;
};

const foldFailed = ({ position, stream, revision, event }: Recorded, fold: string, cause: unknown): Error =>
  new Error(`view ${fold} cannot take event ${event.type} (stream ${stream}, revision ${revision}, position ${position})`, { cause });

const storesOf = (db: DatabaseSync, projections: Projections): StoreOf => {
  const stores = new Map(tablesOf(projections).map((table) => [table, tableStore(db, table)]));
  return (table: Table) => {
    const store = stores.get(table);
    if (store === undefined) throw new Error(`table ${table.name} belongs to no projection`);
    return store;
  };
};

const byEventType = (all: readonly FoldedRows[]): ReadonlyMap<DomainEventType, readonly FoldedRows[]> => {
  const byType = new Map<DomainEventType, FoldedRows[]>();
  for (const each of all) {
    for (const type of each.fold.types) byType.set(type, [...(byType.get(type) ?? []), each]);
  }
  return byType;
};

/** The earliest of each kind among the rows that changes put into the schedule. */
const soonestOf = (changes: readonly RowChange[]): Soonest => {
  const soonest: Partial<Record<WorkKind, Instant>> = {};
  for (const { after } of changes) {
    if (after === undefined) continue;
    const { kind, dueAt } = after as ScheduleRow;
    soonest[kind] = Math.min(soonest[kind] ?? dueAt, dueAt);
  }
  return soonest;
};

/**
 * @param options.bulk - a rebuild of a fresh file: what can be computed from the finished tables waits for the end.
 */
export const viewEngine = (db: DatabaseSync, projections: Projections, options: { readonly bulk: boolean }): Engine => {
  const storeOf = storesOf(db, projections);
  const derived = deriver(projections, storeOf, { db, ...options });
  const all = projections.folds.map((fold) => foldedRows(fold, storeOf));
  const byName = new Map(all.map((rows) => [rows.fold.name, rows]));
  const byType = byEventType(all);
  let expiredAt: Instant = 0;
  let newestAt: Instant = 0;

  const take = (recorded: Recorded): void => {
    for (const rows of byType.get(recorded.event.type) ?? []) {
      try {
        rows.take(recorded);
      } catch (error) {
        throw foldFailed(recorded, rows.fold.name, error);
      }
    }
    newestAt = Math.max(newestAt, recorded.event.at);
  };

  const flush = (): Soonest => {
    const changes = new Map<string, readonly RowChange[]>();
    for (const rows of all) {
      const owner = byName.get(rows.fold.belongsTo ?? "");
      if (owner !== undefined) rows.leaveWith(owner);
      changes.set(rows.fold.name, rows.write());
    }
    return soonestOf(derived.follow(changes).get("schedule") ?? []);
  };

  const expire = (at: Instant): void => {
    expiredAt = at;
    for (const { expiry, tables } of projections.folds) {
      if (expiry !== undefined) for (const table of tables) storeOf(table).removeBelow(expiry.column, expiry.below(at));
    }
    for (const { expiry, table } of projections.tallies) {
      if (expiry !== undefined) storeOf(table).removeBelow(expiry.column, expiry.below(at));
    }
  };

  return {
    apply: (events) => {
      let soonest: Soonest;
      try {
        for (const recorded of events) take(recorded);
        soonest = flush();
      } finally {
        for (const rows of all) rows.clear();
      }
      if (!options.bulk && newestAt - expiredAt >= MINUTE_MS) expire(newestAt);
      return soonest;
    },
    drop: derived.drop,
    expire,
  };
};
