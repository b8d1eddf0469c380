/** Folds one stream's facts into the row of a key, as the views would: facts in, row out. */
import type { DomainEvent } from "../../src/domain/events.ts";
import type { Recorded } from "../../src/domain/event-log.ts";
import type { AnyRow, Derivation, Fold, Key, Tally } from "../../src/projections/projection.ts";

/** Facts of a stream where they would stand in an otherwise empty log. */
export const recordedIn = (stream: string, events: readonly DomainEvent[]): readonly Recorded[] =>
  events.map((event, revision) => ({ position: revision + 1, stream, revision, event }));

/** Rows of a fold after some facts, by key. Checks that births and keys agree with the facts. */
export const rowsAfter = (fold: Fold, facts: readonly Recorded[]): ReadonlyMap<string, AnyRow> => {
  const rows = new Map<string, AnyRow>();
  for (const recorded of facts) {
    if (!fold.types.includes(recorded.event.type)) continue;
    for (const key of fold.keys(recorded)) {
      const name = key.join("/");
      if (fold.births(recorded) && rows.has(name)) throw new Error(`${recorded.event.type} says that ${name} is new, which it is not`);
      const row = fold.fold(rows.get(name), recorded, key);
      if (row === undefined) rows.delete(name);
      else rows.set(name, row);
    }
  }
  return rows;
};

/** The row of one key after the facts of one stream. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller knows what the fold makes
export const rowAfter = <Row>(fold: Fold, key: Key, stream: string, ...events: readonly DomainEvent[]): Row | undefined =>
  rowsAfter(fold, recordedIn(stream, events)).get(key.join("/")) as Row | undefined;

/** What derives from a row of a fold. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- alike
export const derivedFrom = <Derived>({ from }: Derivation | Tally, of: string, row: unknown): readonly Derived[] =>
  from.filter((source) => source.of === of).flatMap(({ rows }) => rows(row as AnyRow)) as unknown as readonly Derived[];
