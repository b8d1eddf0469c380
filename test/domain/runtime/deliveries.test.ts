/** Messages are claimed before anything is dialed, travel together where they may, and every end is recorded. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MessageTerms } from "../../../src/domain/message/commands.ts";
import type { QueuedMessage } from "../../../src/domain/message/events.ts";
import { actorRuntime } from "../../../src/domain/runtime/actor.ts";
import { comparable, deliveries } from "../../../src/domain/runtime/deliveries.ts";
import { messageKind } from "../../../src/domain/runtime/kinds.ts";
import { memoryLog, type MemoryLog } from "../../support/memory-log.ts";
import { memoryReadModel } from "../../support/memory-read-model.ts";
import { anAccount, directoryOf, happened, NOON, operator, smtpResult } from "../../support/samples.ts";
import { failedWith, fakeCourier } from "../../support/world.ts";

const bench = (log: MemoryLog = memoryLog()) => {
  const views = memoryReadModel(log, "manually");
  const courier = fakeCourier();
  const stopping = new AbortController();
  const observed: string[] = [];
  let id = 1_000;
  const messages = actorRuntime({
    log,
    kind: messageKind,
    remember: 100,
    terms: (): MessageTerms => ({ now: NOON, spread: 0, callIds: [++id, ++id], policy: { keepRetiredMs: 0, uncertainDelivery: "wait" } }),
  });
  const delivering = deliveries({
    messages,
    courier,
    readModel: views,
    directory: directoryOf([anAccount()]),
    signal: stopping.signal,
    observe: ({ id: number }, attempt, { kind }) => observed.push(`${number} ${attempt} ${kind}`),
  });
  const queue = (number: number, changes: Partial<QueuedMessage> = {}): void => {
    log.write(`message-${number}`, happened("MessageQueued", { id: number, recipient: `r${number}@there.example`, ...changes }));
    views.catchUp();
  };
  const due = () => views.due({ kind: "deliver", at: NOON, perLane: 100, limit: 100 });
  return { log, views, courier, stopping, observed, messages, queue, due, perform: delivering.perform };
};

const suppressed = {
  type: "SuppressionAdded",
  at: NOON,
  account: "shop",
  baseAddress: "r1@there.example",
  id: 5,
  originalAddress: "r1@there.example",
  manual: true,
  reason: "",
  cause: null,
  by: operator,
} as const;

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

describe("recipients of one submission", () => {
  it("for one domain go in one transaction, in the order in which they were due", async () => {
    const { courier, queue, due, perform } = bench();
    [3, 1, 2].forEach((id) => queue(id));
    await perform(due());
    assert.deepEqual(
      courier.deliveries.map(({ recipients }) => recipients.map(({ address }) => address)),
      [["r1@there.example", "r2@there.example", "r3@there.example"]],
    );
    const { recipients: _, ...common } = courier.deliveries[0] ?? { recipients: [] };
    assert.deepEqual(common, {
      account: "shop",
      attempt: 1,
      mailFrom: "orders@shop.example",
      senderDomain: "shop.example",
      recipientDomain: "there.example",
      contentId: 40,
      size: 1_000,
      requireTls: null,
      smtpUtf8: false,
      eightBit: false,
      transport: null,
    });
  });

  const APART: Readonly<Record<string, Partial<QueuedMessage>>> = {
    "another submission": { submissionId: 77 },
    "another MAIL FROM": { mailFrom: "orders+token@shop.example" },
    "another domain": { recipientDomain: "elsewhere.example" },
    "another TLS requirement": { requireTls: true },
    "no TLS requirement": { requireTls: false },
    "another transport": { transport: "relay" },
  };
  for (const [name, changes] of Object.entries(APART)) {
    it(`go apart with ${name}`, async () => {
      const { courier, queue, due, perform } = bench();
      queue(1);
      queue(2, changes);
      await perform(due());
      assert.equal(courier.deliveries.length, 2);
    });
  }

  it("go apart when one has been tried more often", async () => {
    const { log, courier, queue, due, perform, views } = bench();
    queue(1);
    queue(2);
    log.write("message-2", happened("DeliveryAttempted"), happened("DeliveryDeferred", { nextAttemptAt: NOON }));
    views.catchUp();
    await perform(due());
    assert.deepEqual(courier.deliveries.map(({ attempt }) => attempt).sort(), [1, 2]);
  });
});

describe("a suppressed recipient", () => {
  it("is never dialed; the others of the transaction are", async () => {
    const { log, courier, queue, due, perform } = bench();
    log.write("recipient-shop/r1@there.example", suppressed);
    queue(1, { recipient: "R1+tag@there.example" });
    queue(2);
    await perform(due());
    assert.deepEqual(
      courier.deliveries.flatMap(({ recipients }) => recipients.map(({ messageId }) => messageId)),
      [2],
    );
    assert.deepEqual(log.types("message-1"), ["MessageQueued", "MessageSuppressed", "MessageRetired"]);
    const event = (await log.read("message-1"))[1]?.event;
    assert.deepEqual(event?.type === "MessageSuppressed" && event.suppression, { stream: "recipient-shop/r1@there.example", revision: 0 });
  });

  it("is another account's business", async () => {
    const { log, courier, queue, due, perform } = bench();
    log.write("recipient-shop/r1@there.example", suppressed);
    queue(1, { account: "other" });
    await perform(due());
    assert.equal(courier.deliveries.length, 1);
  });

  it("is dialed again once taken off the list", async () => {
    const { log, courier, queue, due, perform } = bench();
    log.write("recipient-shop/r1@there.example", suppressed, {
      type: "SuppressionRemoved",
      at: NOON,
      account: "shop",
      baseAddress: "r1@there.example",
      id: 5,
      by: operator,
    });
    queue(1);
    await perform(due());
    assert.equal(courier.deliveries.length, 1);
  });
});

describe("a recipient whose address no longer parses", () => {
  it("is compared as it stands", () => {
    assert.equal(comparable("R1+x@There.example"), "r1@there.example");
    assert.equal(comparable("Strange Thing"), "strange thing");
  });
});
