/** Keeps the tables that follow from rows: derivations, sums, and the first of each group. */
import type { DatabaseSync } from "node:sqlite";
import type { AnyRow, Derivation, Heads, Key, Projections, Table, Tally } from "../../projections/projection.ts";
import { quoted } from "./ddl.ts";
import { sameRow } from "./rows.ts";
import { keyOf, type StoreOf, type TableStore } from "./table-store.ts";

/** A row before and after a run. Rows without a home any more still count once, in the run that took it from them. */
export type RowChange = { readonly before: AnyRow | undefined; readonly after: AnyRow | undefined };

type MutableChange = { before: AnyRow | undefined; after: AnyRow | undefined };

const identity = (key: Key): string => key.join("\u0000");

const writeChange = (store: TableStore, table: Table, { before, after }: RowChange): void => {
  if (after === undefined) {
    if (before !== undefined) store.remove(keyOf(table, before));
  } else if (before === undefined) {
    store.insert(after);
  } else {
    store.update(before, after);
  }
};

/** Changes of a derivation's rows, from the changes of the rows they follow from. */
const derivedChanges = ({ table, from }: Derivation, changes: ReadonlyMap<string, readonly RowChange[]>): readonly RowChange[] => {
  const derived = new Map<string, MutableChange>();
  const at = (row: AnyRow): MutableChange => {
    const key = identity(keyOf(table, row));
    let change = derived.get(key);
    if (change === undefined) derived.set(key, (change = { before: undefined, after: undefined }));
    return change;
  };
  for (const { of, rows } of from) {
    for (const { before, after } of changes.get(of) ?? []) {
      if (before !== undefined) for (const row of rows(before)) at(row).before = row;
      if (after !== undefined) for (const row of rows(after)) at(row).after = row;
    }
  }
  return [...derived.values()].filter(({ before, after }) => before === undefined || after === undefined || !sameRow(before, after));
};

type Sum = { readonly row: AnyRow; readonly key: Key; readonly amounts: number[] };

const sums = ({ table, amounts, from }: Tally, changes: ReadonlyMap<string, readonly RowChange[]>): Iterable<Sum> => {
  const byKey = new Map<string, Sum>();
  const add = (row: AnyRow, sign: 1 | -1): void => {
    const key = keyOf(table, row);
    const name = identity(key);
    let sum = byKey.get(name);
    if (sum === undefined) byKey.set(name, (sum = { row, key, amounts: amounts.map(() => 0) }));
    for (let index = 0; index < amounts.length; index += 1) {
      sum.amounts[index] = (sum.amounts[index] ?? 0) + sign * Number(row[amounts[index] ?? ""]);
    }
  };
  for (const { of, rows } of from) {
    for (const { before, after } of changes.get(of) ?? []) {
      if (before !== undefined) for (const row of rows(before)) add(row, -1);
      if (after !== undefined) for (const row of rows(after)) add(row, 1);
    }
  }
  return byKey.values();
};

const applyTally = (tally: Tally, store: TableStore, changes: ReadonlyMap<string, readonly RowChange[]>): readonly RowChange[] => {
  const changed: RowChange[] = [];
  for (const { row, key, amounts } of sums(tally, changes)) {
    if (amounts.every((amount) => amount === 0)) continue;
    const before = store.load(key);
    const totals = tally.amounts.map((name, index) => [name, Number(before?.[name] ?? 0) + (amounts[index] ?? 0)] as const);
    const after = totals.every(([, total]) => total === 0) ? undefined : { ...row, ...Object.fromEntries(totals) };
    writeChange(store, tally.table, { before, after });
    changed.push({ before, after });
  }
  return changed;
};

/** Keeps the first of each group, reading it from an index after the rows are written. */
const headKeeper = (db: DatabaseSync, { table, group, least }: Heads, source: Table, store: TableStore) => {
  const where = group.map((column) => `${quoted(column)} = ?`).join(" AND ");
  const first = db.prepare(`SELECT min(${quoted(least)}) FROM ${source.name} WHERE ${where}`);
  first.setReturnArrays(true);
  return (changes: readonly RowChange[]): void => {
    const groups = new Map<string, Key>();
    for (const row of changes.flatMap(({ before, after }) => [before, after])) {
      if (row === undefined) continue;
      const key = group.map((column) => row[column] as Key[number]);
      groups.set(identity(key), key);
    }
    for (const key of groups.values()) {
      const [value] = first.get(...key) as unknown as readonly [number | null];
      const before = store.load(key);
      const after =
        value === null ? undefined : { ...Object.fromEntries(group.map((column, index) => [column, key[index]])), [least]: value };
      writeChange(store, table, { before, after });
    }
  };
};

/** Fills the heads of a fresh file in one go. */
export const fillHeads = (db: DatabaseSync, { derivations, heads }: Projections): void => {
  for (const { table, of, group, least } of heads) {
    const source = derivations.find(({ name }) => name === of)?.table.name ?? "";
    const columns = group.map(quoted).join(", ");
    db.exec(
      `INSERT INTO ${table.name} (${columns}, ${quoted(least)}) SELECT ${columns}, min(${quoted(least)}) FROM ${source} GROUP BY ${columns}`,
    );
  }
};

export type Deriver = {
  /**
   * Brings derived tables up to the changes of a run, given by the name of the fold whose rows changed. Answers the
   * changes of the derivations' rows by the name of the derivation.
   */
  readonly follow: (changes: Map<string, readonly RowChange[]>) => ReadonlyMap<string, readonly RowChange[]>;
  /** Takes one row out of a derivation, whatever it follows from. */
  readonly drop: (derivation: string, key: Key) => void;
};

/** @param options.bulk - heads are left to {@link fillHeads}. */
export const deriver = (
  { derivations, tallies, heads }: Projections,
  storeOf: StoreOf,
  { db, bulk }: { readonly db: DatabaseSync; readonly bulk: boolean },
): Deriver => {
  const targets = derivations.map((derivation) => {
    const store = storeOf(derivation.table);
    const keepers = heads
      .filter(({ of }) => of === derivation.name)
      .map((each) => headKeeper(db, each, derivation.table, storeOf(each.table)));
    const write = (changes: readonly RowChange[]): void => {
      for (const change of changes) writeChange(store, derivation.table, change);
      if (!bulk) for (const keep of keepers) keep(changes);
    };
    return { derivation, store, write };
  });

  return {
    follow: (changes) => {
      const made = new Map<string, readonly RowChange[]>();
      for (const { derivation, write } of targets) {
        const derived = derivedChanges(derivation, changes);
        write(derived);
        made.set(derivation.name, derived);
      }
      for (const tally of tallies) changes.set(tally.name, applyTally(tally, storeOf(tally.table), changes));
      return made;
    },
    drop: (name, key) => {
      for (const { derivation, store, write } of targets) {
        const before = derivation.name === name ? store.load(key) : undefined;
        if (before !== undefined) write([{ before, after: undefined }]);
      }
    },
  };
};
