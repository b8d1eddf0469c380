/** One table of the views, written by key. Every statement is prepared once. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { AnyRow, Key, Table } from "../../projections/projection.ts";
import { quoted } from "./ddl.ts";
import { rowCodec, type SqlValue } from "./rows.ts";

export type TableStore = {
  readonly load: (key: Key) => AnyRow | undefined;
  readonly insert: (row: AnyRow) => void;
  /** Writes what differs, so that only the indexes on changed columns are touched. */
  readonly update: (before: AnyRow, after: AnyRow) => void;
  readonly remove: (key: Key) => void;
  /** Removes all rows whose first key column has this value. */
  readonly removeGroup: (first: Key[number]) => void;
  /** Removes all rows whose column is below a bound. */
  readonly removeBelow: (column: string, bound: number) => void;
};

export type StoreOf = (table: Table) => TableStore;

export const keyOf = (table: Table, row: AnyRow): Key => table.key.map((column) => row[column] as Key[number]);

export const tableStore = (db: DatabaseSync, table: Table): TableStore => {
  const codec = rowCodec(table);
  const prepared = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    const known = prepared.get(sql);
    if (known !== undefined) return known;
    const statement = db.prepare(sql);
    statement.setReturnArrays(true);
    prepared.set(sql, statement);
    return statement;
  };

  const byKey = table.key.map((column) => `${quoted(column)} = ?`).join(" AND ");
  const columns = codec.names.map(quoted).join(", ");
  const select = prepare(`SELECT ${columns} FROM ${table.name} WHERE ${byKey}`);
  const insert = prepare(`INSERT INTO ${table.name} (${columns}) VALUES (${codec.names.map(() => "?").join(", ")})`);
  const remove = prepare(`DELETE FROM ${table.name} WHERE ${byKey}`);
  /** Update statements by the columns that change: few patterns occur. */
  const updates = new Map<string, StatementSync>();

  const updateOf = (changed: readonly string[]): StatementSync => {
    const pattern = changed.join();
    const known = updates.get(pattern);
    if (known !== undefined) return known;
    const statement = prepare(`UPDATE ${table.name} SET ${changed.map((name) => `${quoted(name)} = ?`).join(", ")} WHERE ${byKey}`);
    updates.set(pattern, statement);
    return statement;
  };

  return {
    load: (key) => {
      const values = select.get(...key) as unknown as readonly SqlValue[] | undefined;
      return values === undefined ? undefined : codec.decode(values);
    },
    insert: (row) => {
      insert.run(...codec.encode(row));
    },
    update: (before, after) => {
      const changed: string[] = [];
      const values: SqlValue[] = [];
      for (let column = 0; column < codec.names.length; column += 1) {
        const name = codec.names[column] ?? "";
        if (before[name] === after[name]) continue;
        changed.push(name);
        values.push(codec.value(column, after));
      }
      if (changed.length > 0) updateOf(changed).run(...values, ...keyOf(table, after));
    },
    remove: (key) => {
      remove.run(...key);
    },
    removeGroup: (first) => {
      prepare(`DELETE FROM ${table.name} WHERE ${quoted(table.key[0] ?? "")} = ?`).run(first);
    },
    removeBelow: (column, bound) => {
      prepare(`DELETE FROM ${table.name} WHERE ${quoted(column)} < ?`).run(bound);
    },
  };
};
