import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readCommandLine } from "../../bench/command-line.ts";
import { cleanup } from "../../bench/cleanup.ts";
import { atLeast, atMost, formatNumber, timesPeer } from "../../bench/figures.ts";
import { lastNumber } from "../../bench/processes/counting.ts";
import { inTurns } from "../../bench/scenario.ts";
import { median, percentile } from "../../bench/statistics.ts";
import { table } from "../../bench/table.ts";

describe("a target of the benchmark", () => {
  it("is met at its bound, and not beyond it", () => {
    assert.equal(atLeast(30_000, 30_000, "/s").isMet, true);
    assert.equal(atLeast(29_999, 30_000, "/s").isMet, false);
    assert.equal(atMost(8, 8, "ms").isMet, true);
    assert.equal(atMost(8.1, 8, "ms").isMet, false);
  });

  it("that is a ratio to a peer tells the ratio, and is not judged when the peer was not measured", () => {
    const target = timesPeer(2_724, 3, 908);
    assert.deepEqual([target.ratio, target.isMet], [3, true]);
    assert.equal(timesPeer(2_723, 3, 908).isMet, false);
    const alone = timesPeer(2_724, 3, undefined);
    assert.deepEqual([alone.ratio, alone.isMet], [undefined, undefined]);
  });

  it("is missed by what could not be measured", () => {
    assert.equal(atMost(Number.NaN, 150, "MB").isMet, false);
    assert.equal(formatNumber(Number.NaN), "?");
  });
});

describe("statistics of the benchmark", () => {
  it("take the middle of unsorted values", () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 3, 2]), 2.5);
    assert.ok(Number.isNaN(median([])));
  });

  it("take percentiles by the nearest rank", () => {
    const values = Array.from({ length: 200 }, (_, index) => 200 - index);
    assert.equal(percentile(values, 0.99), 198);
    assert.equal(percentile(values, 0.5), 100);
    assert.equal(percentile([7], 0.99), 7);
  });

  it("read the newest counter from what a sink has said", () => {
    assert.equal(lastNumber("sess=1 quit=0 mesg=9\rsess=1 quit=0 mesg=10\rsess=1 quit=0 mesg=1", /mesg=(\d+)\s*\r/g), 10);
    assert.equal(lastNumber("sess=1", /mesg=(\d+)\s*\r/g), undefined);
  });
});

describe("the benchmark", () => {
  it("measures both sides in turns", async () => {
    const order: string[] = [];
    const side = (name: string) => async () => order.push(name);
    const { own, peer } = await inTurns(2, side("own"), side("peer"));
    assert.deepEqual(order, ["own", "peer", "own", "peer"]);
    assert.deepEqual(
      [own, peer],
      [
        [1, 3],
        [2, 4],
      ],
    );
    assert.deepEqual((await inTurns(2, side("own"), undefined)).peer, []);
  });

  it("says which figures could not be compared", () => {
    const text = table([
      { name: "one", value: 1_234.5, unit: "/s", target: timesPeer(1_234.5, 3, undefined) },
      { name: "two", value: 9, unit: "ms", target: atMost(9, 8, "ms") },
    ]);
    assert.match(text, /one +1,235 \/s +≥ 3 × Postfix +not compared/);
    assert.match(text, /two +9\.00 ms +≤ 8 ms +1\.13× +FAIL/);
  });

  it("refuses scenarios and peers that it does not know", () => {
    assert.throws(() => readCommandLine(["--only", "hold,nothing"], ["hold"]), /no scenario "nothing": there are hold/);
    assert.throws(() => readCommandLine(["--peer", "exim"], []), /no peer "exim"/);
    const asked = readCommandLine(["--peer", "postfix", "--only", "hold", "--quick"], ["hold"]);
    assert.deepEqual([asked.postfix, asked.only, asked.quick, asked.jsonFile], [true, ["hold"], true, undefined]);
  });
});

describe("cleaning up after the benchmark", () => {
  it("ends the newest first, everything once, and goes on when something fails", async () => {
    const ended: string[] = [];
    const failures: unknown[] = [];
    const everything = cleanup((error) => failures.push(error));
    const early = everything.add(() => void ended.push("early"));
    everything.add(() => void ended.push("older"));
    everything.add(() => {
      throw new Error("stuck");
    });
    everything.add(() => void ended.push("newer"));
    await early();
    await everything.run();
    assert.deepEqual(ended, ["early", "newer", "older"]);
    assert.equal(failures.length, 1);
  });

  it("lets nothing new begin", async () => {
    const everything = cleanup(() => undefined);
    await everything.run();
    assert.throws(() => everything.add(() => undefined), /ending/);
  });
});
