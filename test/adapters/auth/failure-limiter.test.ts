import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { networksOf } from "../../../src/adapters/auth/networks.ts";
import type { FailureLimiter } from "../../../src/adapters/auth/failure-limiter.ts";
import { failureLimiter } from "../../../src/adapters/auth/failure-limiter.ts";
import { DAY_MS, MINUTE_MS } from "../../../src/domain/clock.ts";
import { virtualClock } from "../../support/virtual-clock.ts";

const fail = (limiter: FailureLimiter, times: number, address: string, login = "x@example.org"): void => {
  for (let i = 0; i < times; i++) limiter.failed(address, login);
};

const subject = () => {
  const clock = virtualClock();
  return { clock, limiter: failureLimiter(clock) };
};

describe("networks of an address", () => {
  it("are nested", () => {
    assert.deepEqual(networksOf("192.0.2.200"), ["192.0.2.200/32", "192.0.2.192/26", "192.0.0.0/21"]);
    assert.deepEqual(
      networksOf("2001:db8:1:2:3::4").map((network) => network.split("/")[1]),
      ["64", "48", "32"],
    );
    assert.deepEqual(networksOf("2001:db8:1:2:3::4"), networksOf("2001:db8:1:2:ffff::"));
    assert.notEqual(networksOf("2001:db8:1:2::")[0], networksOf("2001:db8:1:3::")[0]);
    assert.equal(networksOf("2001:db8:1:2::")[1], networksOf("2001:db8:1:3::")[1]);
  });
});

describe("an address with failures", () => {
  it("is refused after ten in a minute, for every login", () => {
    const { clock, limiter } = subject();
    fail(limiter, 9, "192.0.2.1");
    assert.ok(limiter.allows("192.0.2.1", "x@example.org"));
    fail(limiter, 1, "192.0.2.1");
    assert.ok(!limiter.allows("192.0.2.1", "x@example.org"));
    assert.ok(!limiter.allows("192.0.2.1", "other@example.org"));
    assert.ok(limiter.allows("192.0.2.2", "x@example.org"));
    clock.advance(MINUTE_MS);
    assert.ok(limiter.allows("192.0.2.1", "x@example.org"));
  });

  it("is refused for the day after fifty", () => {
    const { clock, limiter } = subject();
    for (let i = 0; i < 5; i++) {
      fail(limiter, 10, "192.0.2.1");
      clock.advance(MINUTE_MS);
    }
    assert.ok(!limiter.allows("192.0.2.1", "x@example.org"));
    clock.advance(DAY_MS);
    assert.ok(limiter.allows("192.0.2.1", "x@example.org"));
  });

  it("makes its network refused when there are many of its kind", () => {
    const { limiter } = subject();
    for (let host = 1; host <= 4; host++) fail(limiter, 9, `192.0.2.${host}`);
    assert.ok(!limiter.allows("192.0.2.5", "x@example.org"));
    assert.ok(limiter.allows("192.0.2.100", "x@example.org"));
  });

  it("does not lock out a login that worked from there", () => {
    const { clock, limiter } = subject();
    limiter.succeeded("192.0.2.1", "good@example.org");
    fail(limiter, 20, "192.0.2.1");
    assert.ok(limiter.allows("192.0.2.1", "good@example.org"));
    fail(limiter, 10, "192.0.2.1", "GOOD@example.org");
    assert.ok(!limiter.allows("192.0.2.1", "good@example.org"));
    clock.advance(DAY_MS);
    fail(limiter, 10, "192.0.2.1");
    assert.ok(!limiter.allows("192.0.2.1", "good@example.org"));
  });

  it("is forgiven the failures of a login that succeeds, and no others", () => {
    const { limiter } = subject();
    fail(limiter, 5, "192.0.2.1", "mine@example.org");
    limiter.succeeded("192.0.2.1", "mine@example.org");
    fail(limiter, 9, "192.0.2.1");
    assert.ok(limiter.allows("192.0.2.1", "x@example.org"));
    limiter.succeeded("192.0.2.1", "mine@example.org");
    fail(limiter, 1, "192.0.2.1");
    assert.ok(!limiter.allows("192.0.2.1", "x@example.org"));
  });
});

describe("the limiter", () => {
  it("counts on when the clock is set back", () => {
    let now = Date.UTC(2026, 0, 1);
    const limiter = failureLimiter({ now: () => now });
    fail(limiter, 10, "192.0.2.1");
    now -= DAY_MS;
    assert.ok(limiter.allows("192.0.2.1", "x@example.org"));
    fail(limiter, 10, "192.0.2.1");
    assert.ok(!limiter.allows("192.0.2.1", "x@example.org"));
  });

  it("stays bounded when a whole IPv6 network guesses", () => {
    const { limiter } = subject();
    for (let i = 0; i < 60_000; i++) limiter.failed(`2001:db8:${(i >> 8).toString(16)}:${(i & 255).toString(16)}::1`, "x");
    assert.ok(!limiter.allows("2001:db8:ffff:1::1", "x"));
  });
});
