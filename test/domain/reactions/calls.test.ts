/** Which webhook calls follow from events, and in which order. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MINUTE_MS } from "../../../src/domain/clock.ts";
import type { OutgoingEvent } from "../../../src/domain/webhook/events.ts";
import { operator, outgoing } from "../../support/samples.ts";
import { failedWith, refusedWith, taken, world, type World } from "../../support/world.ts";
import { eventsOf, told, withWebhook } from "./reacting.ts";

describe("an account with a webhook", () => {
  it("is called for what becomes of a message, and the call names its cause", async () => {
    const one = withWebhook();
    await one.begin();
    const [id = 0] = await one.send(["bob@there.example"]);
    await one.quiet();
    assert.deepEqual(told(one), ["delivered"]);
    assert.equal(one.caller.calls.map(outgoing)[0]?.queueMsgId, id);
    const [call] = eventsOf(one.log, "WebhookQueued");
    assert.deepEqual([call?.cause, call?.host, call?.after], [{ stream: `message-${id}`, revision: 2 }, "hooks.shop.example", null]);
    await one.core.stop(0);
  });

  it("is called for the events it named only", async () => {
    const one = withWebhook({ events: new Set<OutgoingEvent>(["failed", "canceled"]) });
    await one.begin();
    one.courier.answer = (address) => (address.startsWith("gone") ? failedWith(550, "5.1.1") : failedWith(451));
    const [, slow = 0] = await one.send(["gone@there.example", "slow@there.example"]);
    await one.quiet();
    assert.deepEqual(told(one), ["failed"]);
    await one.core.queue.act({ type: "drop" }, (after) => [slow].filter((id) => id > after), operator);
    await one.quiet();
    assert.deepEqual(told(one), ["failed", "canceled"]);
    await one.core.stop(0);
  });

  it("is not called at all without one", async () => {
    const one = world();
    await one.begin();
    await one.send(["bob@there.example"]);
    await one.quiet();
    assert.equal(eventsOf(one.log, "WebhookQueued").length, 0);
    await one.core.stop(0);
  });
});

describe("a newer event about the same message", () => {
  it("takes the place of a call that still waits", async () => {
    const one = withWebhook();
    one.courier.answer = () => failedWith(451);
    one.caller.answer = () => refusedWith(500);
    await one.begin();
    await one.send(["bob@there.example"]);
    await one.quiet();
    one.courier.answer = () => failedWith(550);
    await one.pass(8 * MINUTE_MS);
    const [first, second] = eventsOf(one.log, "WebhookQueued");
    assert.deepEqual([first && outgoing(first).event, second && outgoing(second).event], ["delayed", "failed"]);
    assert.deepEqual(
      eventsOf(one.log, "WebhookSuperseded").map(({ supersededBy }) => supersededBy),
      [second?.id],
    );
    assert.equal(one.log.types(`webhook-${first?.id ?? 0}`).at(-1), "WebhookRetired");
    await one.core.stop(0);
  });

  it("lets a call in flight end, records its result and makes it no more", async () => {
    const one = withWebhook();
    let answer: (outcome: typeof taken) => void = () => undefined;
    one.courier.answer = () => failedWith(451);
    one.caller.answer = (call) => (outgoing(call).event === "delayed" ? new Promise((resolve) => (answer = resolve)) : taken);
    await one.begin();
    const [id = 0] = await one.send(["bob@there.example"]);
    await one.quiet();
    one.courier.answer = () => failedWith(550);
    // Not so long that the call would count as lost.
    await one.core.queue.act({ type: "schedule", at: one.clock.now() }, (after) => (after === 0 ? [id] : []), operator);
    await one.quiet();
    const stream = `webhook-${eventsOf(one.log, "WebhookQueued")[0]?.id ?? 0}`;
    assert.deepEqual(one.log.types(stream), ["WebhookQueued", "WebhookAttempted", "WebhookSuperseded"]);
    answer(refusedWith(500));
    await one.quiet();
    assert.deepEqual(one.log.types(stream).slice(3), ["WebhookDeferred", "WebhookRetired"]);
    assert.deepEqual(told(one), ["delayed", "failed"]);
    await one.core.stop(0);
  });

  it("leaves the calls about other messages alone", async () => {
    const one = withWebhook();
    one.caller.answer = () => refusedWith(500);
    await one.begin();
    await one.send(["bob@there.example", "eve@there.example", "joe@there.example"]);
    await one.quiet();
    assert.equal(eventsOf(one.log, "WebhookQueued").length, 3);
    assert.equal(eventsOf(one.log, "WebhookSuperseded").length, 0);
    await one.core.stop(0);
  });
});

describe("an account that wants every event in order", () => {
  it("is called one by one, also when the first has to be repeated", async () => {
    const one = withWebhook({ mode: "every" });
    one.courier.answer = () => failedWith(451);
    one.caller.answer = ({ attempt }) => (attempt === 1 ? refusedWith(500) : taken);
    await one.begin();
    const [id = 0] = await one.send(["bob@there.example"]);
    await one.quiet();
    one.courier.answer = () => failedWith(550);
    const now = (): ReturnType<World["core"]["queue"]["act"]> =>
      one.core.queue.act({ type: "schedule", at: one.clock.now() }, (after) => (after === 0 ? [id] : []), operator);
    await now();
    await one.quiet();
    assert.deepEqual(told(one), ["delayed"]);
    const [first, second] = eventsOf(one.log, "WebhookQueued");
    assert.equal(second?.after, first?.id);
    await one.pass(2 * MINUTE_MS);
    await one.pass(2 * MINUTE_MS);
    assert.deepEqual(told(one), ["delayed", "delayed", "failed", "failed"]);
    assert.equal(eventsOf(one.log, "WebhookSuperseded").length, 0);
    await one.core.stop(0);
  });

  it("is called for two events of one batch in their order", async () => {
    const one = withWebhook({ mode: "every" });
    one.courier.answer = () => failedWith(451);
    await one.begin();
    one.views.follows = "manually";
    const [id = 0] = await one.send(["bob@there.example"]);
    // The reactions wait for the views; meanwhile two things happen.
    const stream = `message-${id}`;
    for (const command of [
      { type: "attempt", deadlineMs: 1 },
      { type: "record", attempt: 1, outcome: failedWith(451), failuresBefore: 0 },
      { type: "cancel", by: operator },
    ] as const) {
      await one.core.messages.execute(stream, command);
    }
    one.views.follows = "soon";
    one.views.catchUp();
    await one.quiet();
    const [first, second] = eventsOf(one.log, "WebhookQueued");
    assert.deepEqual([first && outgoing(first).event, second && outgoing(second).event, second?.after], ["delayed", "canceled", first?.id]);
    assert.deepEqual(told(one), ["delayed", "canceled"]);
    await one.core.stop(0);
  });

  for (const race of ["ends before the next is stored", "ends after the next is stored"] as const) {
    it(`is not left waiting when a call ${race}`, async () => {
      const one = withWebhook({ mode: "every" });
      let answer: (outcome: typeof taken) => void = () => undefined;
      one.courier.answer = () => failedWith(451);
      one.caller.answer = (call) => (outgoing(call).event === "delayed" ? new Promise((resolve) => (answer = resolve)) : taken);
      await one.begin();
      const [id = 0] = await one.send(["bob@there.example"]);
      await one.quiet();
      if (race === "ends before the next is stored") {
        // The birth of the second call is kept back until the first is done.
        let letGo = (): void => undefined;
        one.log.before = (what, _stream, writes) =>
          what === "append" && writes[0]?.events[0]?.type === "WebhookQueued"
            ? new Promise<void>((resolve) => (letGo = resolve))
            : undefined;
        await one.core.messages.execute(`message-${id}`, { type: "cancel", by: operator });
        await one.quiet();
        answer(taken);
        await one.quiet();
        assert.equal(eventsOf(one.log, "WebhookQueued").length, 1);
        assert.equal(eventsOf(one.log, "WebhookRetired").length, 1);
        letGo();
      } else {
        await one.core.messages.execute(`message-${id}`, { type: "cancel", by: operator });
        await one.quiet();
        assert.equal(eventsOf(one.log, "WebhookQueued").length, 2);
        assert.equal(eventsOf(one.log, "WebhookUnblocked").length, 0);
        answer(taken);
      }
      await one.quiet();
      assert.deepEqual(told(one), ["delayed", "canceled"]);
      assert.equal(eventsOf(one.log, "WebhookUnblocked").length, 1);
      await one.core.stop(0);
    });
  }
});
