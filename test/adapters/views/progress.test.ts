import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { viewsProgress } from "../../../src/adapters/views/progress.ts";
import { room } from "../../../src/adapters/views/room.ts";
import { formatCursor, parseCursor } from "../../../src/adapters/views/queries/page.ts";

/** Whether a promise is kept by now. */
const isKept = async (promise: Promise<unknown>): Promise<boolean> => {
  const pending = Symbol("pending");
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
};

describe("those who wait for the views", () => {
  it("go on when their position is passed, in whatever order they came", async () => {
    const progress = viewsProgress(10);
    const waits = [30, 12, 20, 11, 20].map((position) => ({ position, promise: progress.passed(position) }));
    const kept = async (): Promise<readonly number[]> => {
      const found: number[] = [];
      for (const { position, promise } of waits) if (await isKept(promise)) found.push(position);
      return found.sort((one, other) => one - other);
    };
    assert.deepEqual(await kept(), []);
    progress.advance(12);
    assert.deepEqual(await kept(), [11, 12]);
    progress.advance(25);
    assert.deepEqual(await kept(), [11, 12, 20, 20]);
    progress.advance(30);
    assert.equal((await kept()).length, 5);
    await progress.passed(30);
  });

  it("get the error when the views stop, and so do those who come later", async () => {
    const progress = viewsProgress(0);
    const waiting = progress.passed(5);
    progress.stop(new Error("no disk"));
    await assert.rejects(waiting, /no disk/);
    await assert.rejects(progress.passed(5), /no disk/);
    await progress.passed(0);
  });
});

describe("room for what is on its way", () => {
  it("makes senders wait until enough has arrived", async () => {
    const limited = room(10);
    assert.ok(await isKept(limited.take(6)));
    const second = limited.take(6);
    assert.ok(!(await isKept(second)));
    limited.free(6);
    assert.ok(await isKept(second));
  });

  it("lets nobody wait for what will never arrive", async () => {
    const limited = room(1);
    const waiting = limited.take(5);
    limited.close(new Error("gone"));
    await assert.rejects(waiting, /gone/);
    await assert.rejects(limited.take(1), /gone/);
  });
});

describe("a cursor", () => {
  it("is read back as it was written", () => {
    const cursor = { sort: 1_780_315_200_000, id: 9_007_199_254_740_991 };
    assert.match(formatCursor(cursor), /^[A-Za-z0-9_-]+$/);
    assert.deepEqual(parseCursor(formatCursor(cursor)), cursor);
  });

  it("is nothing else", () => {
    const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const hostile = [
      "",
      "!",
      "a".repeat(200),
      "e30",
      encoded({}),
      encoded([1]),
      encoded([1, 2, 3]),
      encoded(["1", 2]),
      encoded([null, 1]),
      Buffer.from("[1e999,1]").toString("base64url"),
    ];
    for (const text of hostile) assert.equal(parseCursor(text), undefined, text);
  });
});
