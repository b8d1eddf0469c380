/** What every event store must do, whatever it is made of. An adapter's test calls it with a way to open an empty one. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { StoredBatch, StoredEvent, StoreWithContents } from "../../../src/adapters/event-store/event-store.ts";
import { StoreUnavailable } from "../../../src/adapters/event-store/store-unavailable.ts";
import { NO_STREAM, type AppendResult, type Position } from "../../../src/domain/event-log.ts";
import { contentContract } from "./content-contract.ts";
import { birth, dataOf, encoded, following } from "./encoded.ts";

/** An empty store and a way to clear it away, which also closes it. */
export type OpenStore = () => Promise<{ readonly store: StoreWithContents; readonly dispose: () => Promise<void> }>;

const positionOf = (result: AppendResult): Position => {
  assert.ok(result.appended, "the append conflicted");
  return result.position;
};

/** Reads a subscription until `enough`, then leaves it. */
const collect = async (
  subscription: AsyncIterable<StoredBatch>,
  enough: (events: readonly StoredEvent[]) => boolean,
): Promise<StoredEvent[]> => {
  const events: StoredEvent[] = [];
  for await (const batch of subscription) {
    events.push(...batch.events);
    if (enough(events)) break;
  }
  return events;
};

const assertAscending = (events: readonly StoredEvent[]): void => {
  events.forEach((event, index) => {
    if (index > 0)
      assert.ok(event.position > events[index - 1]!.position, `position ${event.position} follows ${events[index - 1]!.position}`);
  });
};

