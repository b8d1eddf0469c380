/** Ids sort by time, never repeat, and fit a JSON number. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { SECOND_MS } from "../../src/domain/clock.ts";
import { ID_EPOCH_AT, idMadeAt, idSource, MAX_NODES } from "../../src/domain/ids.ts";
import { NOON } from "../support/samples.ts";

const LAST_YEAR_AT = Date.UTC(2095, 0, 1);

describe("an id", () => {
  it("is larger than the one before, however many are made in a millisecond", () => {
    const next = idSource(0, () => NOON);
    let before = 0;
    for (let count = 0; count < 10_000; count += 1) {
      const id = next();
      assert.ok(id > before);
      before = id;
    }
  });

  it("says when it was made", () => {
    assert.equal(idMadeAt(idSource(31, () => NOON)()), NOON);
    assert.equal(idMadeAt(idSource(0, () => ID_EPOCH_AT + 1)()), ID_EPOCH_AT + 1);
  });

  it("is positive and stays below 2^53 until 2095, also in a burst", () => {
    assert.ok(idSource(0, () => ID_EPOCH_AT)() > 0);
    const next = idSource(MAX_NODES - 1, () => LAST_YEAR_AT);
    for (let count = 0; count < 1_000; count += 1) assert.ok(Number.isSafeInteger(next()));
  });

  it("is never made by two nodes", () => {
    const nodes = Array.from({ length: MAX_NODES }, (_, node) => idSource(node, () => NOON));
    const ids = nodes.flatMap((next) => Array.from({ length: 1_000 }, next));
    assert.equal(new Set(ids).size, ids.length);
  });

  it("sorts by time over all nodes", () => {
    let now = NOON;
    const nodes = [31, 0, 17].map((node) => idSource(node, () => now));
    const ids = Array.from({ length: 100 }, () => {
      now += 1;
      return nodes.map((next) => next());
    });
    for (const [index, later] of ids.entries()) for (const id of later) for (const earlier of ids[index - 1] ?? []) assert.ok(id > earlier);
  });

  it("keeps growing over a clock that steps about", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5_000, max: 5_000 }), { maxLength: 300 }), fc.nat(MAX_NODES - 1), (steps, node) => {
        let now = NOON;
        const next = idSource(node, () => now);
        let before = next();
        for (const step of steps) {
          now += step;
          const id = next();
          assert.ok(id > before && Number.isSafeInteger(id));
          before = id;
        }
      }),
    );
  });

  it("does not repeat after a restart, even when the clock is behind what was given out", () => {
    fc.assert(
      fc.property(fc.nat(500), fc.integer({ min: -10 * SECOND_MS, max: 10 * SECOND_MS }), (made, drift) => {
        const first = idSource(3, () => NOON);
        const last = Array.from({ length: made + 1 }, first).at(-1) ?? 0;
        assert.ok(idSource(3, () => NOON + drift, last)() > last);
      }),
    );
  });

  it("is not made by a node that does not exist", () => {
    for (const node of [-1, MAX_NODES, 0.5, Number.NaN]) assert.throws(() => idSource(node, () => NOON), RangeError);
  });
});
