import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseCursor, type Cursor, type Direction, type Page } from "../../../src/adapters/views/queries/page.ts";
import { queueList, type QueueFilter, type QueueSort } from "../../../src/adapters/views/queries/queue.ts";
import { retiredList, type RetiredFilter } from "../../../src/adapters/views/queries/retired.ts";
import { MINUTE_MS } from "../../../src/domain/clock.ts";
import type { DomainEvent } from "../../../src/domain/events.ts";
import type { Recorded } from "../../../src/domain/event-log.ts";
import { idSource } from "../../../src/domain/ids.ts";
import { messageStream } from "../../../src/domain/message/events.ts";
import { QUEUE, RETIRED, type MessageRow } from "../../../src/projections/messages.ts";
import { aMessage, happened, NOON } from "../../support/samples.ts";
import { ACCOUNTS, DOMAINS, SENDERS } from "./random-log.ts";
import { directViews, inFolder, type DirectViews } from "./views-folder.ts";

/** A message of a test, by small numbers that make ties likely. */
type Seed = { readonly minute: number; readonly queuedMinute: number; readonly what: number; readonly held: boolean };

const seeds = fc.array(
  fc.record({ minute: fc.nat(5), queuedMinute: fc.nat(3), what: fc.nat(35), held: fc.boolean() }) satisfies fc.Arbitrary<Seed>,
  { maxLength: 60, size: "max" },
);

const of = <T>(from: readonly T[], index: number): T => from[index % from.length] as T;

/** Adds and takes messages as a story of its own. */
const messagesIn = (views: DirectViews) => {
  const next = idSource(0, () => NOON);
  const revisions = new Map<number, number>();
  let position = 0;
  const record = (id: number, ...events: readonly DomainEvent[]): void => {
    views.take(
      events.map((event): Recorded => {
        const revision = (revisions.get(id) ?? -1) + 1;
        revisions.set(id, revision);
        return { position: ++position, stream: messageStream(id), revision, event };
      }),
    );
  };
  return {
    add: ({ minute, queuedMinute, what, held }: Seed): number => {
      const id = next();
      const recipientDomain = of(DOMAINS, what);
      const senderDomain = of(SENDERS, what >> 1);
      const message = aMessage({
        id,
        account: of(ACCOUNTS, what >> 2),
        recipientDomain,
        senderDomain,
        recipient: `ann${what % 2}@${recipientDomain}`,
        from: `bob@${senderDomain}`,
        transport: what % 4 === 0 ? "relay" : null,
        nextAttemptAt: NOON + minute * MINUTE_MS,
      });
      // The clock may step back between two messages; their ids still grow.
      record(id, { type: "MessageQueued", at: NOON + queuedMinute * MINUTE_MS, ...message }, ...(held ? [happened("MessageHeld")] : []));
      return id;
    },
    retire: (id: number, minute: number): void => {
      record(id, happened("MessageCanceled"), happened("MessageRetired", { at: NOON + minute * MINUTE_MS }));
    },
  };
};

const span = fc
  .record({ after: fc.option(fc.nat(5), { nil: undefined }), before: fc.option(fc.nat(6), { nil: undefined }) })
  .map(({ after, before }) => ({
    after: after === undefined ? undefined : NOON + after * MINUTE_MS,
    before: before === undefined ? undefined : NOON + before * MINUTE_MS,
  }));

const queueFilters: fc.Arbitrary<QueueFilter> = fc.record(
  {
    account: fc.constantFrom(...ACCOUNTS),
    from: fc.constantFrom("@shop.example", "bob@club.example"),
    to: fc.constantFrom("@there.example", "ann1@elsewhere.example", "ann0@there.example"),
    hold: fc.boolean(),
    submitted: span,
    nextAttempt: span,
    transport: fc.constant("relay"),
  },
  { requiredKeys: [] },
);

const inSpan = (
  at: number,
  { after, before }: { readonly after?: number | undefined; readonly before?: number | undefined } = {},
): boolean => (after === undefined || at > after) && (before === undefined || at < before);

const addressMatches = (wanted: string | undefined, address: string): boolean =>
  wanted === undefined || (wanted.startsWith("@") ? address.endsWith(wanted) : address === wanted);

const matches = (filter: QueueFilter, row: MessageRow): boolean =>
  (filter.account === undefined || row.account === filter.account) &&
  addressMatches(filter.from, row.from) &&
  addressMatches(filter.to, row.recipient) &&
  (filter.hold === undefined || row.hold === filter.hold) &&
  (filter.transport === undefined || row.transport === filter.transport) &&
  (filter.ids === undefined || filter.ids.includes(row.id)) &&
  inSpan(row.queuedAt, filter.submitted) &&
  inSpan(row.nextAttemptAt, filter.nextAttempt);

const inOrder = (
  rows: readonly MessageRow[],
  sort: "nextAttemptAt" | "lastActivityAt" | "queuedAt",
  direction: Direction,
): readonly MessageRow[] => {
  const value = (row: MessageRow): number => (sort === "queuedAt" ? row.id : row[sort]);
  const sign = direction === "ascending" ? 1 : -1;
  return rows.toSorted((one, other) => sign * (value(one) - value(other) || one.id - other.id));
};

const ids = (rows: readonly MessageRow[]): readonly number[] => rows.map(({ id }) => id);

/** Reads page after page, doing something between them. */
const readAll = (
  page: (after?: Cursor) => Page<MessageRow>,
  limit: number,
  between: () => void = () => undefined,
): readonly MessageRow[] => {
  const rows: MessageRow[] = [];
  for (let after: Cursor | undefined; ;) {
    const { rows: more, next } = page(after);
    assert.ok(more.length <= limit);
    rows.push(...more);
    if (next === null) return rows;
    after = parseCursor(next);
    assert.ok(after !== undefined);
    between();
  }
};

