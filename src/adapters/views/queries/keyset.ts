/** Reads a page of a list by seeking into one index, from where the last page ended. */
import type { Table } from "../../../projections/projection.ts";
import { hasNumberKey, indexName, quoted } from "../ddl.ts";
import type { Reader } from "../reader.ts";
import type { SqlValue } from "../rows.ts";
import { formatCursor, MOST_ROWS, type Cursor, type Direction, type Page, type PageRequest } from "./page.ts";

/** A condition on rows, in SQL with its parameters. */
export type Condition = { readonly sql: string; readonly values: readonly SqlValue[] };

/** Bounds of what is sorted by, themselves outside. */
export type Range = { readonly above?: number; readonly below?: number };

/** A list: rows whose `where` columns have these values, which with `sort` behind them are the columns of an index. */
export type List = {
  readonly table: Table;
  readonly where: readonly (readonly [column: string, value: SqlValue])[];
  /** `id` is the table's number, in the order of which things were queued. */
  readonly sort: string;
  readonly direction: Direction;
  readonly range?: Range;
  /** Checked row by row. */
  readonly checks?: readonly Condition[];
};

/** What every list row has. */
type Listed = { readonly id: number };

const indexed = ({ table, where, sort }: List): string => {
  const columns = [...where.map(([column]) => column), ...(sort === "id" && hasNumberKey(table) ? [] : [sort])];
  return columns.length === 0 ? "NOT INDEXED" : `INDEXED BY ${indexName(table, columns)}`;
};

const statement = (list: List, bounds: readonly Condition[], order: readonly string[], limit: number) => {
  const equal = list.where.map(([column, value]) => ({ sql: `${quoted(column)} = ?`, values: [value] }));
  const conditions = [...equal, ...bounds, ...(list.checks ?? [])];
  const where = conditions.length === 0 ? "" : ` WHERE ${conditions.map(({ sql }) => sql).join(" AND ")}`;
  const way = list.direction === "ascending" ? "ASC" : "DESC";
  const orderBy = order.map((column) => `${quoted(column)} ${way}`).join(", ");
  return {
    sql: `${indexed(list)}${where} ORDER BY ${orderBy} LIMIT ?`,
    values: [...conditions.flatMap(({ values }) => values), limit],
  };
};

const bounds = (column: string, { above, below }: Range): readonly Condition[] => [
  ...(above === undefined ? [] : [{ sql: `${quoted(column)} > ?`, values: [above] }]),
  ...(below === undefined ? [] : [{ sql: `${quoted(column)} < ?`, values: [below] }]),
];

/** The range that begins behind a value in the list's direction; what the range said about that end it has passed. */
const behind = ({ direction, range }: List, value: number): Range => {
  if (direction === "ascending") return { ...range, above: Math.max(value, range?.above ?? value) };
  return { ...range, below: Math.min(value, range?.below ?? value) };
};

/** The statements that one after the other give the rows after a cursor, until there are enough. */
export const statements = (list: List, after: Cursor | undefined, limit: number): readonly ReturnType<typeof statement>[] => {
  const { sort, direction, range = {} } = list;
  if (sort === "id") return [statement(list, bounds("id", after === undefined ? range : behind(list, after.id)), ["id"], limit)];
  if (after === undefined) return [statement(list, bounds(sort, range), [sort, "id"], limit)];
  const ties = [
    { sql: `${quoted(sort)} = ?`, values: [after.sort] },
    { sql: direction === "ascending" ? '"id" > ?' : '"id" < ?', values: [after.id] },
    ...bounds(sort, range),
  ];
  return [statement(list, ties, ["id"], limit), statement(list, bounds(sort, behind(list, after.sort)), [sort, "id"], limit)];
};

/** At most `limit` rows of a list after a cursor. */
export const rowsOf = (reader: Reader, list: List, after: Cursor | undefined, limit: number): readonly Listed[] => {
  const rows: Listed[] = [];
  for (const { sql, values } of statements(list, after, limit)) {
    if (rows.length < limit) rows.push(...reader.rows<Listed>(list.table, sql, values).slice(0, limit - rows.length));
  }
  return rows;
};

/** Before, between or after in the order of a list. */
const compare = ({ direction }: Pick<List, "direction">) => {
  const sign = direction === "ascending" ? 1 : -1;
  return (one: Cursor, other: Cursor): number => sign * (one.sort - other.sort || one.id - other.id);
};

/** Where a row stands in the order of a list. */
const placeOf = (row: Listed, sort: string): Cursor => ({
  sort: (row as unknown as Readonly<Record<string, number>>)[sort] ?? 0,
  id: row.id,
});

/** Cuts a page out of rows in order, of which one more than the page holds was asked for. */
export const pageOf = <Row extends Listed>(rows: readonly Row[], sort: string, limit: number): Page<Row> => {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  if (last === undefined || rows.length <= limit) return { rows: shown, next: null };
  return { rows: shown, next: formatCursor(placeOf(last, sort)) };
};

/** The limit of a request within what is allowed. */
export const limitOf = ({ limit }: PageRequest): number => Math.max(1, Math.min(Math.floor(limit), MOST_ROWS));

/** A page of lists that share their order but not their rows, as one. */
export const readPage = <Row extends Listed>(reader: Reader, lists: readonly List[], request: PageRequest): Page<Row> => {
  const limit = limitOf(request);
  const [first] = lists;
  if (first === undefined) return { rows: [], next: null };
  const rows = lists.flatMap((list) => rowsOf(reader, list, request.after, limit + 1) as readonly Row[]);
  const order = compare(first);
  if (lists.length > 1) rows.sort((one, other) => order(placeOf(one, first.sort), placeOf(other, first.sort)));
  return pageOf(rows, first.sort, limit);
};

/** A page of rows given by their ids, few enough to be sorted in memory. */
export const readPageOfIds = <Row extends Listed>(
  reader: Reader,
  list: Pick<List, "table" | "sort" | "direction">,
  given: { readonly ids: readonly number[]; readonly checks: readonly Condition[] },
  request: PageRequest,
): Page<Row> => {
  const limit = limitOf(request);
  const conditions = ['"id" IN (SELECT value FROM json_each(?))', ...given.checks.map(({ sql }) => sql)].join(" AND ");
  const rows = reader.rows<Row>(list.table, `WHERE ${conditions}`, [
    JSON.stringify(given.ids),
    ...given.checks.flatMap(({ values }) => values),
  ]);
  const order = compare(list);
  const { after } = request;
  const behind = rows.filter((row) => after === undefined || order(placeOf(row, list.sort), after) > 0);
  behind.sort((one, other) => order(placeOf(one, list.sort), placeOf(other, list.sort)));
  return pageOf(behind, list.sort, limit);
};
