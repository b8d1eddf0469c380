/** Tables and indexes of the projections as SQL, and a fingerprint of them: views with another one are built anew. */
import { createHash } from "node:crypto";
import { ALL, PROJECTIONS_VERSION, tablesOf } from "../../projections/all.ts";
import type { ColumnType, Index, Table } from "../../projections/projection.ts";

/** An SQL name: fields keep their own names, some of which SQL has words for. */
export const quoted = (name: string): string => `"${name}"`;

const list = (names: readonly string[]): string => names.map(quoted).join(", ");

const SQL_TYPES: Readonly<Record<string, string>> = { integer: "INTEGER", text: "TEXT", boolean: "INTEGER", json: "TEXT" };

const columnSql = (name: string, type: ColumnType): string => {
  const nullable = type.endsWith("?");
  return `${quoted(name)} ${SQL_TYPES[nullable ? type.slice(0, -1) : type] ?? ""}${nullable ? "" : " NOT NULL"}`;
};

/** Whether the key is one number, which then is SQLite's own row number. */
export const hasNumberKey = ({ columns, key }: Table): boolean => key.length === 1 && columns[key[0] ?? ""] === "integer";

export const createTableSql = (table: Table): string => {
  const columns = Object.entries(table.columns).map(([name, type]) => columnSql(name, type));
  if (!hasNumberKey(table)) return `CREATE TABLE ${table.name} (${columns.join(", ")}, PRIMARY KEY (${list(table.key)})) WITHOUT ROWID`;
  return `CREATE TABLE ${table.name} (${columns.join(", ").replace(" NOT NULL", " PRIMARY KEY")})`;
};

/** Name of a table's index by its columns. */
export const indexName = (table: Table, columns: readonly string[]): string => `${table.name}__${columns.join("_")}`;

export const createIndexSql = (table: Table, { columns, where }: Index): string =>
  `CREATE INDEX ${indexName(table, columns)} ON ${table.name} (${list(columns)})${where === undefined ? "" : ` WHERE ${where}`}`;

/** The one row that says what the file is and how far it has come. */
export const CREATE_META_SQL = `CREATE TABLE meta (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  fingerprint TEXT NOT NULL,
  complete INTEGER NOT NULL,
  position INTEGER NOT NULL,
  newestAt INTEGER NOT NULL,
  lastPosition INTEGER NOT NULL,
  lastStream TEXT NOT NULL,
  lastRevision INTEGER NOT NULL
)`;

/** All statements that make the projections' indexes. */
export const indexStatements = (): readonly string[] =>
  tablesOf(ALL).flatMap((table) => table.indexes.map((index) => createIndexSql(table, index)));

/** All statements that make empty tables, without indexes. */
export const tableStatements = (): readonly string[] => [CREATE_META_SQL, ...tablesOf(ALL).map(createTableSql)];

/** Differs when tables, indexes or the meaning of a fold do. */
export const fingerprint = (): string =>
  createHash("sha256")
    .update(JSON.stringify([PROJECTIONS_VERSION, tableStatements(), indexStatements()]))
    .digest("hex");
