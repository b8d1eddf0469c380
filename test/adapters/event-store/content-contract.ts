/** The part of the event store's contract that is about contents: stored with events, all or none, and deleted on their own. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { StoreWithContents } from "../../../src/adapters/event-store/event-store.ts";
import { birth } from "./encoded.ts";

const pattern = (size: number): Uint8Array => Uint8Array.from({ length: size }, (_, index) => (index * 31 + (index >> 8)) & 0xff);

/** Describes contents in an empty store that the caller opens and clears away around each test. */
export const contentContract = (name: string, opened: () => StoreWithContents): void => {
  describe(`${name}: content`, () => {
    it("of any size comes back octet for octet", async () => {
      const store = opened();
      const sizes = [0, 1, 1_000, 65_535, 65_536, 262_143, 262_144, 262_145, 1_500_000];
      await store.append(
        [birth("a", "1")],
        sizes.map((size, index) => ({ id: index + 1, bytes: pattern(size) })),
      );
      for (const [index, size] of sizes.entries()) assert.deepEqual(await store.contents.read(index + 1), pattern(size));
      assert.equal(await store.contents.read(99), undefined);
    });

    it("may be a view on a buffer that is shared with others", async () => {
      const store = opened();
      const pool = Buffer.from(pattern(300_000));
      const small = Buffer.from("small, out of node's own pool");
      await store.append([], [{ id: 1, bytes: pool.subarray(100_000, 250_000) }]);
      await store.append([], [{ id: 2, bytes: small }]);
      assert.equal(pool.length, 300_000);
      assert.deepEqual(await store.contents.read(1), pattern(300_000).subarray(100_000, 250_000));
      assert.equal(Buffer.from((await store.contents.read(2)) ?? []).toString(), "small, out of node's own pool");
    });

    it("that was handed over before is refused, rather than stored empty", async () => {
      const store = opened();
      const bytes = pattern(200_000);
      const first = store.append([], [{ id: 1, bytes }]);
      await assert.rejects(store.append([], [{ id: 2, bytes }]), TypeError);
      await first;
      assert.equal(await store.contents.read(2), undefined);
    });

    it("with an id that is taken is refused, with the events of its append, and harms no neighbour", async () => {
      const store = opened();
      await store.append([birth("a", "1")], [{ id: 1, bytes: pattern(10) }]);
      const good = store.append([birth("b", "1")]);
      const bad = assert.rejects(store.append([birth("c", "1")], [{ id: 1, bytes: pattern(20) }]));
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
        [5, 3, 4].map((id) => ({ id, bytes: pattern(id * 100_000) })),
      );
      assert.deepEqual(await store.storedContentIds(0, 10), [3, 4, 5]);
      assert.deepEqual(await store.storedContentIds(3, 1), [4]);
      await store.contents.delete([4, 99, 5]);
      assert.deepEqual(await store.storedContentIds(0, 10), [3]);
      assert.equal(await store.contents.read(5), undefined);
      await store.append([], [{ id: 5, bytes: pattern(7) }]);
      assert.deepEqual(await store.contents.read(5), pattern(7));
    });
  });
};
