/** The part of the event store's contract that is about contents: stored with events, all or none, and deleted on their own. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { joinContent } from "../../../src/domain/content.ts";
import { CONTENT_PIECE } from "../../../src/domain/event-log.ts";
import type { StoreWithContents } from "../../../src/adapters/event-store/event-store.ts";
import { birth } from "./encoded.ts";

const pattern = (size: number): Uint8Array => Uint8Array.from({ length: size }, (_, index) => (index * 31 + (index >> 8)) & 0xff);

const all = async (pieces: AsyncIterable<Uint8Array>): Promise<readonly Uint8Array[]> => {
  const list: Uint8Array[] = [];
  for await (const piece of pieces) list.push(piece);
  return list;
};

/** Describes contents in an empty store that the caller opens and clears away around each test. */
export const contentContract = (name: string, opened: () => StoreWithContents): void => {
  describe(`${name}: content`, () => {
    it("of any size comes back octet for octet", async () => {
      const store = opened();
      const sizes = [0, 1, 1_000, 65_535, 65_536, 262_143, 262_144, 262_145, 1_500_000];
      await store.append(
        [birth("a", "1")],
        sizes.map((size, index) => ({ id: index + 1, pieces: [pattern(size)] })),
      );
      for (const [index, size] of sizes.entries()) assert.deepEqual(await store.contents.read(index + 1), pattern(size));
      assert.equal(await store.contents.read(99), undefined);
    });

    it("comes back whole however it was cut", async () => {
      const store = opened();
      const cuts = [[0], [1, 0, 2], [262_144, 262_144], [70_000, 10, 400_000, 300_000, 0, 1], Array.from({ length: 600 }, () => 700), []];
      const contents = cuts.map((sizes, index) => {
        const whole = pattern(sizes.reduce((sum, size) => sum + size, 0));
        let at = 0;
        return { id: index + 1, whole, pieces: sizes.map((size) => whole.slice(at, (at += size))) };
      });
      await store.append([birth("a", "1")], contents);
      for (const { id, whole } of contents) {
        assert.deepEqual(await store.contents.read(id), whole);
        const opened = await store.contents.open(id);
        assert.ok(opened);
        assert.equal(opened.size, whole.byteLength);
        assert.deepEqual(joinContent([...(await all(opened.pieces)), new Uint8Array()]), whole);
      }
      assert.equal(await store.contents.open(99), undefined);
    });

    it("is read in pieces of bounded size, as often as it is asked for", async () => {
      const store = opened();
      await store.append([], [{ id: 1, pieces: [pattern(1_000_000)] }]);
      const content = await store.contents.open(1);
      assert.ok(content);
      const [first, second] = await Promise.all([all(content.pieces), all(content.pieces)]);
      assert.ok(first.every(({ byteLength }) => byteLength > 0 && byteLength <= CONTENT_PIECE));
      assert.deepEqual(joinContent(first), pattern(1_000_000));
      assert.deepEqual(second, first);
    });

    it("that is deleted while it is read is never taken for whole", async () => {
      const store = opened();
      await store.append([], [{ id: 1, pieces: [pattern(1_000_000)] }]);
      const content = await store.contents.open(1);
      assert.ok(content);
      let seen = 0;
      await assert.rejects(async () => {
        for await (const { byteLength } of content.pieces) {
          seen += byteLength;
          await store.contents.delete([1]);
        }
      }, /content 1 was deleted/);
      assert.ok(seen < 1_000_000);
    });

    it("stays the caller's after a conflict with what was stored before, whatever its size", async () => {
      const store = opened();
      await store.append([birth("taken", "1")]);
      const pieces = [pattern(200_000), pattern(10)];
      assert.deepEqual(await store.append([birth("new", "1"), birth("taken", "2")], [{ id: 1, pieces }]), {
        appended: false,
        conflict: "taken",
      });
      assert.ok((await store.append([birth("new", "1"), birth("other", "2")], [{ id: 2, pieces }])).appended);
      assert.equal(await store.contents.read(1), undefined);
      assert.deepEqual(await store.contents.read(2), joinContent([pattern(200_000), pattern(10)]));
    });

    it("may be a view on a buffer that is shared with others", async () => {
      const store = opened();
      const pool = Buffer.from(pattern(300_000));
      const small = Buffer.from("small, out of node's own pool");
      await store.append([], [{ id: 1, pieces: [pool.subarray(100_000, 250_000)] }]);
      await store.append([], [{ id: 2, pieces: [small] }]);
      assert.equal(pool.length, 300_000);
      assert.deepEqual(await store.contents.read(1), pattern(300_000).subarray(100_000, 250_000));
      assert.equal(Buffer.from((await store.contents.read(2)) ?? []).toString(), "small, out of node's own pool");
    });

    it("that was handed over before is refused, rather than stored empty", async () => {
      const store = opened();
      const bytes = pattern(200_000);
      const first = store.append([], [{ id: 1, pieces: [bytes] }]);
      await assert.rejects(store.append([], [{ id: 2, pieces: [bytes] }]), TypeError);
      await first;
      assert.equal(await store.contents.read(2), undefined);
    });

    it("with an id that is taken is refused, with the events of its append, and harms no neighbour", async () => {
      const store = opened();
      await store.append([birth("a", "1")], [{ id: 1, pieces: [pattern(10)] }]);
      const good = store.append([birth("b", "1")]);
      const bad = assert.rejects(store.append([birth("c", "1")], [{ id: 1, pieces: [pattern(20)] }]));
      const alsoGood = store.append([birth("d", "1")]);
      await bad;
      assert.ok((await good).appended);
      assert.ok((await alsoGood).appended);
      assert.deepEqual(await store.readStream("c"), []);
      assert.deepEqual(await store.contents.read(1), pattern(10));
    });

    it("is gone after it was deleted; deleting what is not there does nothing", async () => {
      const store = opened();
      await store.append(
        [],
        [5, 3, 4].map((id) => ({ id, pieces: [pattern(id * 100_000)] })),
      );
      assert.deepEqual(await store.storedContentIds(0, 10), [3, 4, 5]);
      assert.deepEqual(await store.storedContentIds(3, 1), [4]);
      await store.contents.delete([4, 99, 5]);
      assert.deepEqual(await store.storedContentIds(0, 10), [3]);
      assert.equal(await store.contents.read(5), undefined);
      await store.append([], [{ id: 5, pieces: [pattern(7)] }]);
      assert.deepEqual(await store.contents.read(5), pattern(7));
    });
  });
};
