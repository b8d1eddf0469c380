import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";

import { systemClock } from "../../../src/adapters/clock/system-clock.ts";

const DAY_MS = 86_400_000;

describe("the system clock", () => {
  it("waits for instants further away than a timer can hold", (context) => {
    context.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 0 });
    const run = mock.fn();
    systemClock().timer(60 * DAY_MS, run);
    context.mock.timers.tick(30 * DAY_MS);
    context.mock.timers.tick(30 * DAY_MS - 1);
    assert.equal(run.mock.callCount(), 0);
    context.mock.timers.tick(1);
    assert.equal(run.mock.callCount(), 1);
  });

  it("can be told not to wait any more, also after the first stretch", (context) => {
    context.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 0 });
    const run = mock.fn();
    const cancel = systemClock().timer(60 * DAY_MS, run);
    context.mock.timers.tick(30 * DAY_MS);
    cancel();
    context.mock.timers.tick(60 * DAY_MS);
    assert.equal(run.mock.callCount(), 0);
  });

  it("runs what is past at once, but not before it has answered", async () => {
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      systemClock().timer(0, () => {
        order.push("run");
        resolve();
      });
      order.push("answered");
    });
    assert.deepEqual(order, ["answered", "run"]);
  });
});
