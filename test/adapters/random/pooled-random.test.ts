/** Random octets are as many as were asked for, and never the same twice. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pooledRandom } from "../../../src/adapters/random/pooled-random.ts";

describe("random octets from a pool", () => {
  it("are as many as were asked for, also more than the pool has", () => {
    const random = pooledRandom();
    for (const size of [0, 1, 16, 2_048, 2_049, 8_192, 20_000]) assert.equal(random(size).byteLength, size);
  });

  it("never come twice, over the ends of many pools", () => {
    const random = pooledRandom();
    const seen = new Set(Array.from({ length: 5_000 }, () => random(16).toString("hex")));
    assert.equal(seen.size, 5_000);
  });

  it("do not change when more are asked for", () => {
    const random = pooledRandom();
    const first = random(16);
    const before = first.toString("hex");
    for (let times = 0; times < 2_000; times += 1) random(16);
    assert.equal(first.toString("hex"), before);
    assert.notEqual(before, "00".repeat(16));
  });
});
