/** What follows from events follows once, however often the reactions read them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MINUTE_MS } from "../../../src/domain/clock.ts";
import { NO_STREAM } from "../../../src/domain/event-log.ts";
import { noHoldRules } from "../../../src/domain/holdrule/hold-rules.ts";
import { REACTIONS_CHECKPOINT, reactions } from "../../../src/domain/reactions/reactions.ts";
import { memoryLog, type MemoryLog } from "../../support/memory-log.ts";
import { anAccount, directoryOf, happened, operator, outgoing } from "../../support/samples.ts";
import { failedWith, fakeSenderReports, refusedWith, succeeded, taken, world, type World } from "../../support/world.ts";
import { eventsOf, messagesOf, readAgain, webhook, withWebhook } from "./reacting.ts";

const never = (): never => {
  throw new Error("not asked for");
};

describe("reactions that read again what they have read", () => {
  /** Everything that causes a reaction, in one log. */
  const busyDay = async (): Promise<World> => {
    const one = withWebhook({}, { firstTimeRecipientsPerDay: 100 });
    one.courier.answer = (address) =>
      address.startsWith("gone")
        ? failedWith(550, "5.1.1")
        : address.startsWith("full")
          ? failedWith(554)
          : address.startsWith("slow")
            ? failedWith(451)
            : succeeded;
    one.caller.answer = (call) => (outgoing(call).event === "delayed" ? refusedWith(500) : taken);
    await one.begin();
    for (let times = 0; times < 3; times += 1) {
      await one.send(["bob@there.example", "gone@there.example", "full@there.example", "slow@there.example"]);
      await one.pass(10);
    }
    await one.core.holdRules.add({ account: null, senderDomain: null, recipientDomain: "there.example" }, operator);
    await one.pass(16 * MINUTE_MS);
    await one.core.queue.act({ type: "release" }, messagesOf(one), operator);
    await one.quiet();
    return one;
  };

  it("add nothing, wherever they begin", async () => {
    const one = await busyDay();
    const places = one.log.all().map(({ position }) => position);
    assert.ok(places.length > 60);
    const before = [...one.log.all()];
    await one.core.stop(0);
    for (const from of [0, ...places.filter((_, index) => index % 7 === 0)]) {
      const other = await readAgain(one, from);
      assert.deepEqual(other.failures, []);
      assert.equal(one.log.checkpoints.get(REACTIONS_CHECKPOINT), one.log.head());
      await other.core.stop(0);
      assert.deepEqual(
        one.log
          .all()
          .slice(before.length)
          .map(({ event }) => event),
        [],
        `from ${from}`,
      );
    }
  });

  it("finish what was cut off in the middle of a batch", async () => {
    const one = withWebhook();
    one.courier.answer = () => failedWith(550, "5.1.1");
    await one.begin();
    // The store breaks down after the first of the calls that this batch causes.
    let calls = 0;
    one.log.before = (what, stream) => {
      if (what === "append" && stream.startsWith("webhook-") && (calls += 1) > 1) throw new Error("disk full");
    };
    await one.send(["bob@there.example", "eve@there.example", "joe@there.example"]);
    await one.quiet();
    assert.match(String(one.failures[0]), /disk full/);
    one.log.before = () => undefined;
    await one.core.stop(0);
    const other = world({ log: one.log, clock: one.clock, accounts: [anAccount({ outgoingWebhook: webhook() })] });
    await other.begin();
    assert.equal(eventsOf(one.log, "WebhookQueued").length, 3);
    assert.equal(new Set(eventsOf(one.log, "WebhookQueued").map(({ id }) => id)).size, 3);
    assert.deepEqual(
      eventsOf(one.log, "RecipientDeliveryFailed").map(({ failures }) => failures),
      [1, 1, 1],
    );
    assert.equal(eventsOf(one.log, "SuppressionAdded").length, 3);
    await other.core.stop(0);
  });
});

describe("who waits for the reactions", () => {
  const over = (log: MemoryLog) => {
    const { core, views } = world({ log });
    const { messages, webhooks, received } = core;
    const none = { execute: never, create: never, load: never };
    return reactions({
      log,
      contents: log.contents,
      messages,
      webhooks,
      received,
      recipients: none,
      holdRules: { ...none, load: () => Promise.resolve({ state: noHoldRules, revision: NO_STREAM }) },
      readModel: views,
      directory: directoryOf([]),
      receive: never,
      senderReports: fakeSenderReports,
    });
  };

  it("is let go when they have durably passed", async () => {
    const log = memoryLog();
    const one = over(log);
    const stopping = new AbortController();
    const running = one.run(stopping.signal);
    const position = log.write("message-42", happened("MessageQueued"), happened("MessageHeld"));
    await one.passed(position);
    assert.ok((log.checkpoints.get(REACTIONS_CHECKPOINT) ?? 0) >= position);
    await one.passed(position - 1);
    stopping.abort();
    await running;
  });

  it("is told when they never will, because they were stopped or have failed", async () => {
    const stopped = over(memoryLog());
    const stopping = new AbortController();
    const running = stopped.run(stopping.signal);
    const waiting = assert.rejects(stopped.passed(7), /stopped/);
    stopping.abort();
    await Promise.all([running, waiting]);
    await assert.rejects(stopped.passed(8), /stopped/);

    const log = memoryLog();
    log.before = () => {
      throw new Error("disk broken");
    };
    log.write("message-42", happened("MessageQueued"), happened("MessageCanceled"));
    const failed = over(log);
    await Promise.all([
      assert.rejects(failed.run(new AbortController().signal), /disk broken/),
      assert.rejects(failed.passed(log.head()), /have failed/),
    ]);
    assert.equal(log.checkpoints.size, 0);
  });
});
