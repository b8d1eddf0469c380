/** The rows of one fold in the course of a run of events: loaded once, folded in memory, written once. */
import type { Recorded } from "../../domain/event-log.ts";
import type { AnyRow, Fold, Key, Table } from "../../projections/projection.ts";
import type { RowChange } from "./derive.ts";
import type { StoreOf } from "./table-store.ts";

/** A row in the course of a run. */
type Entry = { readonly key: Key; readonly before: AnyRow | undefined; readonly stoodIn: Table | undefined; after: AnyRow | undefined };

export type FoldedRows = {
  readonly fold: Fold;
  /** Folds an event into the rows that it touches. */
  readonly take: (recorded: Recorded) => void;
  /** Whether the row with this one key column was touched, and stands nowhere any more. */
  readonly isGone: (key: Key[number]) => boolean;
  /** First key columns of the rows that stood somewhere before the run and do not any more. */
  readonly lost: () => readonly Key[number][];
  /** Removes rows that belong to rows which are gone; one born and gone within the run leaves none behind. */
  readonly leaveWith: (owner: FoldedRows) => void;
  /** Writes what changed, and answers it. */
  readonly write: () => readonly RowChange[];
  /** Forgets the run. */
  readonly clear: () => void;
};

/** Key as a map's key; columns of one table never mix numbers and texts in one place. */
const identityOf = (key: Key): string | number => (key.length === 1 ? (key[0] ?? "") : key.join("\u0000"));

const writeEntry = ({ before, after, stoodIn, key }: Entry, home: Table | undefined, storeOf: StoreOf): void => {
  if (stoodIn !== undefined && stoodIn !== home) storeOf(stoodIn).remove(key);
  if (home === undefined || after === undefined) return;
  if (stoodIn === home && before !== undefined) storeOf(home).update(before, after);
  else storeOf(home).insert(after);
};

export const foldedRows = (fold: Fold, storeOf: StoreOf): FoldedRows => {
  const entries = new Map<string | number, Entry>();

  const load = (key: Key): Entry => {
    for (const table of fold.tables) {
      const row = storeOf(table).load(key);
      if (row !== undefined) return { key, before: row, stoodIn: table, after: row };
    }
    return { key, before: undefined, stoodIn: undefined, after: undefined };
  };

  const entryOf = (key: Key, recorded: Recorded): Entry => {
    const identity = identityOf(key);
    let entry = entries.get(identity);
    if (entry === undefined) {
      entry = fold.births(recorded) ? { key, before: undefined, stoodIn: undefined, after: undefined } : load(key);
      entries.set(identity, entry);
    }
    return entry;
  };

  const homeOf = ({ after }: Entry): Table | undefined => (after === undefined ? undefined : fold.home(after));

  return {
    fold,
    take: (recorded) => {
      for (const key of fold.keys(recorded)) {
        const entry = entryOf(key, recorded);
        entry.after = fold.fold(entry.after, recorded, key);
      }
    },
    isGone: (key) => {
      const entry = entries.get(key);
      return entry !== undefined && homeOf(entry) === undefined;
    },
    lost: () =>
      [...entries.values()].flatMap((entry) => (entry.stoodIn !== undefined && homeOf(entry) === undefined ? [entry.key[0] ?? 0] : [])),
    leaveWith: (owner) => {
      for (const key of owner.lost()) for (const table of fold.tables) storeOf(table).removeGroup(key);
      for (const [identity, { key }] of entries) if (owner.isGone(key[0] ?? 0)) entries.delete(identity);
    },
    write: () => {
      const changed = [...entries.values()].filter(({ before, after }) => before !== after);
      for (const entry of changed) writeEntry(entry, homeOf(entry), storeOf);
      return changed;
    },
    clear: () => {
      entries.clear();
    },
  };
};
