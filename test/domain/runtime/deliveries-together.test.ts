/** Who travels in one transaction, and who does not travel at all. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { QueuedMessage } from "../../../src/domain/message/events.ts";
import { comparable } from "../../../src/domain/runtime/deliveries.ts";
import { happened, NOON, operator } from "../../support/samples.ts";
import { bench } from "./delivering.ts";

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
      envelopeId: "Zc2oPq5mTkSxkB0yVQf8Yw",
      returnContent: null,
    });
  });

  it("leave the lane when the last of their transactions is over, and before what came of it is stored", async () => {
    const { courier, queue, due, perform, log } = bench();
    queue(1);
    queue(2, { submissionId: 77 });
    const transactions: number[] = [];
    const stored: number[] = [];
    await perform(due(), () => {
      transactions.push(courier.deliveries.length);
      stored.push(log.all().filter(({ event }) => event.type === "DeliverySucceeded").length);
    });
    assert.deepEqual(transactions, [2]);
    assert.notDeepEqual(stored, [2]);
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
