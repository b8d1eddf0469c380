/** A destination that is overwhelmed is written to more slowly, and faster again when it is not. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { MINUTE_MS, SECOND_MS } from "../../../src/domain/clock.ts";
import { destinationPace, signOf, type DestinationPace, type Sign } from "../../../src/domain/runtime/destination-pace.ts";
import { NOON, smtpResult } from "../../support/samples.ts";

const LANE = "there.example";

/** A lane whose transactions a test starts and ends, with time that it moves. */
const lane = (
  limits: { atOnce?: number; perMinute?: number | null } = {},
  pace: DestinationPace = destinationPace({ atOnce: 20, perMinute: null, ...limits }),
) => {
  let now = NOON;
  const running: number[] = [];
  const waitMs = (): number => pace.waitMs(LANE, now);
  /** Starts as many as may start now; answers how many run. */
  const fill = (): number => {
    for (; waitMs() === 0 && running.length < 1_000; running.push(pace.ticket())) pace.started(LANE, now);
    return running.length;
  };
  const end = (sign: Sign): void => {
    const ticket = running.shift();
    assert.ok(ticket !== undefined);
    pace.learnt(LANE, sign, ticket, now);
    pace.ended(LANE);
  };
  return {
    pace,
    waitMs,
    fill,
    end,
    /** One transaction after the other, each taking 10 ms. */
    each: (...signs: readonly Sign[]): void => {
      for (const sign of signs) {
        now += Math.min(waitMs(), MINUTE_MS);
        pace.started(LANE, now);
        running.push(pace.ticket());
        now += 10;
        end(sign);
      }
    },
    pass: (ms: number): void => {
      now += ms;
    },
  };
};

describe("a destination", () => {
  it("gets as much at a time as the limit says, and nothing is remembered about it", () => {
    const { fill, pass, end, pace } = lane();
    assert.equal(fill(), 20);
    pass(10);
    for (let count = 0; count < 20; count += 1) end("taken");
    assert.equal(pace.remembered(), 0);
  });

  it("that says 421 gets half as many, however many of those that ran then are answered so", () => {
    const { fill, pass, end } = lane();
    fill();
    pass(10);
    for (let count = 0; count < 20; count += 1) end(count % 3 === 0 ? "tooMuch" : "taken");
    assert.ok(fill() >= 10 && fill() <= 12, `${fill()}`);
  });

  it("gets more again while it takes mail, and stays below what was too much for ten minutes", () => {
    const { fill, pass, end } = lane();
    const round = (sign: Sign): number => {
      const started = fill();
      pass(10);
      for (let count = 0; count < started; count += 1) end(sign);
      return started;
    };
    round("tooMuch");
    for (let count = 0; count < 50; count += 1) round("taken");
    assert.equal(round("taken"), 19);
    pass(10 * MINUTE_MS);
    for (let count = 0; count < 5; count += 1) round("taken");
    assert.equal(round("taken"), 20);
  });

  it("for which one at a time is too much is left alone in between, for twice as long each time and a minute at most", () => {
    const { each, waitMs } = lane();
    const waits: number[] = [];
    for (let count = 0; count < 9; count += 1) {
      each("tooMuch");
      waits.push(waitMs() / SECOND_MS);
    }
    assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  it("is left alone for less when it takes mail, and not at all in the end", () => {
    const { each, waitMs, pace, pass } = lane({ atOnce: 3 });
    each("tooMuch", "tooMuch", "tooMuch");
    each(...Array.from({ length: 15 }, (): Sign => "taken"));
    assert.ok(waitMs() <= SECOND_MS);
    pass(10 * MINUTE_MS);
    each(...Array.from({ length: 10 }, (): Sign => "taken"));
    assert.equal(waitMs(), 0);
    assert.equal(pace.remembered(), 0);
  });

  it("that refuses for now again and again gets fewer at a time, never less than a quarter, and no pauses", () => {
    const { each, fill, waitMs } = lane();
    each("troubled", "troubled", "troubled", "troubled", "taken", "troubled");
    assert.equal(waitMs(), 0);
    each(...Array.from({ length: 100 }, (): Sign => "troubled"));
    assert.equal(fill(), 5);
  });

  it("that refuses now and then is written to as ever", () => {
    const { each, fill, pass } = lane();
    for (let count = 0; count < 50; count += 1) {
      each("troubled");
      pass(20 * SECOND_MS);
    }
    assert.equal(fill(), 20);
  });

  it("does not slow down another", () => {
    const { each, pace } = lane();
    each("tooMuch", "tooMuch");
    assert.equal(pace.waitMs("elsewhere.example", NOON), 0);
  });

  it("gets no more per minute than is set", () => {
    const { fill, pass, end, waitMs } = lane({ perMinute: 30 });
    let started = 0;
    for (let second = 0; second < 60; second += 1) {
      const before = fill();
      started += before;
      for (let count = 0; count < before; count += 1) end("taken");
      pass(SECOND_MS);
    }
    assert.equal(started, 30);
    assert.ok(waitMs() <= 2 * SECOND_MS);
  });
});

describe("a remote that says 421 above a number at a time", () => {
  it("is kept below that number nearly always", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 19 }), (most) => {
        const { fill, pass, end } = lane();
        let refused = 0;
        for (let round = 0; round < 400; round += 1) {
          const started = fill();
          pass(100);
          for (let count = 0; count < started; count += 1) {
            const sign = started > most && count >= most ? "tooMuch" : "taken";
            if (sign === "tooMuch") refused += 1;
            end(sign);
          }
        }
        assert.ok(refused <= 40, `${refused} refused at ${most}`);
      }),
      { numRuns: 30 },
    );
  });
});

describe("whatever a destination says", () => {
  it("it can always be written to within a minute, never by more than the limit, and little is remembered", () => {
    const step = fc.record({ sign: fc.constantFrom<Sign>("taken", "tooMuch", "troubled", "nothing"), ms: fc.nat(200_000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.constantFrom(null, 1, 600), (steps, perMinute) => {
        const { fill, end, pass, waitMs, pace } = lane({ atOnce: 7, perMinute });
        for (const { sign, ms } of steps) {
          assert.ok(fill() <= 7);
          pass(ms);
          if (pace.waitMs(LANE, NOON) === Infinity) end(sign);
          else if (fill() > 0) end(sign);
        }
        while (waitMs() === Infinity) end("taken");
        assert.ok(waitMs() <= MINUTE_MS);
        assert.ok(pace.remembered() <= 1);
      }),
    );
  });
});

describe("the outcomes of a transaction", () => {
  const rejected = (code: number, permanent = code >= 500) => ({ kind: "rejected", permanent, result: smtpResult(code) }) as const;
  const delivered = { kind: "delivered", result: smtpResult(250) } as const;
  for (const [what, outcomes, sign] of [
    ["delivered", [delivered], "taken"],
    ["refused for good", [rejected(550)], "taken"],
    ["refused for now", [rejected(451)], "troubled"],
    ["not reached", [rejected(0, false)], "troubled"],
    ["without a host", [rejected(0, true)], "nothing"],
    ["delivered in part", [rejected(451), delivered, rejected(451)], "taken"],
    ["cut off with 421", [delivered, rejected(421)], "tooMuch"],
    ["interrupted", [{ kind: "interrupted", reason: "" }], "nothing"],
    ["uncertain", [{ kind: "uncertain", result: smtpResult(0) }], "nothing"],
  ] as const) {
    it(`say "${sign}" when it was ${what}`, () => {
      assert.equal(signOf(outcomes), sign);
    });
  }
});
