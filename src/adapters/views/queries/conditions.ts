/** Parts of filters that several lists share. */
import { firstIdMadeAt } from "../../../domain/ids.ts";
import type { Instant } from "../../../domain/clock.ts";
import type { Actor } from "../../../projections/schedule.ts";
import { quoted } from "../ddl.ts";
import type { Reader } from "../reader.ts";
import type { SqlValue } from "../rows.ts";
import type { Condition, Range } from "./keyset.ts";

/** A stretch of time, both ends outside; absent = open. */
export type Span = { readonly after?: Instant | undefined; readonly before?: Instant | undefined };

export const equals = (column: string, value: SqlValue): Condition => ({ sql: `${quoted(column)} = ?`, values: [value] });

export const within = (column: string, { after, before }: Span): readonly Condition[] => [
  ...(after === undefined ? [] : [{ sql: `${quoted(column)} > ?`, values: [after] }]),
  ...(before === undefined ? [] : [{ sql: `${quoted(column)} < ?`, values: [before] }]),
];

export const rangeOf = ({ after, before }: Span): Range => ({
  ...(after !== undefined && { above: after }),
  ...(before !== undefined && { below: before }),
});

export const LEAD_SQL = "SELECT least, most FROM id_lead WHERE actor = ?";

/** The ids among which everything is that was queued within a span. What lies between may still have to be checked. */
export const idsWithin = (reader: Reader, actor: Actor, { after, before }: Span): Range => {
  if (after === undefined && before === undefined) return {};
  const lead = reader.first(LEAD_SQL, [actor]);
  if (lead === undefined) return {};
  const [least, most] = lead as readonly [number, number];
  return {
    ...(after !== undefined && { above: firstIdMadeAt(after - most + 1) - 1 }),
    ...(before !== undefined && { below: firstIdMadeAt(before - least) }),
  };
};
