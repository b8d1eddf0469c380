import assert from "node:assert/strict";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../../src/domain/clock.ts";
import type { Recorded } from "../../../src/domain/event-log.ts";
import type { MessageEvent } from "../../../src/domain/message/events.ts";
import { messageStream } from "../../../src/domain/message/events.ts";
import { aMessage, happened, NOON } from "../../support/samples.ts";
import { directViews, type DirectViews } from "./views-folder.ts";

describe("a pick of due work", () => {
  let folder: string;
  let views: DirectViews;
  let position = 0;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "posthorn-due-"));
    views = directViews(join(folder, "views.db"));
    position = 0;
  });

  afterEach(async () => {
    views.close();
    await rm(folder, { recursive: true });
  });

  const facts = (id: number, events: readonly MessageEvent[], revision = 0): readonly Recorded[] =>
    events.map((event, index) => ({ position: ++position, stream: messageStream(id), revision: revision + index, event }));

  const queued = (id: number, recipientDomain: string, nextAttemptAt = NOON): MessageEvent => ({
    type: "MessageQueued",
    at: NOON,
    ...aMessage({ id, recipientDomain, nextAttemptAt }),
  });

  const queue = (count: number, domainOf: (index: number) => string, firstId = 1, dueAt: (index: number) => number = () => NOON): void => {
    views.take(
      Array.from({ length: count }, (_, index) => facts(firstId + index, [queued(firstId + index, domainOf(index), dueAt(index))])).flat(),
    );
  };

  const due = (perLane: number, limit: number, at = NOON) => views.model.due({ kind: "deliver", at, perLane, limit });
  const lanes = (items: readonly { readonly lane: string }[]) => items.map(({ lane }) => lane);

  it("has nothing before its time", () => {
    queue(
      3,
      () => "a.example",
      1,
      (index) => NOON + index * MINUTE_MS,
    );
    assert.equal(due(9, 9, NOON - 1).length, 0);
    assert.equal(due(9, 9, NOON).length, 1);
    assert.equal(due(9, 9, NOON + MINUTE_MS).length, 2);
  });

  it("takes the longest due first within a lane", () => {
    queue(
      5,
      () => "a.example",
      1,
      (index) => NOON - index * MINUTE_MS,
    );
    assert.deepEqual(
      due(3, 9).map(({ id }) => id),
      [5, 4, 3],
    );
  });

  it("lets a lane with a long queue crowd out nobody", () => {
    queue(
      500,
      () => "busy.example",
      1,
      () => NOON - HOUR_MS,
    );
    queue(3, (index) => `small${index}.example`, 1_000);
    const items = due(100, 10);
    assert.equal(items.length, 10);
    assert.equal(new Set(lanes(items)).size, 4);
    assert.deepEqual(new Set(lanes(items.slice(0, 4))), new Set(["busy.example", "small0.example", "small1.example", "small2.example"]));
  });

  it("gives what small lanes leave to those who have more", () => {
    queue(50, () => "busy.example");
    queue(2, (index) => `small${index}.example`, 1_000);
    assert.equal(due(100, 20).length, 20);
    assert.equal(due(5, 20).length, 7, "but no lane more than its share");
  });

  it("comes round to every lane when there are more than a pick can serve", () => {
    queue(1_000, (index) => `lane${index % 250}.example`);
    const seen = new Set<string>();
    for (let pick = 0; pick < 25; pick += 1) for (const lane of lanes(due(2, 10))) seen.add(lane);
    assert.equal(seen.size, 250);
  });

  it("comes round although the lanes it served stay due and others join", () => {
    queue(
      100,
      (index) => `lane${String(index).padStart(3, "0")}.example`,
      1,
      (index) => NOON - 1_000 + index,
    );
    const seen = new Set<string>();
    for (let pick = 0; pick < 15; pick += 1) {
      queue(
        2,
        (index) => `new${pick}x${index}.example`,
        10_000 + pick * 10,
        () => NOON - 2_000,
      );
      for (const lane of lanes(due(1, 10))) seen.add(lane);
    }
    assert.deepEqual(
      Array.from({ length: 100 }, (_, index) => `lane${String(index).padStart(3, "0")}.example`).filter((lane) => !seen.has(lane)),
      [],
    );
  });

  it("never takes an item twice", () => {
    queue(300, (index) => `lane${index % 7}.example`);
    const items = due(60, 200).map(({ stream }) => stream);
    assert.equal(new Set(items).size, items.length);
    assert.equal(items.length, 200);
  });

  it("forgets a deleted stream's last step", async () => {
    views.take(facts(1, [queued(1, "a.example"), happened("MessageCanceled"), happened("MessageRetired"), happened("MessageRemoved")]));
    const deletable = () => views.model.due({ kind: "delete", at: NOON + 2 * DAY_MS, perLane: 9, limit: 9 });
    assert.deepEqual(
      deletable().map(({ stream, lane }) => [stream, lane]),
      [["message-1", "delete"]],
    );
    await views.model.forget("message-1");
    assert.deepEqual(deletable(), []);
    assert.equal(views.model.nextDueAt("delete", 0), undefined);
    await views.model.forget("message-1");
  });

  it("names when the next work falls due, after what is due already", () => {
    queue(
      3,
      (index) => `lane${index}.example`,
      1,
      (index) => NOON + index * MINUTE_MS,
    );
    assert.equal(views.model.nextDueAt("deliver", 0), NOON);
    assert.equal(views.model.nextDueAt("deliver", NOON), NOON + MINUTE_MS);
    assert.equal(views.model.nextDueAt("deliver", NOON + 2 * MINUTE_MS), undefined);
  });

  it("shows open attempts whenever they end, and what was held in one is not lost", () => {
    views.take(
      facts(1, [queued(1, "a.example"), happened("DeliveryAttempted", { nextAttemptAt: NOON + HOUR_MS }), happened("MessageHeld")]),
    );
    assert.deepEqual(
      views.model.openAttempts(10).map(({ stream, dueAt }) => [stream, dueAt]),
      [["message-1", NOON + HOUR_MS]],
    );
    assert.equal(due(9, 9, NOON + DAY_MS).length, 0);
  });
});