/** Describes the port for the adapter `name`. */
export const eventStoreContract = (name: string, open: OpenStore): void => {
  let store: StoreWithContents;
  let dispose: () => Promise<void>;
  let stop: AbortController;
  const subscribe = (after: Position): AsyncIterable<StoredBatch> => store.subscribe(after, { signal: stop.signal });

  beforeEach(async () => {
    ({ store, dispose } = await open());
    stop = new AbortController();
  });
  afterEach(async () => {
    stop.abort();
    await dispose();
  });

  describe(`${name}: an append`, () => {
    it("is read back with its stream, revisions and growing positions", async () => {
      const event = { type: "Ünïcode \u{1f4ee}", version: 3, at: 1_234_567_890_123, data: '{"text":"\\u0000 ä \\ud800"}' };
      const first = positionOf(await store.append([{ stream: "a", expectedRevision: NO_STREAM, events: [event, encoded("2")] }]));
      const second = positionOf(await store.append([following("a", 1, "3")]));
      const events = await store.readStream("a");
      assert.deepEqual(dataOf(events), [event.data, "2", "3"]);
      assert.deepEqual(
        events.map(({ revision }) => revision),
        [0, 1, 2],
      );
      assert.deepEqual(events[0], { position: events[0]!.position, stream: "a", revision: 0, ...event });
      assert.ok(events[0].position > 0);
      assert.equal(events[1]!.position, first);
      assert.equal(events[2]!.position, second);
      assertAscending(events);
      assert.equal(store.head(), second);
    });

    it("conflicts, and stores nothing, when the stream is not where it was expected", async () => {
      await store.append([birth("a", "1")]);
      const head = store.head();
      for (const expectedRevision of [NO_STREAM, 1, 7]) {
        assert.deepEqual(await store.append([following("a", expectedRevision, "x")]), { appended: false, conflict: "a" });
      }
      assert.deepEqual(await store.append([following("missing", 0, "x")]), { appended: false, conflict: "missing" });
      assert.deepEqual(dataOf(await store.readAll(0, 10)), ["1"]);
      assert.equal(store.head(), head);
    });

    it("to several streams is stored whole, in the order given", async () => {
      await store.append([birth("a", "a0")]);
      await store.append([birth("b", "b0"), following("a", 0, "a1"), birth("c", "c0", "c1")]);
      const events = await store.readAll(0, 10);
      assert.deepEqual(dataOf(events), ["a0", "b0", "a1", "c0", "c1"]);
      assertAscending(events);
    });

    it("to several streams stores nothing, contents neither, when one of them conflicts", async () => {
      await store.append([birth("b", "b0")]);
      const bytes = new Uint8Array(10);
      const result = await store.append([birth("a", "x"), birth("b", "x"), birth("c", "x")], [{ id: 1, pieces: [bytes] }]);
      assert.deepEqual(result, { appended: false, conflict: "b" });
      assert.deepEqual(dataOf(await store.readAll(0, 10)), ["b0"]);
      assert.equal(await store.contents.read(1), undefined);
      assert.deepEqual(await store.readStream("a"), []);
    });

    it("without events only checks", async () => {
      const head = positionOf(await store.append([birth("a", "1")]));
      assert.equal(positionOf(await store.append([following("a", 0), birth("b", "2")])) > head, true);
      assert.deepEqual(await store.append([following("a", 5), birth("c", "3")]), { appended: false, conflict: "a" });
      assert.deepEqual(await store.append([]), { appended: true, position: store.head() });
    });

    it("is refused as a bug when no store could take it", async () => {
      const wrong = [
        [birth("a", "1"), birth("a", "2")],
        [birth("", "1")],
        [birth("a\0b", "1")],
        [birth("\ud800", "1")],
        [birth("a".repeat(2_000), "1")],
        [following("a", -2, "1")],
        [following("a", 0.5, "1")],
        [{ stream: "a", expectedRevision: -1, events: [{ ...encoded("1"), at: NaN }] }],
        [{ stream: "a", expectedRevision: -1, events: [{ ...encoded("1"), version: 0 }] }],
        [birth("a", "x".repeat(5_000_000))],
      ];
      for (const writes of wrong) await assert.rejects(store.append(writes), RangeError);
      await assert.rejects(store.append([], [{ id: 0.5, pieces: [new Uint8Array(1)] }]), RangeError);
      assert.equal(store.head(), 0);
    });

    it("wins alone when many race for the same revision", async () => {
      const results = await Promise.all(Array.from({ length: 50 }, (_, index) => store.append([birth("a", String(index))])));
      assert.equal(results.filter(({ appended }) => appended).length, 1);
      assert.equal((await store.readStream("a")).length, 1);
    });

    it("takes its place in one order with all that run beside it", async () => {
      const each = async (worker: number): Promise<void> => {
        for (let revision = -1; revision < 19; revision += 1) {
          const position = positionOf(await store.append([following(`s${worker}`, revision, `${worker}:${revision + 1}`)]));
          assert.ok(store.head() >= position);
        }
      };
      await Promise.all(Array.from({ length: 20 }, (_, worker) => each(worker)));
      const events = await store.readAll(0, 1_000);
      assert.equal(events.length, 400);
      assertAscending(events);
      for (let worker = 0; worker < 20; worker += 1) {
        const expected = Array.from({ length: 20 }, (_, revision) => `${worker}:${revision}`);
        assert.deepEqual(dataOf(events.filter(({ stream }) => stream === `s${worker}`)), expected);
      }
    });
  });

  describe(`${name}: a reader of the whole log`, () => {
    it("gets pages that begin after the position asked for", async () => {
      for (let index = 0; index < 10; index += 1) await store.append([birth(`s${index}`, String(index))]);
      const first = await store.readAll(0, 4);
      const second = await store.readAll(first.at(-1)!.position, 4);
      const third = await store.readAll(second.at(-1)!.position, 4);
      assert.deepEqual(dataOf([...first, ...second, ...third]), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
      assert.deepEqual(await store.readAll(store.head(), 4), []);
    });
  });

  describe(`${name}: a subscription`, () => {
    it("hands out what is stored and then what comes, each event once and in order, while others write", async () => {
      const total = 3_000;
      let written = 0;
      const write = async (): Promise<void> => {
        while (written < total) {
          const number = written;
          written += 1;
          await store.append([birth(`s${number}`, String(number))]);
        }
      };
      const writers = Array.from({ length: 8 }, write);
      const readers = [0, 0, 0].map(() => collect(subscribe(0), (events) => events.length >= total));
      await Promise.all(writers);
      const stored = await store.readAll(0, total + 1);
      for (const events of await Promise.all(readers)) assert.deepEqual(events, stored);
    });

    it("goes on from any position", async () => {
      for (let index = 0; index < 5; index += 1) await store.append([birth(`s${index}`, String(index))]);
      const all = await store.readAll(0, 10);
      const part = collect(subscribe(all[2]!.position), (events) => events.length >= 3);
      await store.append([birth("last", "5")]);
      assert.deepEqual(dataOf(await part), ["3", "4", "5"]);
    });

    it("resumes without loss or repetition where another was left", async () => {
      for (let index = 0; index < 2_500; index += 1) void store.append([birth(`s${index}`, String(index))]);
      await store.append([birth("last", "2500")]);
      let position = 0;
      const seen: StoredEvent[] = [];
      while (position < store.head()) {
        for await (const batch of subscribe(position)) {
          seen.push(...batch.events);
          position = batch.upTo;
          break;
        }
      }
      assert.deepEqual(seen, await store.readAll(0, 5_000));
    });

    it("serves a reader who is slower than the log from storage, and loses nothing", async () => {
      const seen: StoredEvent[] = [];
      let appended = 0;
      const total = 12_000; // more than a store keeps in memory for readers who keep up
      const burst = (): Promise<unknown> =>
        Promise.all(Array.from({ length: 3_000 }, () => store.append([birth(`s${appended}`, String(appended++))])));
      await store.append([birth("first", "first")]);
      for await (const batch of subscribe(0)) {
        seen.push(...batch.events);
        if (seen.length > total) break;
        while (appended < total) await burst(); // this reader is busy while the log grows
      }
      assert.deepEqual(seen, await store.readAll(0, total + 2));
    });

    it("reports how far it is, also past events that were deleted", async () => {
      await store.append([birth("a", "1")]);
      await store.append([birth("b", "2")]);
      await store.deleteStream("b");
      const reopened = subscribe(0);
      let upTo = 0;
      for await (const batch of reopened) {
        upTo = batch.upTo;
        if (upTo >= store.head()) break;
      }
      assert.equal(upTo, store.head());
    });

    it("ends when its signal aborts, also while it waits", async () => {
      const end = collect(subscribe(store.head()), () => false);
      stop.abort();
      assert.deepEqual(await end, []);
      assert.deepEqual(await collect(subscribe(0), () => false), []);
    });

    it("fails, rather than fall silent, when the store is closed", async () => {
      const waiting = assert.rejects(
        collect(subscribe(0), () => false),
        StoreUnavailable,
      );
      await store.close();
      await waiting;
    });
  });

  describe(`${name}: a deleted stream`, () => {
    it("is gone for every reader, and nothing else is", async () => {
      await store.append([birth("a", "a0", "a1"), birth("b", "b0")]);
      await store.append([following("a", 1, "a2"), birth("c", "c0")]);
      await store.deleteStream("a");
      assert.deepEqual(await store.readStream("a"), []);
      assert.deepEqual(dataOf(await store.readAll(0, 10)), ["b0", "c0"]);
      await store.deleteStream("a");
      await store.deleteStream("never there");
    });

    it("can be created anew, at positions never used before", async () => {
      await store.append([birth("a", "old")]);
      const before = store.head();
      await store.deleteStream("a");
      assert.equal(store.head(), before);
      assert.deepEqual(await store.append([following("a", 0, "x")]), { appended: false, conflict: "a" });
      const position = positionOf(await store.append([birth("a", "new")]));
      assert.ok(position > before);
      assert.deepEqual(dataOf(await store.readStream("a")), ["new"]);
    });
  });

  describe(`${name}: a checkpoint`, () => {
    it("is 0 before it was saved and then what was saved last", async () => {
      assert.equal(await store.loadCheckpoint("reader"), 0);
      await store.saveCheckpoint("reader", 7);
      await store.saveCheckpoint("other", 9_007_199_254_740_991);
      await store.saveCheckpoint("reader", 5);
      assert.equal(await store.loadCheckpoint("reader"), 5);
      assert.equal(await store.loadCheckpoint("other"), 9_007_199_254_740_991);
    });
  });

  describe(`${name}: closing`, () => {
    it("finishes what was handed in and refuses what comes later", async () => {
      const appends = Array.from({ length: 100 }, (_, index) => store.append([birth(`s${index}`, "1")]));
      await Promise.all(appends.slice(0, 1));
      const closing = store.close();
      await assert.rejects(store.append([birth("late", "1")]), StoreUnavailable);
      const results = await Promise.all(appends);
      assert.ok(results.every(({ appended }) => appended));
      await closing;
      await store.close();
      await assert.rejects(store.readStream("s1"), StoreUnavailable);
      await assert.rejects(store.contents.read(1), StoreUnavailable);
    });
  });

  contentContract(name, () => store);
};
