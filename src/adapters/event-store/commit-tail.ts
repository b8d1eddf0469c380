/**
 * The newest events, in memory, shared by all live subscribers: each reads from it at its own place, so a subscriber
 * costs no buffer of its own, and one that fell behind the tail's beginning goes back to storage.
 */
import type { Position } from "../../domain/event-log.ts";
import type { StoredBatch, StoredEvent } from "./event-store.ts";

export type CommitTail = {
  /** Adds events that follow all earlier ones. */
  readonly push: (event: StoredEvent) => void;
  /** At most `limit` events after a position that is below the newest; undefined when some of them have left the tail. */
  readonly after: (position: Position, limit: number) => StoredBatch | undefined;
};

/** A tail that begins after `head` and keeps at most about `eventLimit` events and `dataLimit` characters of data. */
export const commitTail = (head: Position, eventLimit = 8_192, dataLimit = 4_000_000): CommitTail => {
  let events: StoredEvent[] = [];
  let first = 0; // events before this index have left the tail
  let floor = head; // every event above it is in the tail
  let data = 0;

  const drop = (): void => {
    const event = events[first];
    if (event === undefined) return;
    floor = event.position;
    data -= event.data.length;
    first += 1;
  };

  /** Index of the first event after the position. */
  const find = (position: Position): number => {
    let low = first;
    let high = events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const event = events[middle];
      if (event !== undefined && event.position <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  return {
    push: (event) => {
      events.push(event);
      data += event.data.length;
      while (events.length - first > eventLimit || (data > dataLimit && first < events.length)) drop();
      if (first > eventLimit) {
        events = events.slice(first);
        first = 0;
      }
    },
    after: (position, limit) => {
      if (position < floor) return undefined;
      const start = find(position);
      const found = events.slice(start, start + limit);
      return { events: found, upTo: found.at(-1)?.position ?? position };
    },
  };
};
