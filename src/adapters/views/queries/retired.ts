/** Lists of messages that left the queue. */
import type { BounceClass } from "../../../domain/message/bounce-class.ts";
import type { MessageRow, MessageState, RETIRED_DIMENSIONS } from "../../../projections/messages.ts";
import { RETIRED } from "../../../projections/messages.ts";
import type { Reader } from "../reader.ts";
import { equals, idsWithin, rangeOf, within, type Span } from "./conditions.ts";
import { readPage, readPageOfIds, type Condition } from "./keyset.ts";
import type { Direction, Page, PageRequest } from "./page.ts";

/** Every field that is set must hold. */
export type RetiredFilter = {
  readonly ids?: readonly number[] | undefined;
  readonly account?: string | undefined;
  /** Recipient as `user@domain`, or `@domain` for all of a domain. */
  readonly to?: string | undefined;
  readonly outcome?: MessageState | undefined;
  /** Class of the last refusal. */
  readonly bounceClass?: BounceClass | undefined;
  readonly submitted?: Span | undefined;
  readonly lastActivity?: Span | undefined;
};

export type RetiredSort = "lastActivityAt" | "queuedAt";

export type RetiredList = (
  filter: RetiredFilter,
  order: { readonly sort: RetiredSort; readonly direction: Direction },
  request: PageRequest,
) => Page<MessageRow>;

type Dimension = (typeof RETIRED_DIMENSIONS)[number];

/** Narrowest first. */
const NARROWEST: readonly Dimension[] = ["recipient", "recipientDomain", "account", "state"];

const dimensions = ({ account, to, outcome }: RetiredFilter): ReadonlyMap<Dimension, string> => {
  const values = new Map<Dimension, string>();
  if (account !== undefined) values.set("account", account);
  if (outcome !== undefined) values.set("state", outcome);
  if (to !== undefined) values.set(to.startsWith("@") ? "recipientDomain" : "recipient", to.replace(/^@/, ""));
  return values;
};

export const retiredList =
  (reader: Reader): RetiredList =>
  (filter, { sort, direction }, request) => {
    const values = dimensions(filter);
    const { ids, submitted = {}, lastActivity = {} } = filter;
    const narrowest = ids === undefined ? NARROWEST.find((dimension) => values.has(dimension)) : undefined;
    const byTime = sort === "lastActivityAt";
    const order = { table: RETIRED, sort: byTime ? sort : "id", direction };
    const checks: readonly Condition[] = [
      ...[...values].filter(([column]) => column !== narrowest).map(([column, value]) => equals(column, value)),
      ...(filter.bounceClass === undefined ? [] : [equals("bounceClass", filter.bounceClass)]),
      ...within("queuedAt", submitted),
      ...(byTime && ids === undefined ? [] : within("lastActivityAt", lastActivity)),
    ];
    if (ids !== undefined) return readPageOfIds(reader, order, { ids, checks }, request);
    const where = narrowest === undefined ? [] : ([[narrowest, values.get(narrowest) ?? ""]] as const);
    const range = byTime ? rangeOf(lastActivity) : idsWithin(reader, "message", submitted);
    return readPage(reader, [{ ...order, where, range, checks }], request);
  };
