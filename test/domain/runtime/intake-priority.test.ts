/** Acknowledging comes before delivering, and never stops it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { intakePriority } from "../../../src/domain/runtime/intake-priority.ts";
import { virtualClock } from "../../support/virtual-clock.ts";

const busyWith = async (submissions: number) => {
  const clock = virtualClock();
  const priority = intakePriority(clock);
  const ending = Promise.withResolvers<undefined>();
  const running = Array.from({ length: submissions }, () => priority.during(() => ending.promise));
  const end = async (): Promise<void> => {
    ending.resolve(undefined);
    await Promise.all(running);
  };
  return { clock, priority, end };
};

describe("while few submissions are in progress", () => {
  it("deliveries start at once", async () => {
    const { priority, end } = await busyWith(3);
    assert.deepEqual([priority.holdBack(), priority.holdBack(), priority.holdBack()], [0, 0, 0]);
    await end();
  });
});

describe("while many submissions are in progress", () => {
  it("deliveries start one after another, with a distance", async () => {
    const { clock, priority, end } = await busyWith(4);
    assert.equal(priority.holdBack(), 0);
    const waitMs = priority.holdBack();
    assert.ok(waitMs > 0);
    clock.advance(waitMs);
    assert.equal(priority.holdBack(), 0);
    assert.ok(priority.holdBack() > 0);
    await end();
    assert.equal(priority.holdBack(), 0);
  });

  it("a submission that fails is over too", async () => {
    const priority = intakePriority(virtualClock());
    const failing = Array.from({ length: 20 }, () => priority.during(() => Promise.reject(new Error("no"))));
    await Promise.allSettled(failing);
    assert.deepEqual([priority.holdBack(), priority.holdBack()], [0, 0]);
  });
});
