/** The newest events in memory: complete from a position on, or nothing. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { commitTail, type CommitTail } from "../../../src/adapters/event-store/commit-tail.ts";
import { dataOf, encoded } from "./encoded.ts";

const push = (tail: CommitTail, position: number, data = String(position)): void => {
  tail.push({ ...encoded(data), position, stream: "s", revision: position });
};

describe("the tail of the log", () => {
  it("has what follows a position it still covers", () => {
    const tail = commitTail(10);
    for (const position of [11, 12, 15]) push(tail, position);
    assert.deepEqual(dataOf(tail.after(10, 9)!.events), ["11", "12", "15"]);
    assert.deepEqual(dataOf(tail.after(12, 9)!.events), ["15"]);
    assert.deepEqual(dataOf(tail.after(13, 9)!.events), ["15"]);
    assert.deepEqual(tail.after(10, 2)!.upTo, 12);
  });

  it("says so when some of it was before its time or has left it", () => {
    const tail = commitTail(10, 3);
    assert.equal(tail.after(9, 9), undefined);
    for (let position = 11; position <= 1_000; position += 1) push(tail, position);
    assert.equal(tail.after(996, 9), undefined);
    assert.deepEqual(dataOf(tail.after(997, 9)!.events), ["998", "999", "1000"]);
  });

  it("is bounded by the data in it too", () => {
    const tail = commitTail(0, 1_000, 100);
    for (let position = 1; position <= 20; position += 1) push(tail, position, "x".repeat(30));
    assert.equal(tail.after(16, 9), undefined);
    assert.equal(tail.after(17, 9)!.events.length, 3);
    push(tail, 21, "x".repeat(500));
    assert.equal(tail.after(20, 9), undefined);
  });
});
