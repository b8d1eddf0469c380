/** What follows from events for addresses, held messages and contents. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MINUTE_MS } from "../../../src/domain/clock.ts";
import { anAccount, operator, smtpResult, outgoing } from "../../support/samples.ts";
import { failedWith, succeeded, world } from "../../support/world.ts";
import { eventsOf, readAgain, told, withWebhook } from "./reacting.ts";

describe("a failure that says so", () => {
  it("puts the address on the list, naming its cause, and the next message is not sent", async () => {
    const one = withWebhook();
    one.courier.answer = () => failedWith(550, "5.1.1");
    await one.begin();
    const [id = 0] = await one.send(["Bob+news@there.example"]);
    await one.quiet();
    const [entry] = eventsOf(one.log, "SuppressionAdded");
    assert.deepEqual(
      [entry?.account, entry?.baseAddress, entry?.originalAddress, entry?.manual, entry?.cause],
      ["shop", "bob@there.example", "Bob+news@there.example", false, { stream: `message-${id}`, revision: 2 }],
    );
    await one.send(["bob@there.example"]);
    await one.quiet();
    assert.equal(one.courier.deliveries.length, 1);
    assert.deepEqual(told(one), ["failed", "suppressed"]);
    assert.deepEqual(
      one.caller.calls.map((call) => outgoing(call).suppressing),
      [true, false],
    );
    await one.core.stop(0);
  });

  it("is the third in a row, and a delivery starts the count again", async () => {
    const one = world();
    await one.begin();
    const outcomes = [554, 554, 250, 554, 554, 554];
    for (const code of outcomes) {
      one.courier.answer = () => (code === 250 ? succeeded : failedWith(code));
      await one.send(["bob@there.example"]);
      await one.quiet();
    }
    assert.deepEqual(
      eventsOf(one.log, "RecipientDeliveryFailed").map(({ failures }) => failures),
      [1, 2, 1, 2, 3],
    );
    assert.equal(eventsOf(one.log, "RecipientDeliveryRecovered").length, 1);
    assert.equal(eventsOf(one.log, "SuppressionAdded").length, 1);
    assert.equal(one.courier.deliveries.length, 6);
    await one.core.stop(0);
  });

  it("counts for one account only", async () => {
    const one = world({ accounts: [anAccount(), anAccount({ name: "other", addresses: ["hello@shop.example"] })] });
    one.courier.answer = () => failedWith(554);
    await one.begin();
    for (let times = 0; times < 2; times += 1) {
      await one.send(["bob@there.example"]);
      await one.quiet();
    }
    assert.deepEqual(
      [one.views.failuresInARow("shop", "bob@there.example"), one.views.failuresInARow("other", "bob@there.example")],
      [2, 0],
    );
    await one.core.stop(0);
  });
});

describe("a new hold rule", () => {
  const rule = { account: null, senderDomain: null, recipientDomain: "there.example" };

  it("holds what waits and matches, and nothing else", async () => {
    const one = world();
    one.courier.answer = () => failedWith(451);
    await one.begin();
    const [match = 0, other = 0] = await one.send(["bob@there.example", "eve@elsewhere.example"]);
    await one.quiet();
    const added = await one.core.holdRules.add(rule, operator);
    await one.quiet();
    assert.equal(one.log.types(`message-${match}`).at(-1), "MessageHeld");
    assert.ok(!one.log.types(`message-${other}`).includes("MessageHeld"));
    const held = eventsOf(one.log, "MessageHeld")[0];
    assert.deepEqual(held?.by, { kind: "holdrule", name: `${typeof added === "string" ? "" : added.id}` });
    await one.core.stop(0);
  });

  it("holds page after page", async () => {
    const one = world();
    one.courier.answer = () => failedWith(451);
    await one.begin();
    await one.send(Array.from({ length: 450 }, (_, index) => `r${index}@there.example`));
    await one.quiet();
    await one.core.holdRules.add(rule, operator);
    await one.quiet();
    assert.equal(eventsOf(one.log, "MessageHeld").length, 450);
    await one.core.stop(0);
  });

  it("also holds a message that was queued while the rule was being added", async () => {
    const one = world();
    await one.begin();
    let letGo = (): void => undefined;
    one.log.before = (what, stream) =>
      what === "append" && stream.startsWith("message-") ? new Promise<void>((resolve) => (letGo = resolve)) : undefined;
    const sending = one.send(["bob@there.example"], { releaseAt: one.clock.now() + MINUTE_MS });
    await one.quiet();
    await one.core.holdRules.add(rule, operator);
    await one.quiet();
    one.log.before = () => undefined;
    letGo();
    const [id = 0] = await sending;
    await one.quiet();
    assert.deepEqual(one.log.types(`message-${id}`), ["MessageQueued", "MessageHeld"]);
    await one.core.stop(0);
  });

  it("does not hold again what an operator has released", async () => {
    const one = world();
    await one.begin();
    const [id = 0] = await one.send(["bob@there.example"], { releaseAt: one.clock.now() + MINUTE_MS });
    await one.core.holdRules.add(rule, operator);
    await one.quiet();
    await one.core.queue.act({ type: "release" }, (after) => (after === 0 ? [id] : []), operator);
    await one.quiet();
    const other = await readAgain(one, 0);
    assert.deepEqual(one.log.types(`message-${id}`), ["MessageQueued", "MessageHeld", "MessageReleased"]);
    await other.core.stop(0);
  });
});

describe("the content of a message", () => {
  it("stays until the last of its recipients is done", async () => {
    const one = world();
    one.courier.answer = (address) => (address.startsWith("slow") ? failedWith(451) : succeeded);
    await one.begin();
    const [, slow = 0] = await one.send(["bob@there.example", "slow@there.example", "eve@elsewhere.example"]);
    await one.quiet();
    assert.equal(one.log.contents.ids().length, 1);
    const [shared] = one.log.contents.ids();
    await one.core.queue.act({ type: "fail" }, (after) => (after === 0 ? [slow] : []), operator);
    await one.quiet();
    const [report, ...others] = one.log.contents.ids();
    assert.deepEqual([report === shared, others], [false, []], "only that of the report to the sender");
    await one.core.stop(0);
  });

  it("stays while its only recipient is on hold or unclear", async () => {
    const one = world({ accounts: [anAccount({ uncertainDelivery: "wait" })] });
    one.courier.answer = () => ({ kind: "uncertain", result: smtpResult(0) });
    await one.begin();
    await one.send(["bob@there.example"]);
    await one.quiet();
    assert.equal(one.log.contents.ids().length, 1);
    await one.core.stop(0);
  });
});

describe("a recipient written to for the first time", () => {
  it("is noted once where that is limited, however many messages go there", async () => {
    const one = world({ accounts: [anAccount({ firstTimeRecipientsPerDay: 10 })] });
    await one.begin();
    await one.send(["bob@there.example", "Bob+x@there.example", "eve@there.example"]);
    await one.send(["bob@there.example"]);
    await one.quiet();
    assert.deepEqual(
      eventsOf(one.log, "RecipientContacted")
        .map(({ baseAddress }) => baseAddress)
        .sort(),
      ["bob@there.example", "eve@there.example"],
    );
    await one.core.stop(0);
  });

  it("is not noted where nothing limits it", async () => {
    const one = world();
    await one.begin();
    await one.send(["bob@there.example"]);
    await one.quiet();
    assert.equal(eventsOf(one.log, "RecipientContacted").length, 0);
    await one.core.stop(0);
  });
});
