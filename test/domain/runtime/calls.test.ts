/** Webhook calls are claimed before they are made, and every end is recorded. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MINUTE_MS } from "../../../src/domain/clock.ts";
import { actorRuntime } from "../../../src/domain/runtime/actor.ts";
import { calls } from "../../../src/domain/runtime/calls.ts";
import { webhookKind } from "../../../src/domain/runtime/kinds.ts";
import { memoryLog, type MemoryLog } from "../../support/memory-log.ts";
import { memoryReadModel } from "../../support/memory-read-model.ts";
import { aCall, called, NOON } from "../../support/samples.ts";
import { virtualClock } from "../../support/virtual-clock.ts";
import { fakeCaller, refusedWith } from "../../support/world.ts";

const STREAM = "webhook-90";

const bench = (log: MemoryLog = memoryLog()) => {
  const views = memoryReadModel(log, "manually");
  const caller = fakeCaller();
  const stopping = new AbortController();
  const clock = virtualClock(NOON);
  const observed: string[] = [];
  const webhooks = actorRuntime({
    log,
    kind: webhookKind,
    remember: 100,
    terms: () => ({ now: clock.now(), spread: 0, keepRetiredMs: 0 }),
  });
  const { perform } = calls({
    webhooks,
    caller,
    clock,
    signal: stopping.signal,
    observe: ({ id }, attempt, { kind }) => observed.push(`${id} ${attempt} ${kind}`),
  });
  log.write(STREAM, called("WebhookQueued", { at: NOON - MINUTE_MS }));
  views.catchUp();
  return { log, clock, views, caller, stopping, observed, perform, due: () => views.due({ kind: "call", at: NOON, perLane: 9, limit: 9 }) };
};

describe("a webhook call", () => {
  it("is claimed in the store before it is made, and tells when it was queued", async () => {
    const { log, caller, due, perform, observed } = bench();
    caller.answer = (call) => {
      assert.deepEqual(log.types(STREAM), ["WebhookQueued", "WebhookAttempted"]);
      const { id, account, kind, url, payload } = aCall();
      assert.partialDeepStrictEqual(call, { id, attempt: 1, account, kind, url, queuedAt: NOON - MINUTE_MS, payload });
      return refusedWith(500);
    };
    assert.equal(await perform(due()), log.head());
    assert.deepEqual(log.types(STREAM), ["WebhookQueued", "WebhookAttempted", "WebhookDeferred"]);
    assert.deepEqual(observed, ["90 1 answered"]);
  });

  it("is not made when the claim cannot be stored", async () => {
    const { log, caller, due, perform } = bench();
    log.before = (what) => {
      if (what === "append") throw new Error("disk full");
    };
    await assert.rejects(perform(due()), /disk full/);
    assert.equal(caller.calls.length, 0);
  });

  it("is not made when the claim was acknowledged too late to end in time", async () => {
    const { log, caller, due, perform, clock } = bench();
    log.after = (writes) => {
      if (writes[0]?.events[0]?.type === "WebhookAttempted") clock.advance(MINUTE_MS);
    };
    await perform(due());
    assert.equal(caller.calls.length, 0);
    assert.deepEqual(log.types(STREAM), ["WebhookQueued", "WebhookAttempted", "WebhookInterrupted"]);
  });

  it("is left to whoever was quicker, and not due again before the views know", async () => {
    const { log, caller, due, perform, views } = bench();
    const items = due();
    log.write(STREAM, called("WebhookAttempted"));
    const position = await perform(items);
    assert.equal(caller.calls.length, 0);
    assert.ok(position > views.position());
  });

  it("is not made for what was superseded, put off or canceled before the views knew", async () => {
    for (const events of [
      [called("WebhookSuperseded"), called("WebhookRetired")],
      [called("WebhookRescheduled")],
      [called("WebhookCanceled"), called("WebhookRetired")],
    ]) {
      const { log, caller, due, perform } = bench();
      const items = due();
      log.write(STREAM, ...events);
      assert.equal(await perform(items), log.head());
      assert.equal(caller.calls.length, 0);
    }
  });

  it("has its result recorded though it was superseded in flight", async () => {
    const { log, caller, due, perform } = bench(memoryLog({ exclusive: false }));
    caller.answer = () => {
      log.write(STREAM, called("WebhookSuperseded"));
      return refusedWith(500);
    };
    await perform(due());
    assert.deepEqual(log.types(STREAM).slice(-3), ["WebhookSuperseded", "WebhookDeferred", "WebhookRetired"]);
  });

  it("has no say when its result comes after it was given up for lost", async () => {
    const { log, caller, due, perform } = bench(memoryLog({ exclusive: false }));
    caller.answer = () => {
      log.write(STREAM, called("WebhookInterrupted"));
      return refusedWith(410);
    };
    assert.equal(await perform(due()), log.head());
    assert.equal(log.types(STREAM).at(-1), "WebhookInterrupted");
  });

  it("is not begun once the server stops", async () => {
    const { caller, due, perform, stopping } = bench();
    stopping.abort();
    assert.equal(await perform(due()), 0);
    assert.equal(caller.calls.length, 0);
  });
});
