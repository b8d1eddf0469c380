/** Reads the views on the main thread: synchronous, each statement prepared once, nothing written. */
import type { StatementSync } from "node:sqlite";
import type { AnyRow, Table } from "../../projections/projection.ts";
import { quoted } from "./ddl.ts";
import { rowCodec, type SqlValue } from "./rows.ts";
import { isDamage, openForReading } from "./views-file.ts";

/** Statements kept prepared; lists with filters make some dozens. */
const MOST_STATEMENTS = 400;

export type Reader = {
  /** All rows, values in the order of the selected columns. */
  readonly all: (sql: string, parameters?: readonly SqlValue[]) => readonly (readonly SqlValue[])[];
  /** The first row; undefined without one. */
  readonly first: (sql: string, parameters?: readonly SqlValue[]) => readonly SqlValue[] | undefined;
  /** Whole rows of a table; `rest` follows `SELECT … FROM <table>`. */
  readonly rows: <Row>(table: Table, rest: string, parameters?: readonly SqlValue[]) => Row[];
  readonly close: () => void;
};

/** @param onDamage - told when a read finds the file broken, before the read throws. */
export const viewsReader = (path: string, onDamage: (error: Error) => void): Reader => {
  const db = openForReading(path);
  const statements = new Map<string, StatementSync>();
  const tables = new Map<Table, { readonly select: string; readonly decode: (values: readonly SqlValue[]) => AnyRow }>();

  const prepare = (sql: string): StatementSync => {
    let statement = statements.get(sql);
    if (statement === undefined) {
      const oldest = statements.size < MOST_STATEMENTS ? undefined : statements.keys().next().value;
      if (oldest !== undefined) statements.delete(oldest);
      statement = db.prepare(sql);
      statement.setReturnArrays(true);
      statements.set(sql, statement);
    }
    return statement;
  };

  const noticing = <Result>(read: () => Result): Result => {
    try {
      return read();
    } catch (error) {
      if (isDamage(error)) onDamage(new Error("the views file is damaged", { cause: error }));
      throw error;
    }
  };

  const all: Reader["all"] = (sql, parameters = []) =>
    noticing(() => prepare(sql).all(...parameters) as unknown as readonly (readonly SqlValue[])[]);

  const formOf = (table: Table) => {
    let form = tables.get(table);
    if (form === undefined) {
      const { names, decode } = rowCodec(table);
      form = { select: `SELECT ${names.map(quoted).join(", ")} FROM ${table.name} `, decode };
      tables.set(table, form);
    }
    return form;
  };

  return {
    all,
    first: (sql, parameters = []) => noticing(() => prepare(sql).get(...parameters) as unknown as readonly SqlValue[] | undefined),
    rows: <Row>(table: Table, rest: string, parameters: readonly SqlValue[] = []) => {
      const { select, decode } = formOf(table);
      return all(select + rest, parameters).map((values) => decode(values) as Row);
    },
    close: () => {
      statements.clear();
      db.close();
    },
  };
};
