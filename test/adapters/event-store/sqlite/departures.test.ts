/** What leaves for the writer at once, and what waits for company. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { departures } from "../../../../src/adapters/event-store/sqlite/departures.ts";
import type { Operation } from "../../../../src/adapters/event-store/sqlite/operations.ts";
import { pendingQueue } from "../../../../src/adapters/event-store/sqlite/pending-queue.ts";
import { birth } from "../encoded.ts";

const COMMIT_MS = 0.4;

/** A writer that answers when it is told to, and time that passes when it is told to. */
const bench = () => {
  let now = 1_000;
  let timers: { readonly at: number; readonly ring: () => void }[] = [];
  const turn: (() => void)[] = [];
  const sent: string[][] = [];
  const queue = pendingQueue(() => undefined);
  const nameOf = (operation: Operation): string => (operation.kind === "append" ? (operation.writes[0]?.stream ?? "") : operation.kind);
  const { added, answered } = departures(queue, (operations) => void sent.push(operations.map(nameOf)), {
    now: () => now,
    timer: (delayMs, ring) => {
      const timer = { at: now + delayMs, ring };
      timers.push(timer);
      return () => void (timers = timers.filter((each) => each !== timer));
    },
    afterTurn: (run) => void turn.push(run),
  });
  const endTurn = (): void => {
    for (const run of turn.splice(0)) run();
  };
  const hand = (operation: Operation): void => {
    queue.add({ operation, resolve: () => undefined, reject: () => undefined });
    added(operation);
    endTurn();
  };
  return {
    sent,
    submission: (name: string) => {
      hand({ kind: "append", writes: [birth(name, "1")], contents: [{ id: 1, pieces: [new Uint8Array(1)] }] });
    },
    step: (name: string) => {
      hand({ kind: "append", writes: [birth(name, "1")], contents: [] });
    },
    checkpoint: () => {
      hand({ kind: "saveCheckpoint", name: "a", position: 1 });
    },
    answer: () => {
      queue.answer(1, []);
      answered(COMMIT_MS);
      endTurn();
    },
    pass: (ms: number) => {
      now += ms;
      const due = timers.filter(({ at }) => at <= now);
      timers = timers.filter(({ at }) => at > now);
      for (const { ring } of due) ring();
    },
  };
};

type Bench = ReturnType<typeof bench>;

/** A client that hands in one message as soon as the one before is acknowledged, `distanceMs` apart. */
const steadyClient = (one: Bench, distanceMs: number): void => {
  for (let number = 0; number < 30; number += 1) {
    one.submission(`m${number}`);
    one.answer();
    one.pass(distanceMs);
  }
  one.sent.length = 0;
};

describe("an append", () => {
  it("leaves at once when nothing is under way", () => {
    const one = bench();
    one.step("a");
    assert.deepEqual(one.sent, [["a"]]);
  });

  it("leaves with all that came meanwhile when the writer answers", () => {
    const one = bench();
    one.step("a");
    one.step("b");
    one.submission("c");
    assert.deepEqual(one.sent, [["a"]]);
    one.answer();
    assert.deepEqual(one.sent, [["a"], ["b", "c"]]);
  });
});

describe("a checkpoint", () => {
  it("goes with the next append", () => {
    const one = bench();
    one.checkpoint();
    one.pass(5);
    one.step("a");
    assert.deepEqual(one.sent, [["saveCheckpoint", "a"]]);
  });

  it("goes alone when none comes for a while", () => {
    const one = bench();
    one.checkpoint();
    one.pass(19);
    assert.deepEqual(one.sent, []);
    one.pass(1);
    assert.deepEqual(one.sent, [["saveCheckpoint"]]);
  });

  it("goes also when its time comes while the writer is at work", () => {
    const one = bench();
    one.step("a");
    one.checkpoint();
    one.pass(20);
    assert.deepEqual(one.sent, [["a"], ["saveCheckpoint"]]);
  });
});

describe("the step of a delivery", () => {
  it("leaves with the next message of a client that hands in one after the other", () => {
    const one = bench();
    steadyClient(one, 1);
    one.step("delivery");
    assert.deepEqual(one.sent, []);
    one.submission("m");
    assert.deepEqual(one.sent, [["delivery", "m"]]);
  });

  it("waits for that also when it came while the writer was at work", () => {
    const one = bench();
    steadyClient(one, 1);
    one.submission("m1");
    one.step("delivery");
    one.answer();
    assert.deepEqual(one.sent, [["m1"]]);
    one.submission("m2");
    assert.deepEqual(one.sent, [["m1"], ["delivery", "m2"]]);
  });

  it("leaves without it when the client does not come back", () => {
    const one = bench();
    steadyClient(one, 1);
    one.step("delivery");
    one.pass(1.5);
    assert.deepEqual(one.sent, [["delivery"]]);
    one.answer();
    one.step("another");
    assert.deepEqual(one.sent, [["delivery"], ["another"]]);
  });

  it("waits for nobody when messages come far apart", () => {
    const one = bench();
    steadyClient(one, 10);
    one.step("delivery");
    assert.deepEqual(one.sent, [["delivery"]]);
  });
});
