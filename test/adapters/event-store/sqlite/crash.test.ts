/** What was acknowledged outlives its process, whatever it dies of, and what was not is there whole or not at all. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { openSqliteStore } from "../../../../src/adapters/event-store/sqlite/open.ts";
import { StoreUnavailable } from "../../../../src/adapters/event-store/store-unavailable.ts";
import { dataOf } from "../encoded.ts";
import { appendingChild } from "./child.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

let directory: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => {
  directory.remove();
});

/** Every append of the child is whole or absent; answers the numbers of those that are there. */
const wholeAppends = async (): Promise<ReadonlySet<number>> => {
  const store = await openSqliteStore({ directory: directory.path });
  try {
    const numbers = new Set<number>();
    const streams = new Set((await store.readAll(0, 1_000_000)).map(({ stream }) => stream));
    for (const stream of streams) numbers.add(Number(stream.slice(stream.indexOf("-") + 1)));
    for (const number of numbers) {
      assert.deepEqual(dataOf(await store.readStream(`left-${number}`)), ["1", "2"]);
      assert.deepEqual(dataOf(await store.readStream(`right-${number}`)), ["3"]);
      const content = await store.contents.read(number);
      assert.equal(content?.length, 1_000 + (number % 7) * 50_000);
      assert.ok(content.every((octet) => octet === number % 251));
    }
    assert.deepEqual(
      await store.storedContentIds(0, 1_000_000),
      [...numbers].sort((a, b) => a - b),
    );
    return numbers;
  } finally {
    await store.close();
  }
};

describe("a process killed in the middle of appends", () => {
  it("loses nothing that it acknowledged, time after time", async () => {
    const acknowledged: number[] = [];
    for (const [round, enough] of [1, 40, 170, 23].entries()) {
      const child = appendingChild(directory.path, 8);
      for (let lines = 0; lines <= enough; lines += 1) {
        const line = await child.nextLine();
        assert.notEqual(line, undefined, "the child ended by itself");
        if (line?.startsWith("stored ") === true) acknowledged.push(Number(line.slice(7)));
      }
      await child.kill();
      for (let line = await child.nextLine(); line !== undefined; line = await child.nextLine()) acknowledged.push(Number(line.slice(7)));
      const there = await wholeAppends();
      assert.ok(acknowledged.length >= enough);
      for (const number of acknowledged) assert.ok(there.has(number), `round ${round}: append ${number} was acknowledged and is gone`);
    }
  });
});

describe("a data directory in use", () => {
  it("is refused to a second process until the first is gone, even by kill -9", async () => {
    const child = appendingChild(directory.path, 1);
    assert.equal(await child.nextLine(), "open");
    await assert.rejects(openSqliteStore({ directory: directory.path }), (error) => {
      assert.ok(error instanceof StoreUnavailable);
      assert.equal(error.reason, "inUse");
      assert.ok(error.message.includes(directory.path) && error.message.includes("another process"), error.message);
      return true;
    });
    await child.kill();
    const store = await openSqliteStore({ directory: directory.path });
    await assert.rejects(openSqliteStore({ directory: directory.path }), { reason: "inUse" });
    await store.close();
    await (await openSqliteStore({ directory: directory.path })).close();
  });
});
