/** The main thread's side of the writer: groups, and what happens when the thread dies. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Worker } from "node:worker_threads";
import { openSqliteStore } from "../../../../src/adapters/event-store/sqlite/open.ts";
import { writerClient, type CommitStatistics } from "../../../../src/adapters/event-store/sqlite/writer-client.ts";
import { StoreUnavailable } from "../../../../src/adapters/event-store/store-unavailable.ts";
import { birth } from "../encoded.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

describe("appends that come together", () => {
  it("share commits, and each is measured", async () => {
    const directory = temporaryDirectory();
    const commits: CommitStatistics[] = [];
    const latencies: number[] = [];
    const store = await openSqliteStore({
      directory: directory.path,
      onCommit: (commit) => void commits.push(commit),
      onAppend: (latencyMs) => void latencies.push(latencyMs),
    });
    let next = 0;
    const appendMany = async (): Promise<void> => {
      while (next < 2_000) await store.append([birth(`s${next++}`, "1", "2")]);
    };
    await Promise.all(Array.from({ length: 100 }, appendMany));
    await store.close();
    directory.remove();

    const sum = (key: keyof CommitStatistics): number => commits.reduce((total, commit) => total + commit[key], 0);
    assert.equal(sum("appends"), 2_000);
    assert.equal(sum("events"), 4_000);
    assert.ok(commits.length <= 200, `${commits.length} commits for 2000 appends`);
    assert.ok(commits.every(({ durationMs }) => durationMs > 0));
    assert.equal(latencies.length, 2_000);
    assert.ok(latencies.every((latencyMs) => latencyMs > 0));
  });
});

/** A thread that opens well and dies of the first thing that it is asked to do. */
const dyingThread = (death: string): Worker =>
  new Worker(
    `const { parentPort } = require("node:worker_threads"); parentPort.once("message", () => { ${death} }); parentPort.postMessage({ kind: "opened", head: 3 });`,
    {
      eval: true,
    },
  );

describe("a writer thread that dies", () => {
  for (const [how, death] of [
    ["of an exception", 'throw new Error("out of cheese")'],
    ["without a word", "process.exit(1)"],
  ] as const) {
    it(`${how}, fails what waits and all that comes later`, async () => {
      const stopped: StoreUnavailable[] = [];
      const { client, head } = await writerClient({
        worker: dyingThread(death),
        file: "/data/events.sqlite",
        onStored: () => assert.fail("nothing was stored"),
        onCommit: () => assert.fail("nothing was committed"),
        onStopped: (error) => void stopped.push(error),
      });
      assert.equal(head, 3);
      const waiting = [1, 2].map((position) => client.submit({ kind: "saveCheckpoint", name: "a", position }));
      const isStopped = (error: unknown): boolean =>
        error instanceof StoreUnavailable && error.reason === "writerStopped" && error.message.includes("/data/events.sqlite");
      for (const promise of waiting) await assert.rejects(promise, isStopped);
      await assert.rejects(client.submit({ kind: "saveCheckpoint", name: "a", position: 3 }), isStopped);
      assert.equal(stopped.length, 1);
      if (how === "of an exception") assert.match(stopped[0]!.message, /out of cheese/);
      await client.close();
    });
  }

  it("before it has opened anything, fails the opening", async () => {
    const worker = new Worker("process.exit(1)", { eval: true });
    const nothing = (): void => undefined;
    await assert.rejects(writerClient({ worker, file: "/data/events.sqlite", onStored: nothing, onCommit: nothing, onStopped: nothing }), {
      reason: "writerStopped",
    });
  });
});
