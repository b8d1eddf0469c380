/** Opening: what was stored is there again, and a file that cannot be used is refused with its name and the reason. */
import assert from "node:assert/strict";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, it } from "node:test";
import { CONTENT_PIECE } from "../../../../src/domain/event-log.ts";
import type { StoreWithContents } from "../../../../src/adapters/event-store/event-store.ts";
import { openSqliteStore } from "../../../../src/adapters/event-store/sqlite/open.ts";
import { StoreUnavailable, type TroubleReason } from "../../../../src/adapters/event-store/store-unavailable.ts";
import { birth, dataOf, following } from "../encoded.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

let directory: ReturnType<typeof temporaryDirectory>;
let file: string;
beforeEach(() => {
  directory = temporaryDirectory();
  file = join(directory.path, "events.sqlite");
});
afterEach(() => {
  directory.remove();
});

const open = (): Promise<StoreWithContents> => openSqliteStore({ directory: directory.path });

/** Opens a store, uses it and closes it again. */
const session = async <T>(use: (store: StoreWithContents) => Promise<T>): Promise<T> => {
  const store = await open();
  try {
    return await use(store);
  } finally {
    await store.close();
  }
};

const filled = (): Promise<void> =>
  session(async (store) => {
    for (let number = 1; number <= 200; number += 1) {
      await store.append([birth(`s${number}`, "x".repeat(1_000))], [{ id: number, pieces: [new Uint8Array(5_000)] }]);
    }
  });

const refused = async (reason: TroubleReason, named = file): Promise<void> => {
  await assert.rejects(open(), (error) => {
    assert.ok(error instanceof StoreUnavailable, String(error));
    assert.equal(error.reason, reason, error.message);
    assert.ok(error.message.includes(named), error.message);
    return true;
  });
};

describe("a store that was closed", () => {
  it("has everything when it is opened again", async () => {
    const bytes = new Uint8Array(600_000).fill(7);
    const head = await session(async (store) => {
      await store.append([birth("a", "1", "2"), birth("b", "3")], [{ id: 5, pieces: [new Uint8Array(bytes)] }]);
      await store.append([following("a", 1, "4")]);
      await store.saveCheckpoint("reader", 2);
      return store.head();
    });
    await session(async (store) => {
      assert.equal(store.head(), head);
      assert.deepEqual(dataOf(await store.readAll(0, 10)), ["1", "2", "3", "4"]);
      assert.deepEqual(await store.contents.read(5), bytes);
      assert.equal(await store.loadCheckpoint("reader"), 2);
      assert.deepEqual(await store.append([birth("a", "x")]), { appended: false, conflict: "a" });
      assert.ok((await store.append([following("a", 2, "5")])).appended);
    });
  });

  it("never gives out a position again, also when the newest streams were deleted before", async () => {
    const head = await session(async (store) => {
      await store.append([birth("a", "1")]);
      await store.append([birth("b", "2", "3")]);
      await store.deleteStream("b");
      return store.head();
    });
    await session(async (store) => {
      assert.equal(store.head(), head);
      await store.deleteStream("a");
    });
    await session(async (store) => {
      assert.equal(store.head(), head);
      const result = await store.append([birth("b", "4")]);
      assert.ok(result.appended && result.position > head);
    });
  });

  it("subscribes from a position of an earlier time", async () => {
    await session(async (store) => store.append([birth("a", "1", "2", "3")]));
    await session(async (store) => {
      await store.append([birth("b", "4")]);
      const seen: string[] = [];
      for await (const { events } of store.subscribe(1, { signal: new AbortController().signal })) {
        seen.push(...dataOf(events));
        if (seen.length === 3) break;
      }
      assert.deepEqual(seen, ["2", "3", "4"]);
    });
  });
});

describe("a large content", () => {
  it("takes no memory once it is stored", async () => {
    await session(async (store) => {
      await store.append([birth("before", "1")], [{ id: 1, pieces: [new Uint8Array(100_000)] }]);
      const before = process.memoryUsage().arrayBuffers;
      const pieces = Array.from({ length: 100 }, (_, index) => new Uint8Array(CONTENT_PIECE).fill(index));
      await store.append([birth("large", "1")], [{ id: 2, pieces }]);
      // Answers to this come after the memory of the one before was given back.
      await store.append([birth("after", "1")]);
      const added = process.memoryUsage().arrayBuffers - before;
      assert.ok(added < 5_000_000, `${added} octets are still taken`);
      const content = await store.contents.open(2);
      let size = 0;
      for await (const piece of content?.pieces ?? []) size += piece.byteLength;
      assert.equal(size, 100 * CONTENT_PIECE);
    });
  });
});

describe("a store whose revisions are no longer in memory", () => {
  it("still knows where its streams are", async () => {
    await session(async (store) => {
      await store.append([birth("old", "1")]);
      await Promise.all(Array.from({ length: 45_000 }, (_, number) => store.append([birth(`s${number}`, "x")])));
      assert.deepEqual(await store.append([birth("old", "x")]), { appended: false, conflict: "old" });
      assert.ok((await store.append([following("old", 0, "2")])).appended);
    });
  });
});

describe("a file that cannot be used", () => {
  it("is named when it is no database", async () => {
    writeFileSync(file, "This is a letter, not a database. ".repeat(1_000));
    await refused("corrupt");
    assert.match(readFileSync(file, "utf8"), /^This is a letter/, "and is left as it was");
  });

  it("is named when it was cut short", async () => {
    await filled();
    truncateSync(file, 400_000);
    await refused("corrupt");
  });

  it("is named when its inner pages were overwritten", async () => {
    await filled();
    const octets = readFileSync(file);
    octets.fill(0xa5, 8_192);
    writeFileSync(file, octets);
    await refused("corrupt");
  });

  it("is named when another application made it", async () => {
    const db = new DatabaseSync(file);
    db.exec("CREATE TABLE letters (text)");
    db.close();
    await refused("corrupt");
  });

  it("is named when a newer release made it", async () => {
    await filled();
    const db = new DatabaseSync(file);
    db.exec("PRAGMA user_version = 99");
    db.close();
    await refused("newerSchema");
  });

  it("does not keep the directory locked", async () => {
    writeFileSync(file, "not a database, but long enough to be looked at".repeat(100));
    await refused("corrupt");
    await refused("corrupt");
  });

  it("is told apart from a directory that cannot be made", async () => {
    const occupied = join(directory.path, "occupied");
    writeFileSync(occupied, "");
    await assert.rejects(openSqliteStore({ directory: join(occupied, "data") }), { reason: "cannotOpen" });
  });
});

describe("a file that is damaged while it is in use", () => {
  it("fails the reader who meets the damage, with the file's name", async () => {
    await filled();
    await session(async (store) => {
      const octets = readFileSync(file);
      octets.fill(0xa5, 8_192);
      writeFileSync(file, octets);
      await assert.rejects(
        store.readAll(0, 1_000),
        (error) => error instanceof StoreUnavailable && error.reason === "corrupt" && error.message.includes(file),
      );
    });
  });
});
