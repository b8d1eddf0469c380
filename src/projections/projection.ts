/**
 * The shape of every view: tables of keyed rows, each row a pure fold of the events that touch it. What follows from
 * rows rather than from events (the schedule, counts, reference counts) is derived from them, so that it cannot
 * disagree. Nothing here knows SQL; an adapter keeps the tables.
 */
import type { DomainEventType } from "../domain/events.ts";
import type { Recorded } from "../domain/event-log.ts";

/** What a column can hold; `boolean` and `json` are encoded by the adapter. A trailing `?` allows null. */
export type ColumnKind = "integer" | "text" | "boolean" | "json";
export type ColumnType = ColumnKind | `${ColumnKind}?`;

type KindOf<Value> = Value extends number ? "integer" : Value extends string ? "text" : Value extends boolean ? "boolean" : "json";
type TypeOf<Value> = [null] extends [Value] ? `${KindOf<NonNullable<Value>>}?` : KindOf<Value>;

/** One type for each field of a row, held equal to the row's type by the compiler. */
export type ColumnsOf<Row> = { readonly [Field in keyof Row]-?: TypeOf<Row[Field]> };

export type AnyRow = Readonly<Record<string, unknown>>;

/** Values of a row's key columns, in their order. */
export type Key = readonly (string | number)[];

/**
 * An index by its columns. `where` keeps it to some rows, as an SQL condition on columns without parameters. Rows with
 * equal columns stand in the order of their key.
 */
export type Index = { readonly columns: readonly string[]; readonly where?: string };

export type Table = {
  readonly name: string;
  readonly columns: Readonly<Record<string, ColumnType>>;
  readonly key: readonly string[];
  readonly indexes: readonly Index[];
  /** Left out of the digest: true, or for the rows with this value in this column. */
  readonly outsideDigest?: true | { readonly column: string; readonly value: string };
};

/** Declares a table whose columns agree with a row type. */
export const tableOf = <Row extends AnyRow>(
  table: Omit<Table, "columns" | "key"> & { readonly columns: ColumnsOf<Row>; readonly key: readonly (keyof Row & string)[] },
): Table => table;

/** Rows that are folded from events. */
export type Fold<Row = AnyRow> = {
  readonly name: string;
  /** Where rows may stand, all with the same columns: a row moves from one to another in the course of its life. */
  readonly tables: readonly Table[];
  /** The table a row belongs in now; undefined = in none any more, but what derives from the row still counts. */
  readonly home: (row: Row) => Table | undefined;
  /** Events that touch rows of this fold. */
  readonly types: readonly DomainEventType[];
  /** Keys of the rows that an event touches. */
  readonly keys: (recorded: Recorded) => readonly Key[];
  /** Whether the event is the first of its row, so that there is nothing to load. */
  readonly births: (recorded: Recorded) => boolean;
  /** The row after the event; undefined removes it. Never throws for a sequence that the state machines allow. */
  readonly fold: (row: Row | undefined, recorded: Recorded, key: Key) => Row | undefined;
  /** Rows vanish with the row of that fold which their first key column names. */
  readonly belongsTo?: string;
  /** Rows whose column is below this may go, given the instant of the newest event. */
  readonly expiry?: { readonly column: keyof Row & string; readonly below: (newestAt: number) => number };
};

/** Rows of a table that follow from rows elsewhere: from one row of `of`, those that `rows` says. */
export type Source<Row = AnyRow, Derived = AnyRow> = { readonly of: string; readonly rows: (row: Row) => readonly Derived[] };

/** Each derived row follows from one row elsewhere. */
export type Derivation = { readonly name: string; readonly table: Table; readonly from: readonly Source[] };

/** Sums over rows elsewhere: `amounts` are added up per key, and a row whose sums are all 0 is none. */
export type Tally = Derivation & { readonly amounts: readonly string[]; readonly expiry?: Fold["expiry"] };

/** Per group of a derivation's rows, the least value of one column: what stands first. */
export type Heads = {
  readonly name: string;
  readonly table: Table;
  readonly of: string;
  readonly group: readonly string[];
  readonly least: string;
};

/** Everything that a views file is made of. Derivations and tallies may follow from folds and from tallies before them. */
export type Projections = {
  readonly folds: readonly Fold[];
  readonly derivations: readonly Derivation[];
  readonly tallies: readonly Tally[];
  readonly heads: readonly Heads[];
};

/** Forgets the row type, for lists of folds of many. The engine only hands a fold rows that it made. */
export const erase = <Row extends AnyRow>(fold: Fold<Row>): Fold => fold as unknown as Fold;

/** A source, forgetting the type of its rows alike. */
export const from = (of: string, rows: (row: never) => readonly AnyRow[]): Source => ({ of, rows: rows as unknown as Source["rows"] });
