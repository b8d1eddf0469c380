/** Steps of the views that say what they brought spare looks at them, and nothing is missed for it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { MINUTE_MS, SECOND_MS } from "../../../src/domain/clock.ts";
import { NOON } from "../../support/samples.ts";
import { bench, item, settle } from "./scheduling.ts";

describe("a step of the views", () => {
  it("that brought nothing of the kind is not followed by a look", () => {
    const { show, start, looks } = bench();
    start();
    const before = looks();
    show([], 1, {});
    show([], 2, { call: NOON });
    assert.equal(looks(), before);
  });

  it("that brought something due is", () => {
    const { show, start, ids } = bench();
    start();
    show([item(1)], 1, { deliver: NOON });
    assert.deepEqual(ids(), [[1]]);
  });

  it("that brought something for later is followed by a look in time, also when another alarm is set already", () => {
    const { show, start, ids, clock, looks } = bench();
    start();
    const late = item(1, "a.example", { dueAt: NOON + 10 * MINUTE_MS });
    const soon = item(2, "a.example", { dueAt: NOON + MINUTE_MS });
    show([late], 1, { deliver: late.dueAt });
    show([soon, late], 2, { deliver: soon.dueAt });
    const before = looks();
    clock.advance(MINUTE_MS - 1);
    assert.equal(looks(), before);
    clock.advance(1);
    assert.deepEqual(ids(), [[2]]);
    clock.advance(9 * MINUTE_MS);
    assert.deepEqual(ids(), [[2], [1]]);
  });

  it("that comes while the scheduler rests after trouble is not forgotten", async () => {
    const { show, start, ids, jobs, clock } = bench();
    start();
    show([item(1)], 1, { deliver: NOON });
    jobs[0]?.fail(new Error("disk full"));
    await settle();
    show([item(1), item(2)], 2, { deliver: NOON });
    assert.deepEqual(ids(), [[1]]);
    clock.advance(SECOND_MS);
    await settle();
    assert.deepEqual(new Set(ids().flat()), new Set([1, 2]));
  });

  it("that comes before the start is looked at then", () => {
    const { show, start, ids } = bench();
    show([item(1)], 1, { deliver: NOON });
    show([item(1)], 2, {});
    start();
    assert.deepEqual(ids(), [[1]]);
  });
});

describe("whatever comes, whenever", () => {
  it("is started once, never early, within the limits, and in the end", async () => {
    const arrival = fc.record({ lane: fc.nat(3), afterMs: fc.constantFrom(0, 0, 1_000, 60_000), batch: fc.constantFrom("", "x", "y") });
    const move = fc.oneof(
      { weight: 3, arbitrary: fc.array(arrival, { minLength: 1, maxLength: 12 }) },
      { weight: 3, arbitrary: fc.constant("end" as const) },
      { weight: 1, arbitrary: fc.constant("fail" as const) },
      { weight: 2, arbitrary: fc.constantFrom(1, 1_000, 60_000) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(move, { maxLength: 40 }),
        fc.record({ total: fc.integer({ min: 1, max: 6 }), perLane: fc.integer({ min: 1, max: 3 }) }),
        async (moves, limits) => {
          const one = bench({ ...limits, window: 8, batch: 3 });
          const due = new Map<number, ReturnType<typeof item>>();
          const done = new Map<number, number>();
          let [position, ended, id] = [0, 0, 0];
          const show = (soonest = {}): void =>
            one.show(
              [...due.values()].sort((a, b) => a.dueAt - b.dueAt),
              (position += 1),
              soonest,
            );
          const end = async (): Promise<void> => {
            const job = one.jobs[ended];
            if (job === undefined) return;
            ended += 1;
            for (const each of job.items) {
              assert.ok(each.dueAt <= one.clock.now());
              due.delete(each.id);
              done.set(each.id, (done.get(each.id) ?? 0) + 1);
            }
            job.end(position + 1);
            await settle();
            show();
          };
          one.start();
          for (const each of moves) {
            if (each === "end") await end();
            else if (each === "fail") {
              one.jobs[ended]?.fail(new Error("disk full"));
              ended = Math.min(ended + 1, one.jobs.length);
              await settle();
            } else if (typeof each === "number") {
              one.clock.advance(each);
              await settle();
            } else {
              for (const { lane, afterMs, batch } of each) {
                id += 1;
                due.set(id, item(id, `${lane}.example`, { dueAt: one.clock.now() + afterMs, batch }));
              }
              show({ deliver: one.clock.now() + Math.min(...each.map(({ afterMs }) => afterMs)) });
            }
            assert.ok(one.running.running() <= limits.total);
          }
          for (let rounds = 0; rounds < 500 && due.size > 0; rounds += 1) {
            if (ended === one.jobs.length) one.clock.advance(MINUTE_MS);
            await settle();
            await end();
          }
          assert.equal(due.size, 0, "something was never started");
          assert.ok(
            [...done.values()].every((times) => times === 1),
            "something was done twice",
          );
          assert.equal(done.size, id);
        },
      ),
      { numRuns: 150 },
    );
  });
});