const orders = fc.record({
  sort: fc.constantFrom<QueueSort>("nextAttemptAt", "queuedAt"),
  direction: fc.constantFrom<Direction>("ascending", "descending"),
});
const limits = fc.integer({ min: 1, max: 9 });

/** Views of a file that is new each time. */
const withViews = (folder: string, test: (views: DirectViews) => void): void => {
  const views = directViews(join(folder, "views.db"));
  try {
    test(views);
  } finally {
    views.close();
  }
};

describe("pages of the queue", () => {
  it("together give what the filter asks for, in order, each message once", () =>
    inFolder((folder) => {
      fc.assert(
        fc.property(seeds, queueFilters, orders, limits, fc.boolean(), (given, filter, order, limit, byIds) => {
          withViews(folder, (views) => {
            const { add } = messagesIn(views);
            const added = given.map(add);
            const wanted = byIds ? { ...filter, ids: added.filter((_, index) => index % 2 === 0) } : filter;
            const queue = queueList(views.reader);
            const all = views.reader.rows<MessageRow>(QUEUE, "");
            const expected = all.filter((row) => matches(wanted, row));
            const read = readAll((after) => queue.list(wanted, order, { limit, ...(after && { after }) }), limit);
            assert.deepEqual(ids(read), ids(inOrder(expected, order.sort, order.direction)));
            const matching: number[] = [];
            for (let last = 0; ;) {
              const some = queue.matchingIds(wanted, last, limit);
              matching.push(...some);
              if (some.length < limit) break;
              last = some.at(-1) ?? 0;
            }
            assert.deepEqual(matching, ids(inOrder(expected, "queuedAt", "ascending")));
          });
        }),
        { numRuns: 60, interruptAfterTimeLimit: 60_000 },
      );
    }));

  it("neither skip nor repeat a message when others come and go between them", () =>
    inFolder((folder) => {
      fc.assert(
        fc.property(seeds, fc.array(fc.nat(), { minLength: 1 }), orders, limits, (given, changes, order, limit) => {
          withViews(folder, (views) => {
            const { add, retire } = messagesIn(views);
            const added = given.map(add);
            const gone = new Set<number>();
            let turn = 0;
            const disturb = (): void => {
              const change = changes[turn++ % changes.length] ?? 0;
              const victim = added[change % added.length];
              if (change % 2 === 0) add({ minute: change % 6, queuedMinute: 0, what: change % 36, held: change % 3 === 0 });
              else if (victim !== undefined && !gone.has(victim)) {
                gone.add(victim);
                retire(victim, 0);
              }
              // Bounded, or pages would be read for ever while messages are added behind the cursor.
              if (turn > 40) changes = [1];
            };
            const queue = queueList(views.reader);
            const read = ids(readAll((after) => queue.list({}, order, { limit, ...(after && { after }) }), limit, disturb));
            assert.equal(new Set(read).size, read.length, "no message twice");
            const stayed = added.filter((id) => !gone.has(id));
            assert.deepEqual(
              stayed.filter((id) => !read.includes(id)),
              [],
              "no message left out",
            );
          });
        }),
        { numRuns: 40, interruptAfterTimeLimit: 60_000 },
      );
    }));
});

describe("pages of retired messages", () => {
  it("together give what the filter asks for, in order, each message once", () =>
    inFolder((folder) => {
      const filters: fc.Arbitrary<RetiredFilter> = fc.record(
        {
          account: fc.constantFrom(...ACCOUNTS),
          to: fc.constantFrom("@there.example", "ann1@elsewhere.example"),
          outcome: fc.constantFrom("canceled", "delivered"),
          submitted: span,
          lastActivity: span,
        },
        { requiredKeys: [] },
      );
      fc.assert(
        fc.property(seeds, filters, orders, limits, (given, filter, { sort, direction }, limit) => {
          withViews(folder, (views) => {
            const { add, retire } = messagesIn(views);
            for (const seed of given) retire(add(seed), seed.minute);
            const by = sort === "queuedAt" ? sort : "lastActivityAt";
            const list = retiredList(views.reader);
            const expected = views.reader
              .rows<MessageRow>(RETIRED, "")
              .filter((row) => matches({ account: filter.account, to: filter.to, submitted: filter.submitted }, row))
              .filter(
                (row) => (filter.outcome === undefined || row.state === filter.outcome) && inSpan(row.lastActivityAt, filter.lastActivity),
              );
            const read = readAll((after) => list(filter, { sort: by, direction }, { limit, ...(after && { after }) }), limit);
            assert.deepEqual(ids(read), ids(inOrder(expected, by, direction)));
          });
        }),
        { numRuns: 40, interruptAfterTimeLimit: 60_000 },
      );
    }));
});

describe("a page", () => {
  it("has no more rows than allowed, whatever is asked for", () =>
    inFolder((folder) => {
      withViews(folder, (views) => {
        const { add } = messagesIn(views);
        for (let count = 0; count < 5; count += 1) add({ minute: 0, queuedMinute: 0, what: 0, held: false });
        const queue = queueList(views.reader);
        const rows = (limit: number) => queue.list({}, { sort: "queuedAt", direction: "ascending" }, { limit }).rows.length;
        assert.deepEqual([rows(0), rows(-3), rows(2.9), rows(1e9)], [1, 1, 2, 5]);
      });
    }));
});
