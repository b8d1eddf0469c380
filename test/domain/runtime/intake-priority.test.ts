/** Acknowledging comes before delivering, and never stops it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HOUR_MS, SECOND_MS } from "../../../src/domain/clock.ts";
import { intakePriority } from "../../../src/domain/runtime/intake-priority.ts";
import { NOON } from "../../support/samples.ts";
import { virtualClock } from "../../support/virtual-clock.ts";

const busyWith = async (submissions: number) => {
  const clock = virtualClock(NOON);
  const priority = intakePriority(clock);
  const ending = Promise.withResolvers<undefined>();
  const running = Array.from({ length: submissions }, () => priority.during(() => ending.promise));
  const end = async (): Promise<void> => {
    ending.resolve(undefined);
    await Promise.all(running);
  };
  return { clock, priority, end };
};

/** The wait that a delivery to so many recipients leaves behind. */
const waitAfter = ({ started, holdBack }: ReturnType<typeof intakePriority>, recipients: number): number => {
  started(recipients);
  return holdBack();
};

describe("while few submissions are in progress", () => {
  it("deliveries start at once", async () => {
    const { priority, end } = await busyWith(3);
    assert.deepEqual([waitAfter(priority, 1), waitAfter(priority, 100)], [0, 0]);
    await end();
  });
});

describe("while many submissions are in progress", () => {
  it("deliveries start one after another, with a distance", async () => {
    const { clock, priority, end } = await busyWith(4);
    assert.equal(priority.holdBack(), 0);
    const waitMs = waitAfter(priority, 1);
    assert.ok(waitMs > 0);
    clock.advance(waitMs);
    assert.equal(priority.holdBack(), 0);
    await end();
  });

  it("that is so from one commit to the next, and over soon after the last", async () => {
    const { clock, priority, end } = await busyWith(4);
    await end();
    assert.ok(waitAfter(priority, 100) > 0);
    clock.advance(49);
    assert.ok(priority.holdBack() > 0);
    clock.advance(1);
    assert.deepEqual([waitAfter(priority, 100), waitAfter(priority, 100)], [0, 0]);
  });

  it("the distance grows with the recipients, for each of them is work", async () => {
    const { priority, end } = await busyWith(4);
    const one = waitAfter(priority, 1);
    assert.equal(waitAfter(priority, 100), 100 * one);
    await end();
  });

  it("deliveries get a larger share when that lasts", async () => {
    const { clock, priority, end } = await busyWith(4);
    const inBurst = waitAfter(priority, 1);
    clock.advance(3 * SECOND_MS);
    const lasting = waitAfter(priority, 1);
    assert.ok(lasting > 0 && lasting < inBurst);
    assert.equal(waitAfter(priority, 100), lasting);
    await end();
  });

  it("a clock that was set back holds nothing up", async () => {
    let now = NOON;
    const priority = intakePriority({ now: () => now });
    const ending = Promise.withResolvers<undefined>();
    const running = Array.from({ length: 4 }, () => priority.during(() => ending.promise));
    priority.started(1);
    now -= HOUR_MS;
    assert.equal(priority.holdBack(), 0);
    ending.resolve(undefined);
    await Promise.all(running);
  });

  it("a submission that fails is over too", async () => {
    const clock = virtualClock(NOON);
    const priority = intakePriority(clock);
    const failing = Array.from({ length: 20 }, () => priority.during(() => Promise.reject(new Error("no"))));
    await Promise.allSettled(failing);
    clock.advance(50);
    assert.deepEqual([waitAfter(priority, 1), waitAfter(priority, 1)], [0, 0]);
  });
});

describe("while submissions come in one after another", () => {
  const oneByOne = async (count: number, apartMs: number) => {
    const clock = virtualClock(NOON);
    const priority = intakePriority(clock);
    for (let index = 0; index < count; index += 1) {
      await priority.during(() => Promise.resolve());
      clock.advance(apartMs);
    }
    return priority;
  };

  it("deliveries start at once as long as they do so at leisure", async () => {
    assert.equal(waitAfter(await oneByOne(1_000, 4), 1), 0);
  });

  it("deliveries are held back when they do so as fast as they can", async () => {
    assert.ok(waitAfter(await oneByOne(1_000, 2), 1) > 0);
  });
});
