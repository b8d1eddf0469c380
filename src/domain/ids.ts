/**
 * Numbers that name messages, webhook calls, suppressions and contents. They stay below 2^53 (they travel as JSON
 * numbers), sort by the time they were made, and never repeat, also not across the nodes that share one log.
 *
 * Layout, high to low: 41 bits of milliseconds since 2026-01-01 (until 2095), 5 bits of node, 7 bits of sequence.
 */
import type { Instant } from "./clock.ts";

/** The instant that the first id could have had: 2026-01-01T00:00:00Z. */
export const ID_EPOCH_AT: Instant = Date.UTC(2026, 0, 1);

/** How many nodes may share one log. */
export const MAX_NODES = 32;

const SEQUENCES = 128;
const PER_MS = MAX_NODES * SEQUENCES;

/** Makes the next id; each is larger than the one before. */
export type IdSource = () => number;

/**
 * Ids of one node. More than 128 in a millisecond borrow from the milliseconds to come, and a clock that steps back is
 * ignored until it has caught up, so the order holds. `after` is the largest id known to be taken (0: none): a restart
 * passes what it found in the log.
 */
export const idSource = (node: number, now: () => Instant, after = 0): IdSource => {
  if (!Number.isInteger(node) || node < 0 || node >= MAX_NODES) throw new RangeError(`node ${node} is not 0..${MAX_NODES - 1}`);
  let ms = Math.floor(after / PER_MS);
  let sequence = SEQUENCES - 1; // the rest of the millisecond of `after` may be taken too
  return () => {
    const present = now() - ID_EPOCH_AT;
    if (present > ms) {
      ms = present;
      sequence = 0;
    } else if (sequence === SEQUENCES - 1) {
      ms += 1;
      sequence = 0;
    } else {
      sequence += 1;
    }
    return (ms * MAX_NODES + node) * SEQUENCES + sequence;
  };
};

/** When an id was made, within the borrowing that {@link idSource} allows. */
export const idMadeAt = (id: number): Instant => Math.floor(id / PER_MS) + ID_EPOCH_AT;

/** The least id that can have been made at an instant: bounds a range of ids by time. */
export const firstIdMadeAt = (at: Instant): number => (at - ID_EPOCH_AT) * PER_MS;
