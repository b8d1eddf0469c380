/** A full disk stops appends and nothing else, and they go on when there is room. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { StoreWithContents } from "../../../../src/adapters/event-store/event-store.ts";
import { openSqliteStore } from "../../../../src/adapters/event-store/sqlite/open.ts";
import { StoreUnavailable } from "../../../../src/adapters/event-store/store-unavailable.ts";
import { birth, dataOf } from "../encoded.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const BIG = "x".repeat(50_000);

const isDiskFull = (error: unknown): boolean => {
  assert.ok(error instanceof StoreUnavailable, String(error));
  assert.equal(error.reason, "diskFull");
  assert.match(error.message, /events\.sqlite.*free some disk space/);
  return true;
};

/** Appends until it fails; answers the streams that were acknowledged. */
const fill = async (store: StoreWithContents): Promise<readonly string[]> => {
  const acknowledged: string[] = [];
  for (let number = 0; number < 10_000; number += 1) {
    try {
      await store.append([birth(`s${number}`, BIG)], [{ id: number + 1, pieces: [new Uint8Array(1_000)] }]);
    } catch (error) {
      isDiskFull(error);
      return acknowledged;
    }
    acknowledged.push(`s${number}`);
  }
  return assert.fail("the disk never became full");
};

/** Nothing of the failed append is there, and everything acknowledged is. */
const assertStored = async (store: StoreWithContents, acknowledged: readonly string[]): Promise<void> => {
  const events = await store.readAll(0, 100_000);
  assert.deepEqual(
    events.map(({ stream }) => stream),
    acknowledged,
  );
  assert.equal((await store.storedContentIds(0, 100_000)).length, acknowledged.filter((stream) => stream.startsWith("s")).length);
  assert.equal(store.head(), events.at(-1)?.position);
};

describe("a store that may grow to a certain size", () => {
  it("refuses more, keeps what it has, and takes more when something was deleted", async () => {
    const directory = temporaryDirectory();
    const store = await openSqliteStore({ directory: directory.path, maxBytes: 2_000_000 });
    try {
      const acknowledged = await fill(store);
      assert.ok(acknowledged.length > 10);
      await assertStored(store, acknowledged);
      const head = store.head();
      await store.deleteStream("s0");
      await store.deleteStream("s1");
      await store.contents.delete([1, 2]);
      assert.equal(store.head(), head, "the head counts what was refused");
      assert.ok((await store.append([birth("later", "fits")])).appended);
      await assertStored(store, [...acknowledged.slice(2), "later"]);
    } finally {
      await store.close();
      directory.remove();
    }
  });

  it("lets small appends pass beside one that does not fit", async () => {
    const directory = temporaryDirectory();
    const store = await openSqliteStore({ directory: directory.path, maxBytes: 2_000_000 });
    try {
      const small = [store.append([birth("a", "1")]), store.append([birth("b", "2")])];
      const huge = assert.rejects(store.append([birth("huge", "3")], [{ id: 1, pieces: [new Uint8Array(5_000_000)] }]), isDiskFull);
      small.push(store.append([birth("c", "4")]));
      await huge;
      for (const result of await Promise.all(small)) assert.ok(result.appended);
      assert.deepEqual(dataOf(await store.readAll(0, 10)), ["1", "2", "4"]);
      assert.deepEqual(await store.storedContentIds(0, 10), []);
    } finally {
      await store.close();
      directory.remove();
    }
  });
});

/** A small disk of its own, which only root may mount; undefined for others. */
const smallDisk = (): { readonly path: string; readonly remove: () => void } | undefined => {
  const directory = temporaryDirectory();
  const mounted =
    process.platform === "linux" && spawnSync("mount", ["-t", "tmpfs", "-o", "size=8m", "posthorn-test", directory.path]).status === 0;
  if (!mounted) {
    directory.remove();
    return undefined;
  }
  const remove = (): void => {
    spawnSync("umount", [directory.path]);
    directory.remove();
  };
  return { path: directory.path, remove };
};

const NO_DISK = "only root may mount a small disk";

describe("a store on a full disk", () => {
  it("refuses appends, still reads, and goes on without a restart when there is room", async (test) => {
    const disk = smallDisk();
    if (disk === undefined) {
      test.skip(NO_DISK);
      return;
    }
    const filler = join(disk.path, "filler");
    const store = await openSqliteStore({ directory: join(disk.path, "data") });
    try {
      await store.append([birth("first", "1")]);
      const { bavail, bsize } = statfsSync(disk.path);
      writeFileSync(filler, Buffer.alloc(bavail * bsize - 400_000));
      const acknowledged = ["first", ...(await fill(store))];
      await assertStored(store, acknowledged);
      await assert.rejects(store.append([birth("more", BIG)]), isDiskFull);

      rmSync(filler);
      assert.ok((await store.append([birth("more", BIG)])).appended);
      await store.saveCheckpoint("reader", 3);
      await store.close();

      const again = await openSqliteStore({ directory: join(disk.path, "data") });
      await assertStored(again, [...acknowledged, "more"]);
      assert.equal(await again.loadCheckpoint("reader"), 3);
      await again.close();
    } finally {
      await store.close();
      disk.remove();
    }
  });

  it("says so when it cannot even be opened for want of room", async (test) => {
    const disk = smallDisk();
    if (disk === undefined) {
      test.skip(NO_DISK);
      return;
    }
    try {
      const { bavail, bsize } = statfsSync(disk.path);
      writeFileSync(join(disk.path, "filler"), Buffer.alloc(bavail * bsize - 8_192));
      await assert.rejects(openSqliteStore({ directory: join(disk.path, "data") }), isDiskFull);
      rmSync(join(disk.path, "filler"));
      await (await openSqliteStore({ directory: join(disk.path, "data") })).close();
    } finally {
      disk.remove();
    }
  });
});

describe("a store on a read-only disk", () => {
  it("is refused, with the reason", async (test) => {
    const disk = smallDisk();
    if (disk === undefined) {
      test.skip(NO_DISK);
      return;
    }
    try {
      const store = await openSqliteStore({ directory: disk.path });
      await store.append([birth("a", "1")]);
      await store.close();
      spawnSync("mount", ["-o", "remount,ro", disk.path]);
      await assert.rejects(openSqliteStore({ directory: disk.path }), (error) => {
        assert.ok(error instanceof StoreUnavailable, String(error));
        assert.ok(error.reason === "readOnly" && error.message.includes(disk.path), `${error.reason}: ${error.message}`);
        return true;
      });
    } finally {
      disk.remove();
    }
  });
});
