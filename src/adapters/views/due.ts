/**
 * Picks due work fairly. The lanes that have some are read in the order of their longest due item, each gives its share,
 * and shares that are not used up go to those who have more. So a pick costs its own size, however long the queue and
 * however many the lanes; where lanes are more than a pick can serve, the next pick goes on behind the last.
 */
import type { Instant } from "../../domain/clock.ts";
import { messageStream } from "../../domain/message/events.ts";
import { receivedStream } from "../../domain/received/events.ts";
import type { DueItem, DueQuery, ReadModel, WorkKind } from "../../domain/runtime/read-model.ts";
import { webhookStream } from "../../domain/webhook/events.ts";
import type { Actor } from "../../projections/schedule.ts";
import type { Reader } from "./reader.ts";
import type { SqlValue } from "./rows.ts";

const LANES = "SELECT lane, dueAt FROM lanes INDEXED BY lanes__kind_dueAt WHERE kind = ?";

export const DUE_SQL = {
  lanes: `${LANES} AND dueAt <= ? ORDER BY dueAt, lane LIMIT ?`,
  lanesBeside: `${LANES} AND dueAt = ? AND lane > ? ORDER BY lane LIMIT ?`,
  lanesBehind: `${LANES} AND dueAt > ? AND dueAt <= ? ORDER BY dueAt, lane LIMIT ?`,
  items: `SELECT actor, id, lane, batch, dueAt FROM schedule INDEXED BY schedule__kind_lane_dueAt
    WHERE kind = ? AND lane = ? AND dueAt <= ? ORDER BY dueAt, actor, id LIMIT ? OFFSET ?`,
} as const;

const STREAM_OF: Readonly<Record<Actor, (id: number) => string>> = {
  message: messageStream,
  webhook: webhookStream,
  received: receivedStream,
};

/** Columns actor, id, lane, batch, dueAt of the schedule as what is due. */
export const dueItem = (values: readonly SqlValue[]): DueItem => {
  const [actor, id, lane, batch, dueAt] = values as readonly [Actor, number, string, string, number];
  return { stream: STREAM_OF[actor](id), id, lane, batch, dueAt };
};

/** Where a lane stands in the order of lanes. */
type Place = { readonly lane: string; readonly dueAt: Instant };

/** Lanes with due work, at most `limit`, beginning behind `after` and going round once. */
const dueLanes = (reader: Reader, { kind, at, limit }: DueQuery, after: Place | undefined): readonly Place[] => {
  const places = new Map<string, Place>();
  const add = (sql: string, ...parameters: (string | number)[]): void => {
    if (places.size >= limit) return;
    for (const [lane, dueAt] of reader.all(sql, [kind, ...parameters, limit])) {
      if (places.size < limit && !places.has(String(lane))) places.set(String(lane), { lane: String(lane), dueAt: Number(dueAt) });
    }
  };
  if (after !== undefined && after.dueAt <= at) {
    add(DUE_SQL.lanesBeside, after.dueAt, after.lane);
    add(DUE_SQL.lanesBehind, after.dueAt, at);
  }
  add(DUE_SQL.lanes, at);
  return [...places.values()];
};

/** What the lanes give: `limit` in all if they have it, none more than `perLane`, and none much more than another. */
const shares = (reader: Reader, { kind, at, perLane, limit }: DueQuery, lanes: readonly Place[]): readonly DueItem[][] => {
  const taken = lanes.map((): DueItem[] => []);
  let hungry = lanes.map((_, index) => index);
  let left = limit;
  while (left > 0 && hungry.length > 0) {
    const share = Math.max(1, Math.floor(left / hungry.length));
    const still: number[] = [];
    for (const index of hungry) {
      const mine = taken[index] ?? [];
      const most = Math.min(share, perLane - mine.length, left);
      if (most <= 0) continue;
      const more = reader.all(DUE_SQL.items, [kind, lanes[index]?.lane ?? "", at, most, mine.length]);
      mine.push(...more.map(dueItem));
      left -= more.length;
      if (more.length === most) still.push(index);
    }
    hungry = still.filter((index) => (taken[index]?.length ?? 0) < perLane);
  }
  return taken;
};

/** One of each lane in turn. */
const interleaved = (lanes: readonly (readonly DueItem[])[]): readonly DueItem[] => {
  const items: DueItem[] = [];
  const longest = Math.max(0, ...lanes.map(({ length }) => length));
  for (let turn = 0; turn < longest; turn += 1) {
    for (const lane of lanes) {
      const item = lane[turn];
      if (item !== undefined) items.push(item);
    }
  }
  return items;
};

/** The pick. It remembers per kind where the last one ended. */
export const dueWork = (reader: Reader): ReadModel["due"] => {
  const ends = new Map<WorkKind, Place>();
  return (query) => {
    const lanes = dueLanes(reader, query, ends.get(query.kind));
    const last = lanes.at(-1);
    if (last !== undefined && lanes.length >= query.limit) ends.set(query.kind, last);
    else ends.delete(query.kind);
    return interleaved(shares(reader, query, lanes));
  };
};
