/** What happens in time though nobody asks. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DAY_MS, MINUTE_MS, type Instant } from "../../../src/domain/clock.ts";
import type { MessageTerms } from "../../../src/domain/message/commands.ts";
import type { Position } from "../../../src/domain/event-log.ts";
import { actorRuntime } from "../../../src/domain/runtime/actor.ts";
import { housekeeping } from "../../../src/domain/runtime/housekeeping.ts";
import { messageKind, receivedKind, webhookKind } from "../../../src/domain/runtime/kinds.ts";
import type { WorkKind } from "../../../src/domain/runtime/read-model.ts";
import { memoryLog, type MemoryLog } from "../../support/memory-log.ts";
import { memoryReadModel } from "../../support/memory-read-model.ts";
import { called, happened, NOON } from "../../support/samples.ts";

const bench = ({
  now = NOON,
  log = memoryLog(),
  reacted = async () => undefined,
}: { now?: Instant; log?: MemoryLog; reacted?: (position: Position) => Promise<void> } = {}) => {
  const views = memoryReadModel(log);
  const messages = actorRuntime({
    log,
    kind: messageKind,
    remember: 100,
    terms: (): MessageTerms => ({ now, spread: 0, callIds: [1, 2], policy: { keepRetiredMs: 0, uncertainDelivery: "wait" } }),
  });
  const webhooks = actorRuntime({ log, kind: webhookKind, remember: 100, terms: () => ({ now, spread: 0, keepRetiredMs: 0 }) });
  const received = actorRuntime({ log, kind: receivedKind, remember: 100, terms: () => ({ now }) });
  const keeping = housekeeping({ log, messages, webhooks, received, readModel: views, reacted });
  const due = (kind: WorkKind) => {
    views.catchUp();
    return views.due({ kind, at: now, perLane: 1_000, limit: 1_000 });
  };
  return { log, views, messages, keeping, due };
};

const inFlight = [happened("MessageQueued"), happened("DeliveryAttempted")];
const callInFlight = [called("WebhookQueued"), called("WebhookAttempted")];

describe("an attempt whose time is over", () => {
  it("goes back to the queue", async () => {
    const { log, keeping, due } = bench({ now: NOON + 7.5 * MINUTE_MS });
    log.write("message-42", ...inFlight);
    log.write("webhook-90", ...callInFlight);
    assert.equal(await keeping.interrupt(due("interrupt")), log.head());
    assert.equal(log.types("message-42").at(-1), "DeliveryInterrupted");
    assert.equal(log.types("webhook-90").at(-1), "WebhookInterrupted");
  });

  it("is left alone when it ended before the views knew", async () => {
    const { log, keeping, due } = bench({ now: NOON + DAY_MS });
    log.write("message-42", ...inFlight);
    const items = due("interrupt");
    log.write("message-42", happened("DeliverySucceeded"), happened("MessageRetired"));
    assert.equal(await keeping.interrupt(items), log.head());
    assert.equal(log.types("message-42").at(-1), "MessageRetired");
  });

  it("is left alone when another has been claimed since: somebody is at it now", async () => {
    const now = NOON + DAY_MS;
    const { log, keeping, due } = bench({ now });
    log.write("message-42", ...inFlight);
    const items = due("interrupt");
    log.write(
      "message-42",
      happened("DeliveryInterrupted"),
      happened("DeliveryAttempted", { at: now, attempt: 2, nextAttemptAt: now + MINUTE_MS }),
    );
    await keeping.interrupt(items);
    assert.equal(log.types("message-42").at(-1), "DeliveryAttempted");
  });
});

describe("a restart", () => {
  it("closes every open attempt at once, of messages and calls, however many", async () => {
    const { log, views, keeping } = bench();
    for (let id = 1; id <= 1_200; id += 1) log.write(`message-${id}`, happened("MessageQueued", { id }), happened("DeliveryAttempted"));
    log.write("webhook-90", ...callInFlight);
    log.write("message-2000", happened("MessageQueued", { id: 2_000 }));
    views.catchUp();
    assert.equal(await keeping.recover(), 1_201);
    assert.equal(views.openAttempts(10).length, 0);
    assert.equal(log.all().filter(({ event }) => event.type === "DeliveryInterrupted").length, 1_200);
    assert.equal(await keeping.recover(), 0);
  });

  it("says so instead of looping when the views show attempts that are not there", async () => {
    const { log, views, keeping } = bench();
    log.write("message-42", ...inFlight);
    views.catchUp();
    await log.deleteStream("message-42");
    await assert.rejects(keeping.recover(), /rebuild/);
  });

  it("fails when the store does", async () => {
    const { log, views, keeping } = bench();
    log.write("message-42", ...inFlight);
    views.catchUp();
    log.before = () => {
      throw new Error("disk full");
    };
    await assert.rejects(keeping.recover(), /disk full/);
  });
});

describe("a kept message or call", () => {
  const kept = (): ReturnType<typeof bench> => {
    const made = bench({ now: NOON + DAY_MS });
    made.log.write("message-42", happened("MessageQueued"), happened("MessageCanceled"), happened("MessageRetired"));
    made.log.write("webhook-90", called("WebhookQueued"), called("WebhookCanceled"), called("WebhookRetired"));
    return made;
  };

  it("is removed when its keep period ends", async () => {
    const { log, keeping, due } = kept();
    assert.equal(due("remove").length, 2);
    assert.equal(await keeping.remove(due("remove")), log.head());
    assert.equal(log.types("message-42").at(-1), "MessageRemoved");
    assert.equal(log.types("webhook-90").at(-1), "WebhookRemoved");
    assert.equal(due("remove").length, 0);
  });

  it("is removed once", async () => {
    const { log, keeping, due } = kept();
    const items = due("remove");
    await Promise.all([keeping.remove(items), keeping.remove(items)]);
    assert.equal(log.types("message-42").filter((type) => type === "MessageRemoved").length, 1);
  });
});

describe("a removed stream", () => {
  it("is deleted, and forgotten by the views, only when the reactions have passed its end", async () => {
    let passed = (): void => undefined;
    const asked: Position[] = [];
    const reacted = (position: Position): Promise<void> => {
      asked.push(position);
      return new Promise((resolve) => (passed = () => resolve(undefined)));
    };
    const { log, keeping, due, messages } = bench({ reacted });
    const end = log.write(
      "message-42",
      happened("MessageQueued"),
      happened("MessageCanceled"),
      happened("MessageRetired"),
      happened("MessageRemoved"),
    );
    const deleting = keeping.delete(due("delete"));
    await new Promise(setImmediate);
    assert.deepEqual(asked, [end]);
    assert.equal(log.types("message-42").length, 4);
    passed();
    await deleting;
    assert.equal(log.types("message-42").length, 0);
    assert.equal(due("delete").length, 0);
    assert.equal((await messages.load("message-42")).state.value, "unborn");
  });

  it("stays when the reactions have ended before it", async () => {
    const { log, keeping, due } = bench({ reacted: () => Promise.reject(new Error("the reactions were stopped")) });
    log.write("message-42", happened("MessageQueued"), happened("MessageCanceled"), happened("MessageRetired"), happened("MessageRemoved"));
    await assert.rejects(keeping.delete(due("delete")), /stopped/);
    assert.equal(log.types("message-42").length, 4);
  });
});
