/** Two nodes over one log never get into each other's way, whatever the interleaving: see racing.ts. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { Worker } from "node:worker_threads";
import type { Seeds } from "./racing.ts";

const RUNS = 2_000;

/** Resolves with how many of the runs lost an attempt; rejects with the first that went wrong. */
const race = async (seeds: Seeds): Promise<number> => {
  const worker = new Worker(new URL("./racing.ts", import.meta.url), { workerData: seeds });
  const [contested] = (await once(worker, "message")) as [number];
  await worker.terminate();
  return contested;
};

describe("two nodes that race for the same messages", () => {
  it(`never claim an attempt twice, never dial without a claim or twice for one, and lose no message, in ${RUNS} interleavings`, async () => {
    const contested = await race({ first: 1, last: RUNS });
    assert.ok(contested > RUNS / 10, `the races are too tame: only ${contested} lost an attempt`);
  });
});
