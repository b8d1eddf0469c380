/** Due work is done, fairly and within bounds; what was done is not done again; what fails is tried again. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SECOND_MS, type Clock, type Instant } from "../../../src/domain/clock.ts";
import { NOON } from "../../support/samples.ts";
import { virtualClock } from "../../support/virtual-clock.ts";
import { bench, item, settle } from "./scheduling.ts";

describe("due work", () => {
  it("starts when the scheduler does, and not before", () => {
    const { show, start, ids } = bench();
    show([item(1), item(2)]);
    assert.deepEqual(ids(), []);
    start();
    assert.deepEqual(ids(), [[1], [2]]);
  });

  it("starts when the views show it", () => {
    const { show, start, ids } = bench();
    start();
    show([item(1)]);
    assert.deepEqual(ids(), [[1]]);
  });

  it("starts when its time comes", async () => {
    const { show, start, ids, clock } = bench();
    start();
    show([item(1, "a.example", { dueAt: NOON + 60_000 }), item(2, "a.example", { dueAt: NOON + 120_000 })]);
    clock.advance(59_999);
    assert.deepEqual(ids(), []);
    clock.advance(1);
    assert.deepEqual(ids(), [[1]]);
    clock.advance(60_000);
    assert.deepEqual(ids(), [[1], [2]]);
  });

  it("starts on time also while other work runs and the views stand still", () => {
    const { show, hide, start, ids, clock } = bench();
    const [long, later] = [item(1), item(2, "b.example", { dueAt: NOON + 60_000 })];
    show([long]);
    hide([long, later]);
    start();
    clock.advance(60_000);
    assert.deepEqual(ids(), [[1], [2]]);
  });

  it("that falls due between two looks at the clock is not overlooked", async () => {
    const inner = virtualClock(NOON);
    let drift = 0;
    // Every look at the clock finds a millisecond gone.
    const clock: Clock & { advance: (ms: number) => void } = {
      ...inner,
      now: (): Instant => NOON + drift++,
      timer: (at, run) => inner.timer(at <= NOON + drift ? NOON : at, run),
    };
    const { show, start, ids } = bench({}, clock);
    show(Array.from({ length: 6 }, (_, index) => item(index, "a.example", { dueAt: NOON + index })));
    start();
    for (let turns = 0; turns < 50 && ids().length < 6; turns += 1) await settle();
    assert.equal(ids().length, 6);
  });

  it("is not taken again before the views have seen what became of it", async () => {
    const { show, start, ids, jobs } = bench();
    show([item(1)], 5);
    start();
    jobs[0]?.end(9);
    await settle();
    show([item(1)], 8);
    assert.deepEqual(ids(), [[1]]);
    show([item(1)], 9);
    assert.deepEqual(ids(), [[1], [1]]);
  });

  it("is left alone for a while when its work changed nothing, though the views go on to show it as due", async () => {
    const clock = virtualClock(NOON);
    const { show, start, ids, jobs } = bench({}, clock);
    show([item(1)], 5);
    start();
    for (let step = 0; step < 3; step += 1) {
      jobs.at(-1)?.end(5);
      await settle();
      show([item(1)], 6 + step);
    }
    assert.deepEqual(ids(), [[1]]);
    clock.advance(SECOND_MS);
    assert.deepEqual(ids(), [[1], [1]]);
  });

  it("is not taken twice while it runs", async () => {
    const { show, start, ids } = bench();
    start();
    for (let step = 1; step < 5; step += 1) show([item(1)], step);
    assert.deepEqual(ids(), [[1]]);
  });
});

describe("the limits", () => {
  it("bound what runs in all", async () => {
    const { show, start, jobs, running } = bench({ total: 3 });
    show([1, 2, 3, 4, 5].map((id) => item(id, `${id}.example`)));
    start();
    assert.equal(running.running(), 3);
    jobs[0]?.end(9);
    await settle();
    assert.equal(running.running(), 3);
    assert.equal(jobs.length, 4);
  });

  it("bound what runs in one lane, and leave the rest of the room to others", () => {
    const { show, start, ids } = bench({ total: 10, perLane: 2 });
    show([...[1, 2, 3, 4].map((id) => item(id, "a.example")), item(5, "b.example")]);
    start();
    assert.deepEqual(new Set(ids().flat()), new Set([1, 2, 5]));
  });

  it("of a lane count work only until it leaves the lane, those in all until it ends", async () => {
    const { show, start, jobs, ids } = bench({ total: 3, perLane: 1 });
    show([1, 2, 3, 4].map((id) => item(id)));
    start();
    assert.deepEqual(ids(), [[1]]);
    jobs[0]?.leaveLane();
    jobs[0]?.leaveLane();
    assert.deepEqual(ids(), [[1], [2]]);
    jobs[1]?.leaveLane();
    jobs[2]?.leaveLane();
    assert.deepEqual(ids(), [[1], [2], [3]]);
    jobs[0]?.end(9);
    await settle();
    assert.deepEqual(ids(), [[1], [2], [3], [4]]);
  });

  it("of a lane do not begin new work in a scheduler that was stopped", () => {
    const { show, start, jobs } = bench({ perLane: 1 });
    show([item(1), item(2)]);
    const running = start();
    void running.stop();
    jobs[0]?.leaveLane();
    assert.equal(jobs.length, 1);
  });

  it("let lanes take turns, however long the queue of one is", async () => {
    const { show, start, jobs, ids } = bench({ total: 1, window: 100 });
    const all = [...Array.from({ length: 90 }, (_, index) => item(index, "big.example")), item(90, "b.example"), item(91, "c.example")];
    show(all, 1);
    start();
    for (let round = 0; round < 6; round += 1) {
      jobs.at(-1)?.end(100);
      await settle();
    }
    const lanes = jobs.map(({ items }) => items[0]?.lane);
    assert.ok(lanes.slice(0, 3).includes("b.example") && lanes.slice(0, 3).includes("c.example"), lanes.join());
    assert.equal(ids().length, 7);
  });

  it("keep a lane with a long queue from filling the window", () => {
    const { show, start, ids } = bench({ total: 100, perLane: 1, window: 8 });
    show([...Array.from({ length: 50 }, (_, index) => item(index, "big.example")), item(50, "b.example"), item(51, "c.example")]);
    start();
    assert.deepEqual(new Set(ids().flat()), new Set([0, 50, 51]));
  });

  it("leave nothing undone, whatever is due", async () => {
    const { show, start, jobs, running } = bench({ total: 7, perLane: 2, window: 16, batch: 3 });
    const due = new Map(
      Array.from(
        { length: 300 },
        (_, index) => [index, item(index, `${index % 5}.example`, { batch: index % 4 === 0 ? "" : `${Math.floor(index / 20)}` })] as const,
      ),
    );
    show([...due.values()], 1);
    start();
    const done = new Map<number, number>();
    for (let position = 2, at = 0; at < jobs.length; position += 1) {
      assert.ok(running.running() <= 7);
      const job = jobs[at++];
      for (const { id } of job?.items ?? []) {
        due.delete(id);
        done.set(id, (done.get(id) ?? 0) + 1);
      }
      job?.end(position);
      await settle();
      show([...due.values()], position);
    }
    assert.equal(done.size, 300);
    assert.ok([...done.values()].every((times) => times === 1));
  });
});

describe("a batch", () => {
  it("is handed over as one piece of work, of one lane and up to its limit", () => {
    const { show, start, ids } = bench({ batch: 3, total: 10 });
    const of = (batch: string, lane: string) => (id: number) => item(id, lane, { batch });
    show([...[1, 2, 3, 4].map(of("x", "a.example")), ...[5, 6].map(of("y", "a.example")), ...[7, 8].map(of("x", "b.example"))]);
    start();
    assert.deepEqual(new Set(ids().map((taken) => taken.join())), new Set(["1,2,3", "4", "5,6", "7,8"]));
  });

  it("without a name is no batch", () => {
    const { show, start, ids } = bench({ batch: 3 });
    show([item(1), item(2)]);
    start();
    assert.deepEqual(ids(), [[1], [2]]);
  });
});

describe("work that throws", () => {
  it("is told, and tried again after a pause, but nothing is hammered", async () => {
    const { show, start, jobs, ids, errors, clock } = bench({ total: 1 });
    show([item(1), item(2, "b.example")], 1);
    start();
    jobs[0]?.fail(new Error("disk full"));
    await settle();
    assert.match(String(errors[0]), /disk full/);
    show([item(1), item(2, "b.example")], 2);
    assert.deepEqual(ids(), [[1]]);
    clock.advance(SECOND_MS);
    await settle();
    assert.equal(ids().length, 2);
    jobs[1]?.end(2);
    await settle();
    assert.deepEqual(new Set(ids().flat()), new Set([1, 2]));
  });

  it("does not stop for good, however often it does", async () => {
    const { show, start, jobs, clock, errors } = bench();
    show([item(1)], 1);
    start();
    for (let times = 0; times < 5; times += 1) {
      jobs.at(-1)?.fail(new Error("disk full"));
      await settle();
      clock.advance(SECOND_MS);
      await settle();
    }
    assert.equal(jobs.length, 6);
    assert.equal(errors.length, 5);
  });
});

describe("a scheduler that stops", () => {
  it("takes nothing new and waits for what runs", async () => {
    const { show, start, jobs, clock } = bench({ total: 1 });
    show([item(1), item(2), item(3, "b.example", { dueAt: NOON + 1 })], 1);
    const running = start();
    let stopped = false;
    const stopping = running.stop().then(() => (stopped = true));
    await settle();
    assert.equal(stopped, false);
    clock.advance(1);
    show([item(2)], 2);
    jobs[0]?.end(3);
    await stopping;
    await settle();
    assert.equal(jobs.length, 1);
    assert.equal(running.running(), 0);
  });

  it("stops also when what runs fails", async () => {
    const { show, start, jobs } = bench();
    show([item(1)], 1);
    const stopping = start().stop();
    jobs[0]?.fail(new Error("disk full"));
    await stopping;
  });

  it("looks at nothing any more", async () => {
    const { show, start, looks, clock } = bench();
    show([item(1, "a.example", { dueAt: NOON + 60_000 })]);
    await start().stop();
    const before = looks();
    show([], 7);
    clock.advance(3_600_000);
    assert.equal(looks(), before);
  });
});

describe("offered work", () => {
  it("starts at once, and once", () => {
    const { show, start, ids, running } = bench();
    start();
    running.offer([item(1), item(2)], 5);
    assert.deepEqual(ids(), [[1], [2]]);
    show([item(1), item(2)], 5, { deliver: NOON });
    assert.deepEqual(ids(), [[1], [2]]);
  });

  it("may start again when the views have seen what it came to", async () => {
    const { show, start, ids, jobs, running, clock } = bench();
    start();
    running.offer([item(1)], 5);
    jobs[0]?.end(7);
    await settle();
    show([item(1, "a.example", { dueAt: NOON + SECOND_MS })], 7, { deliver: NOON + SECOND_MS });
    assert.deepEqual(ids(), [[1]]);
    clock.advance(SECOND_MS);
    assert.deepEqual(ids(), [[1], [1]]);
  });

  it("does not hide for long what else a step of the views brought", () => {
    const { show, start, ids, running, clock, looks } = bench();
    start();
    const before = looks();
    running.offer([item(1)], 5);
    show([item(1), item(2)], 5, { deliver: NOON });
    assert.equal(looks(), before);
    clock.advance(100);
    assert.deepEqual(ids(), [[1], [2]]);
  });

  it("is left to the views before the start, and when there is no room", () => {
    const { show, start, ids, running } = bench({ total: 1, window: 2 });
    running.offer([item(1)], 5);
    assert.deepEqual(ids(), []);
    start();
    running.offer([item(1), item(2), item(3)], 5);
    running.offer([item(4)], 6);
    assert.deepEqual(ids(), [[1]]);
    show([item(1), item(2), item(3), item(4)], 6, { deliver: NOON });
    assert.deepEqual(ids(), [[1]]);
  });
});
