/** The typed log over a store. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { codec } from "../../../src/adapters/event-store/codec.ts";
import { UnreadableEvent } from "../../../src/adapters/event-store/event-codec.ts";
import { eventLog } from "../../../src/adapters/event-store/event-log.ts";
import { memoryStore } from "../../../src/adapters/event-store/memory.ts";
import { NO_STREAM, type EventBatch } from "../../../src/domain/event-log.ts";
import type { DomainEvent } from "../../../src/domain/events.ts";
import { birth } from "./encoded.ts";

const by = { kind: "operator", name: "ann" } as const;
const held: DomainEvent = { type: "MessageHeld", at: 1, by };
const released: DomainEvent = { type: "MessageReleased", at: 2, by };
const removed: DomainEvent = { type: "MessageRemoved", at: 3 };

const until = async (batches: AsyncIterable<EventBatch>, position: number): Promise<readonly EventBatch[]> => {
  const seen: EventBatch[] = [];
  for await (const batch of batches) {
    seen.push(batch);
    if (batch.upTo >= position) break;
  }
  return seen;
};

describe("the event log", () => {
  it("gives events back where they stand", async () => {
    const log = eventLog(memoryStore(), codec);
    const result = await log.append([{ stream: "message-1", expectedRevision: NO_STREAM, events: [held, released] }]);
    assert.deepEqual(result, { appended: true, position: log.head() });
    assert.deepEqual(await log.read("message-1"), [
      { position: 1, stream: "message-1", revision: 0, event: held },
      { position: 2, stream: "message-1", revision: 1, event: released },
    ]);
  });

  it("hands a subscriber only the types it asked for, and still says how far it is", async () => {
    const log = eventLog(memoryStore(), codec);
    await log.append([{ stream: "message-1", expectedRevision: NO_STREAM, events: [held, released, removed] }]);
    const { signal } = new AbortController();
    const batches = await until(log.subscribe(0, { types: new Set(["MessageReleased"]), signal }), 3);
    assert.deepEqual(
      batches.flatMap(({ events }) => events.map(({ event }) => event)),
      [released],
    );
    assert.equal(batches.at(-1)?.upTo, 3);
  });

  it("does not decode what nobody asked for", async () => {
    const store = memoryStore();
    const log = eventLog(store, codec);
    await store.append([birth("odd", "{}")]);
    await log.append([{ stream: "message-1", expectedRevision: NO_STREAM, events: [held] }]);
    const { signal } = new AbortController();
    const batches = await until(log.subscribe(0, { types: new Set(["MessageHeld"]), signal }), 2);
    assert.equal(batches.flatMap(({ events }) => events).length, 1);
    await assert.rejects(until(log.subscribe(0, { signal }), 2), UnreadableEvent);
  });

  it("stores nothing when one event of an append has the wrong shape", async () => {
    const log = eventLog(memoryStore(), codec);
    const wrong = { type: "MessageHeld", at: 1 } as unknown as DomainEvent;
    await assert.rejects(log.append([{ stream: "message-1", expectedRevision: NO_STREAM, events: [held, wrong] }]), TypeError);
    assert.equal(log.head(), 0);
  });
});
