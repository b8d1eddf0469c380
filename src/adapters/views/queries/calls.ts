/** Lists of webhook calls: those that wait or are in flight, and those that are done. */
import type { Table } from "../../../projections/projection.ts";
import type { CALL_DIMENSIONS, CallEvent, CallRow } from "../../../projections/webhook-calls.ts";
import { WEBHOOK_CALLS, WEBHOOK_RETIRED } from "../../../projections/webhook-calls.ts";
import type { Reader } from "../reader.ts";
import { equals, idsWithin, rangeOf, within, type Span } from "./conditions.ts";
import { readPage, type Condition } from "./keyset.ts";
import type { Direction, Page, PageRequest } from "./page.ts";

/** Every field that is set must hold. */
export type CallFilter = {
  readonly account?: string | undefined;
  readonly event?: CallEvent | undefined;
  /** Number of the message that a call is about. */
  readonly messageRef?: number | undefined;
  readonly submitted?: Span | undefined;
  /** When the next attempt is, or for retired calls when anything happened last. */
  readonly active?: Span | undefined;
};

/** `activeAt`: next attempt, or for retired calls last activity. */
export type CallSort = "activeAt" | "queuedAt";

type CallPage = (
  filter: CallFilter,
  order: { readonly sort: CallSort; readonly direction: Direction },
  request: PageRequest,
) => Page<CallRow>;

export type CallLists = { readonly waiting: CallPage; readonly retired: CallPage };

type Dimension = (typeof CALL_DIMENSIONS)[number];

/** Narrowest first. */
const NARROWEST: readonly Dimension[] = ["messageRef", "account", "event"];

const callPage =
  (reader: Reader, table: Table, activeColumn: "nextAttemptAt" | "lastActivityAt"): CallPage =>
  (filter, { sort, direction }, request) => {
    const { submitted = {}, active = {} } = filter;
    const set = NARROWEST.filter((dimension) => filter[dimension] !== undefined);
    const byTime = sort === "activeAt";
    const checks: readonly Condition[] = [
      ...set.slice(1).map((dimension) => equals(dimension, filter[dimension] ?? null)),
      ...within("queuedAt", submitted),
      ...(byTime ? [] : within(activeColumn, active)),
    ];
    const list = {
      table,
      where: set.slice(0, 1).map((dimension) => [dimension, filter[dimension] ?? null] as const),
      sort: byTime ? activeColumn : "id",
      direction,
      range: byTime ? rangeOf(active) : idsWithin(reader, "webhook", submitted),
      checks,
    };
    return readPage(reader, [list], request);
  };

export const callLists = (reader: Reader): CallLists => ({
  waiting: callPage(reader, WEBHOOK_CALLS, "nextAttemptAt"),
  retired: callPage(reader, WEBHOOK_RETIRED, "lastActivityAt"),
});
