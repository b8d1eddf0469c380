/** Lists of queued messages for operators, and the ids that a bulk operation is about. */
import type { BounceClass } from "../../../domain/message/bounce-class.ts";
import type { MessageRow, MessageState, QUEUE_DIMENSIONS } from "../../../projections/messages.ts";
import { QUEUE } from "../../../projections/messages.ts";
import type { Reader } from "../reader.ts";
import { equals, idsWithin, rangeOf, within, type Span } from "./conditions.ts";
import { readPage, readPageOfIds, rowsOf, type Condition, type List } from "./keyset.ts";
import type { Direction, Page, PageRequest } from "./page.ts";

/** Every field that is set must hold. */
export type QueueFilter = {
  readonly ids?: readonly number[] | undefined;
  readonly account?: string | undefined;
  /** From address as `user@domain`, or `@domain` for all of a domain. */
  readonly from?: string | undefined;
  /** Recipient, alike. */
  readonly to?: string | undefined;
  readonly hold?: boolean | undefined;
  readonly submitted?: Span | undefined;
  readonly nextAttempt?: Span | undefined;
  readonly transport?: string | undefined;
  readonly state?: MessageState | undefined;
  /** Class of the last refusal. */
  readonly bounceClass?: BounceClass | undefined;
};

export type QueueSort = "nextAttemptAt" | "queuedAt";

/** Messages not retired, as they are listed. */
export type QueueList = {
  readonly list: (
    filter: QueueFilter,
    order: { readonly sort: QueueSort; readonly direction: Direction },
    request: PageRequest,
  ) => Page<MessageRow>;
  /** Ids that match, ascending, above `afterId`, at most `limit`. */
  readonly matchingIds: (filter: QueueFilter, afterId: number, limit: number) => readonly number[];
};

type Dimension = (typeof QUEUE_DIMENSIONS)[number];

/** Narrowest first: the first that a filter sets leads into an index, the others are checked. */
const NARROWEST: readonly Dimension[] = ["recipient", "from", "transport", "recipientDomain", "senderDomain", "account"];

const dimensions = ({ account, from, to, transport }: QueueFilter): ReadonlyMap<Dimension, string> => {
  const values = new Map<Dimension, string>();
  if (account !== undefined) values.set("account", account);
  if (transport !== undefined) values.set("transport", transport);
  if (from !== undefined) values.set(from.startsWith("@") ? "senderDomain" : "from", from.replace(/^@/, ""));
  if (to !== undefined) values.set(to.startsWith("@") ? "recipientDomain" : "recipient", to.replace(/^@/, ""));
  return values;
};

/** What has to be checked of a filter, but for its ids and for the column that the index is about. */
const checksOf = (filter: QueueFilter, except: Dimension | undefined): readonly Condition[] => [
  ...[...dimensions(filter)].filter(([column]) => column !== except).map(([column, value]) => equals(column, value)),
  ...(filter.state === undefined ? [] : [equals("state", filter.state)]),
  ...(filter.bounceClass === undefined ? [] : [equals("bounceClass", filter.bounceClass)]),
  ...within("queuedAt", filter.submitted ?? {}),
];

/** The lists whose union, in order, a filter asks for: what is on hold and what is not stand apart in every index. */
const listsFor = (reader: Reader, filter: QueueFilter, sort: QueueSort, direction: Direction): readonly List[] => {
  const values = dimensions(filter);
  const narrowest = NARROWEST.find((dimension) => values.has(dimension));
  const where = narrowest === undefined ? [] : ([[narrowest, values.get(narrowest) ?? ""]] as const);
  const byTime = sort === "nextAttemptAt";
  const nextAttempt = filter.nextAttempt ?? {};
  return (filter.hold === undefined ? [false, true] : [filter.hold]).map((hold) => ({
    table: QUEUE,
    where: [...where, ["hold", hold ? 1 : 0]],
    sort: byTime ? "nextAttemptAt" : "id",
    direction,
    range: byTime ? rangeOf(nextAttempt) : idsWithin(reader, "message", filter.submitted ?? {}),
    checks: [...checksOf(filter, narrowest), ...(byTime ? [] : within("nextAttemptAt", nextAttempt))],
  }));
};

const allChecks = (filter: QueueFilter): readonly Condition[] => [
  ...checksOf(filter, undefined),
  ...within("nextAttemptAt", filter.nextAttempt ?? {}),
  ...(filter.hold === undefined ? [] : [equals("hold", filter.hold ? 1 : 0)]),
];

export const queueList = (reader: Reader): QueueList => {
  const list: QueueList["list"] = (filter, { sort, direction }, request) => {
    if (filter.ids === undefined) return readPage(reader, listsFor(reader, filter, sort, direction), request);
    const order = { table: QUEUE, sort: sort === "nextAttemptAt" ? sort : "id", direction };
    return readPageOfIds(reader, order, { ids: filter.ids, checks: allChecks(filter) }, request);
  };

  const matchingIds: QueueList["matchingIds"] = (filter, afterId, limit) => {
    if (filter.ids !== undefined) {
      const wanted = { ...filter, ids: filter.ids.filter((id) => id > afterId) };
      return list(wanted, { sort: "queuedAt", direction: "ascending" }, { limit }).rows.map(({ id }) => id);
    }
    const lists = listsFor(reader, filter, "queuedAt", "ascending");
    const ids = lists.flatMap((each) => rowsOf(reader, each, { sort: afterId, id: afterId }, limit).map(({ id }) => id));
    return ids.sort((one, other) => one - other).slice(0, limit);
  };

  return { list, matchingIds };
};
