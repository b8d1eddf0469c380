import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { cachedResolver } from "../../../src/adapters/dns/cached-resolver.ts";
import type { Lookup, PolicyResolver } from "../../../src/adapters/dns/resolver.ts";
import { virtualClock } from "../../support/virtual-clock.ts";

/** Answers every name with `answer()`, and counts. */
const counting = (answer: () => Lookup<string>): PolicyResolver & { readonly asked: string[] } => {
  const asked: string[] = [];
  return {
    asked,
    mx: () => Promise.resolve({ status: "noData" }),
    txt: () => Promise.resolve({ status: "noData" }),
    tlsa: () => Promise.resolve({ status: "noData" }),
    addresses: (host) => {
      asked.push(host);
      return Promise.resolve(answer());
    },
  };
};

describe("the cached resolver", () => {
  it("asks again when the time to live is over", async () => {
    const clock = virtualClock();
    const behind = counting(() => ({ status: "found", records: ["192.0.2.1"], ttlMs: 60_000 }));
    const cached = cachedResolver(behind, clock);
    await cached.addresses("a.example");
    clock.advance(59_999);
    assert.deepEqual(await cached.addresses("a.example"), { status: "found", records: ["192.0.2.1"], ttlMs: 60_000 });
    assert.equal(behind.asked.length, 1);
    clock.advance(1);
    await cached.addresses("a.example");
    assert.equal(behind.asked.length, 2);
  });

  it("keeps nothing for ever, and nothing for no time at all", async () => {
    for (const [ttlMs, keptMs] of [
      [Infinity, 3_600_000],
      [0, 1_000],
    ] as const) {
      const clock = virtualClock();
      const behind = counting(() => ({ status: "found", records: ["192.0.2.1"], ttlMs }));
      const cached = cachedResolver(behind, clock);
      await cached.addresses("a.example");
      clock.advance(keptMs - 1);
      await cached.addresses("a.example");
      assert.equal(behind.asked.length, 1);
      clock.advance(1);
      await cached.addresses("a.example");
      assert.equal(behind.asked.length, 2);
    }
  });

  it("remembers for a minute that there is nothing", async () => {
    const clock = virtualClock();
    const behind = counting(() => ({ status: "noDomain" }));
    const cached = cachedResolver(behind, clock);
    await cached.addresses("a.example");
    clock.advance(59_999);
    await cached.addresses("a.example");
    assert.equal(behind.asked.length, 1);
    clock.advance(1);
    await cached.addresses("a.example");
    assert.equal(behind.asked.length, 2);
  });

  it("asks once for many who wait, and does not remember a failure", async () => {
    const behind = counting(() => ({ status: "failed", reason: "no server" }));
    const cached = cachedResolver(behind, virtualClock());
    await Promise.all([cached.addresses("a.example"), cached.addresses("a.example"), cached.addresses("a.example")]);
    assert.equal(behind.asked.length, 1);
    await cached.addresses("a.example");
    assert.equal(behind.asked.length, 2);
  });

  it("is bounded: the oldest goes first", async () => {
    const behind = counting(() => ({ status: "found", records: ["192.0.2.1"], ttlMs: 60_000 }));
    const cached = cachedResolver(behind, virtualClock(), 2);
    for (const host of ["a.example", "b.example", "c.example", "c.example", "b.example", "a.example"]) await cached.addresses(host);
    assert.deepEqual(behind.asked, ["a.example", "b.example", "c.example", "a.example"]);
  });
});
