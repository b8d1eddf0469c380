/** Messages are claimed before anything is dialed, and every end is recorded. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MINUTE_MS } from "../../../src/domain/clock.ts";
import { memoryLog } from "../../support/memory-log.ts";
import { happened, NOON, smtpResult } from "../../support/samples.ts";
import { failedWith } from "../../support/world.ts";
import { bench } from "./delivering.ts";

describe("a delivery", () => {
  it("is claimed in the store before the courier hears of it", async () => {
    const { log, courier, queue, due, perform } = bench();
    queue(1);
    courier.answer = () => {
      assert.deepEqual(log.types("message-1"), ["MessageQueued", "DeliveryAttempted"]);
      return failedWith(451);
    };
    const position = await perform(due());
    assert.equal(courier.deliveries.length, 1);
    assert.deepEqual(log.types("message-1"), ["MessageQueued", "DeliveryAttempted", "DeliveryDeferred"]);
    assert.equal(position, log.head());
  });

  it("is not made when the claim cannot be stored", async () => {
    const { log, courier, queue, due, perform } = bench();
    queue(1);
    log.before = (what) => {
      if (what === "append") throw new Error("disk full");
    };
    await assert.rejects(perform(due()), /disk full/);
    assert.equal(courier.deliveries.length, 0);
  });

  it("is not made when the store breaks down between storing and acknowledging: nobody knows who owns the attempt", async () => {
    const { log, courier, queue, due, perform } = bench();
    queue(1);
    log.after = () => {
      throw new Error("connection lost");
    };
    await assert.rejects(perform(due()), /connection lost/);
    assert.equal(courier.deliveries.length, 0);
  });

  it("is not made when the claim was acknowledged too late to end in time, and the message is due again at once", async () => {
    const { log, courier, queue, due, perform, clock } = bench();
    queue(1);
    log.after = (writes) => {
      if (writes[0]?.events[0]?.type === "DeliveryAttempted") clock.advance(7.5 * MINUTE_MS - courier.deadlineMs);
    };
    await perform(due());
    assert.equal(courier.deliveries.length, 0);
    assert.deepEqual(log.types("message-1"), ["MessageQueued", "DeliveryAttempted", "DeliveryInterrupted"]);
    const [item] = await log.read("message-1").then((events) => events.slice(-1));
    assert.equal(item?.event.type === "DeliveryInterrupted" && item.event.nextAttemptAt, clock.now());
  });

  it("is left to whoever was quicker", async () => {
    const { log, courier, queue, due, perform, views } = bench();
    queue(1);
    const items = due();
    log.write("message-1", happened("DeliveryAttempted"));
    const position = await perform(items);
    assert.equal(courier.deliveries.length, 0);
    assert.equal(position, log.head());
    assert.ok(position > views.position(), "not due again before the views know");
  });

  it("is lost to a claim that comes in the middle of its own", async () => {
    const { log, courier, queue, due, perform } = bench(memoryLog({ exclusive: false }));
    queue(1);
    log.before = (what) => {
      if (what !== "append") return;
      log.before = () => undefined;
      log.write("message-1", happened("DeliveryAttempted"));
    };
    await perform(due());
    assert.equal(courier.deliveries.length, 0);
    assert.deepEqual(log.types("message-1"), ["MessageQueued", "DeliveryAttempted"]);
  });

  it("is not made for what was held, moved, canceled or removed before the views knew", async () => {
    for (const events of [
      [happened("MessageHeld")],
      [happened("MessageRescheduled")],
      [happened("MessageCanceled"), happened("MessageRetired")],
    ]) {
      const { log, courier, queue, due, perform } = bench();
      queue(1);
      const items = due();
      log.write("message-1", ...events);
      assert.equal(await perform(items), log.head());
      assert.equal(courier.deliveries.length, 0);
    }
    const { log, courier, queue, due, perform } = bench();
    queue(1);
    const items = due();
    await log.deleteStream("message-1");
    await perform(items);
    assert.equal(courier.deliveries.length, 0);
  });

  it("is observed with its end", async () => {
    const { courier, queue, due, perform, observed } = bench();
    queue(1);
    courier.answer = () => failedWith(550);
    await perform(due());
    assert.deepEqual(observed, ["1 1 rejected"]);
  });

  it("counts as interrupted for a recipient of whom the courier said nothing", async () => {
    const { log, courier, queue, due, perform } = bench();
    queue(1);
    queue(2);
    const { deliver } = courier;
    const forgetful = {
      ...courier,
      deliver: async (...asked: Parameters<typeof deliver>) => new Map([...(await deliver(...asked))].slice(0, 1)),
    };
    Object.assign(courier, forgetful);
    await perform(due());
    assert.deepEqual([log.types("message-1").at(-1), log.types("message-2").at(-1)], ["MessageRetired", "DeliveryInterrupted"]);
  });

  it("is not begun once the server stops", async () => {
    const { log, courier, queue, due, perform, stopping } = bench();
    queue(1);
    stopping.abort();
    assert.equal(await perform(due()), 0);
    assert.equal(courier.deliveries.length, 0);
    assert.deepEqual(log.types("message-1"), ["MessageQueued"]);
  });
});

describe("the result of a delivery", () => {
  it("that comes after the attempt was given up for lost is no result, and does no harm", async () => {
    const { log, courier, queue, due, perform } = bench(memoryLog({ exclusive: false }));
    queue(1);
    courier.answer = () => {
      log.write("message-1", happened("DeliveryInterrupted"), happened("DeliveryAttempted", { attempt: 2 }));
      return failedWith(550);
    };
    await perform(due());
    assert.deepEqual(log.types("message-1"), ["MessageQueued", "DeliveryAttempted", "DeliveryInterrupted", "DeliveryAttempted"]);
  });

  it("is recorded for each recipient as it was", async () => {
    const { log, courier, queue, due, perform } = bench();
    [1, 2, 3].forEach((id) => queue(id));
    const unclear = { kind: "uncertain", result: smtpResult(0) } as const;
    const answers = [unclear, failedWith(550, "5.1.1"), failedWith(451)];
    courier.answer = (address) => answers[Number(address[1]) - 1] ?? unclear;
    await perform(due());
    assert.deepEqual(
      [1, 2, 3].map((id) => log.types(`message-${id}`)[2]),
      ["DeliveryUncertain", "DeliveryFailed", "DeliveryDeferred"],
    );
  });

  it("knows of the failures before it", async () => {
    const { log, courier, queue, due, perform, views } = bench();
    log.write("recipient-shop/r1@there.example", {
      type: "RecipientDeliveryFailed",
      at: NOON,
      account: "shop",
      baseAddress: "r1@there.example",
      failures: 2,
      cause: { stream: "message-0", revision: 2 },
    });
    queue(1, { recipient: "R1+x@there.example" });
    views.catchUp();
    courier.answer = () => failedWith(554);
    await perform(due());
    const failure = (await log.read("message-1"))[2]?.event;
    assert.equal(failure?.type === "DeliveryFailed" && failure.suppress?.rule, "three-in-a-row");
  });
});
