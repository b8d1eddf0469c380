/** Rows of a table to and from what SQLite keeps: booleans are 0 and 1 there, structures are JSON text. */
import type { AnyRow, ColumnType, Table } from "../../projections/projection.ts";

export type SqlValue = number | string | null;

const encodeValue = (type: ColumnType, value: unknown): SqlValue => {
  if (value === null) return null;
  if (type === "boolean" || type === "boolean?") return value === true ? 1 : 0;
  if (type === "json" || type === "json?") return JSON.stringify(value);
  return value as SqlValue;
};

const decodeValue = (type: ColumnType, value: SqlValue): unknown => {
  if (value === null) return null;
  if (type === "boolean" || type === "boolean?") return value === 1;
  if (type === "json" || type === "json?") return JSON.parse(value as string);
  return value;
};

export type RowCodec = {
  /** Names of the columns, in the table's order. */
  readonly names: readonly string[];
  /** One value as it is stored. */
  readonly value: (column: number, row: AnyRow) => SqlValue;
  /** All values, in the columns' order. */
  readonly encode: (row: AnyRow) => SqlValue[];
  /** A row from its values in the columns' order. */
  readonly decode: (values: readonly SqlValue[]) => AnyRow;
};

export const rowCodec = (table: Table): RowCodec => {
  const columns = Object.entries(table.columns);
  const value = (column: number, row: AnyRow): SqlValue => {
    const [name, type] = columns[column] ?? ["", "text"];
    return encodeValue(type, row[name]);
  };
  return {
    names: columns.map(([name]) => name),
    value,
    encode: (row) => columns.map(([name, type]) => encodeValue(type, row[name])),
    decode: (values) => {
      const row: Record<string, unknown> = {};
      for (let column = 0; column < columns.length; column += 1) {
        const [name, type] = columns[column] ?? ["", "text"];
        row[name] = decodeValue(type, values[column] ?? null);
      }
      return row;
    },
  };
};

/** Whether two rows say the same, structures compared by identity: a fold that leaves a field alone keeps its value. */
export const sameRow = (one: AnyRow, other: AnyRow): boolean => {
  for (const name in one) if (one[name] !== other[name]) return false;
  return true;
};
