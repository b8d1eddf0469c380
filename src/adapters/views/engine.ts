/**
 * Applies runs of events to the tables: each touched row is loaded once, folded in memory through all events of the
 * run, and written once. What derives from rows follows from how they were before and are after, so it does not matter
 * how the log is cut into runs.
 */
import type { DatabaseSync } from "node:sqlite";
import { MINUTE_MS, type Instant } from "../../domain/clock.ts";
import type { Recorded } from "../../domain/event-log.ts";
import type { DomainEventType } from "../../domain/events.ts";
import { tablesOf } from "../../projections/all.ts";
import type { AnyRow, Fold, Key, Projections, Table } from "../../projections/projection.ts";
import { deriver, type RowChange } from "./derive.ts";
import { tableStore, type TableStore } from "./table-store.ts";

/** A row in the course of a run. */
type Entry = { readonly key: Key; readonly before: AnyRow | undefined; readonly stoodIn: Table | undefined; after: AnyRow | undefined };

type Entries = Map<string | number, Entry>;

/** A fold with the rows that a run has touched. */
type Touched = { readonly fold: Fold; readonly entries: Entries };

export type Engine = {
  /** Folds a run of events into the tables, within the caller's transaction. A fold that throws leaves the rest undone. */
  readonly apply: (events: readonly Recorded[]) => void;
  /** Takes one row out of a derived table, whatever it follows from, within the caller's transaction. */
  readonly drop: (derivation: string, key: Key) => void;
  /** Removes what is too old to matter, given the newest event's instant. */
  readonly expire: (newestAt: Instant) => void;
};

/** Key as a map's key; columns of one table never mix numbers and texts in one place. */
export const identityOf = (key: Key): string | number => (key.length === 1 ? (key[0] ?? "") : key.join("\u0000"));

/** Thrown for an event that a fold cannot take: views that pass over an event would be wrong for ever. */
export const foldFailed = ({ position, stream, event }: Recorded, fold: string, cause: unknown): Error =>
  new Error(`the view ${fold} cannot take the event at position ${position} (${event.type} in ${stream})`, { cause });

/**
 * @param options.bulk - a rebuild of a fresh file: what can be computed from the finished tables waits for the end.
 */
export const viewEngine = (db: DatabaseSync, projections: Projections, options: { readonly bulk: boolean }): Engine => {
  const stores = new Map<Table, TableStore>(tablesOf(projections).map((table) => [table, tableStore(db, table)]));
  const storeOf = (table: Table): TableStore => {
    const store = stores.get(table);
    if (store === undefined) throw new Error(`no table ${table.name}`);
    return store;
  };
  const derived = deriver(db, projections, storeOf, options);
  const touched: readonly Touched[] = projections.folds.map((fold) => ({ fold, entries: new Map() }));
  const byName = new Map(touched.map((each) => [each.fold.name, each]));
  const byType = new Map<DomainEventType, Touched[]>();
  for (const each of touched) {
    for (const type of each.fold.types) byType.set(type, [...(byType.get(type) ?? []), each]);
  }
  let expiredAt: Instant = 0;
  let newestAt: Instant = 0;

  const load = (fold: Fold, key: Key): Entry => {
    for (const table of fold.tables) {
      const row = storeOf(table).load(key);
      if (row !== undefined) return { key, before: row, stoodIn: table, after: row };
    }
    return { key, before: undefined, stoodIn: undefined, after: undefined };
  };

  const entryOf = ({ fold, entries }: Touched, key: Key, recorded: Recorded): Entry => {
    const identity = identityOf(key);
    let entry = entries.get(identity);
    if (entry === undefined) {
      entry = fold.births(recorded) ? { key, before: undefined, stoodIn: undefined, after: undefined } : load(fold, key);
      entries.set(identity, entry);
    }
    return entry;
  };

  const fold = (recorded: Recorded): void => {
    for (const each of byType.get(recorded.event.type) ?? []) {
      try {
        for (const key of each.fold.keys(recorded)) {
          const entry = entryOf(each, key, recorded);
          entry.after = each.fold.fold(entry.after, recorded, key);
        }
      } catch (error) {
        throw foldFailed(recorded, each.fold.name, error);
      }
    }
  };

  const homeOf = ({ fold: { home } }: Touched, row: AnyRow | undefined): Table | undefined => (row === undefined ? undefined : home(row));

  const write = (entry: Entry, home: Table | undefined): void => {
    const { before, after, stoodIn, key } = entry;
    if (before === after) return;
    if (stoodIn !== undefined && stoodIn !== home) storeOf(stoodIn).remove(key);
    if (home === undefined || after === undefined) return;
    if (stoodIn === home && before !== undefined) storeOf(home).update(before, after);
    else storeOf(home).insert(after);
  };

  /** Rows vanish with the row that they belong to; one born and gone within the run leaves none behind. */
  const dropOrphans = (child: Touched, parent: Touched): void => {
    for (const { key, stoodIn, after } of parent.entries.values()) {
      if (stoodIn === undefined || homeOf(parent, after) !== undefined) continue;
      for (const table of child.fold.tables) storeOf(table).removeGroup(key[0] ?? 0);
    }
    for (const [identity, { key }] of child.entries) {
      const owner = parent.entries.get(key[0] ?? 0);
      if (owner !== undefined && homeOf(parent, owner.after) === undefined) child.entries.delete(identity);
    }
  };

  const flush = (): void => {
    const changes = new Map<string, readonly RowChange[]>();
    for (const each of touched) {
      if (each.entries.size === 0) continue;
      const parent = each.fold.belongsTo === undefined ? undefined : byName.get(each.fold.belongsTo);
      if (parent !== undefined) dropOrphans(each, parent);
      for (const entry of each.entries.values()) write(entry, homeOf(each, entry.after));
      changes.set(each.fold.name, [...each.entries.values()].filter(({ before, after }) => before !== after));
    }
    derived.follow(changes);
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
      try {
        for (const recorded of events) {
          fold(recorded);
          newestAt = Math.max(newestAt, recorded.event.at);
        }
        flush();
      } finally {
        for (const { entries } of touched) entries.clear();
      }
      if (!options.bulk && newestAt - expiredAt >= MINUTE_MS) expire(newestAt);
    },
    drop: derived.drop,
    expire,
  };
};
