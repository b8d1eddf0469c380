/** The core as a whole: a message's whole life, a crash in the middle of it, and an orderly stop. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../../../src/domain/clock.ts";
import { anAccount, called, happened, httpResult, outgoing } from "../../support/samples.ts";
import { failedWith, refusedWith, succeeded, taken, world, type World } from "../../support/world.ts";

const account = anAccount({ outgoingWebhook: { url: "https://hooks.shop.example/mail", events: null, mode: "latest" } });

const count = (one: World, type: string): number => one.log.all().filter(({ event }) => event.type === type).length;

describe("a message", () => {
  it("lives from its submission to its deletion by itself", async () => {
    const one = world({ accounts: [account] });
    await one.begin();
    const [id = 0] = await one.send(["bob@there.example"]);
    await one.quiet();
    assert.deepEqual(one.log.types(`message-${id}`), ["MessageQueued", "DeliveryAttempted", "DeliverySucceeded", "MessageRetired"]);
    assert.deepEqual(
      one.caller.calls.map((call) => outgoing(call).event),
      ["delivered"],
    );
    assert.deepEqual(one.log.contents.ids(), []);
    await one.pass(DAY_MS);
    await one.pass(SECOND_MS);
    assert.deepEqual(one.log.all(), []);
    assert.deepEqual(one.troubles, []);
    await one.core.stop(0);
  });

  it("is attempted eight times over fifteen hours and a half, then fails", async () => {
    const one = world({ accounts: [account] });
    one.courier.answer = () => failedWith(451);
    await one.begin();
    const startedAt = one.clock.now();
    await one.send(["bob@there.example"]);
    await one.quiet();
    const at: number[] = [];
    for (let seen = 0; one.clock.now() < startedAt + 20 * HOUR_MS;) {
      if (one.courier.deliveries.length > seen) at.push((one.clock.now() - startedAt) / MINUTE_MS);
      seen = one.courier.deliveries.length;
      await one.pass(30 * SECOND_MS);
    }
    assert.deepEqual(at, [0, 7.5, 22.5, 52.5, 112.5, 232.5, 472.5, 952.5]);
    assert.equal(count(one, "DeliveryDeferred"), 7);
    assert.equal(count(one, "DeliveryFailed"), 1);
    await one.core.stop(0);
  });

  it("to many goes in transactions of a hundred for each domain", async () => {
    const one = world();
    await one.begin();
    await one.send([...Array.from({ length: 250 }, (_, index) => `r${index}@a.example`), "x@b.example", "y@b.example"]);
    await one.quiet();
    const sizes = one.courier.deliveries.map(({ recipients }) => recipients.length);
    assert.ok(sizes.length <= 6 && sizes.every((size) => size <= 100), sizes.join());
    assert.equal(
      sizes.reduce((sum, size) => sum + size),
      252,
    );
    assert.equal(one.courier.deliveries.filter(({ recipientDomain }) => recipientDomain === "b.example").length, 1);
    await one.core.stop(0);
  });
});

describe("a crash", () => {
  it("leaves attempts behind that the next start takes up again at once", async () => {
    const one = world({ accounts: [account] });
    one.log.write("message-42", happened("MessageQueued"), happened("DeliveryAttempted", { nextAttemptAt: one.clock.now() + 8 * HOUR_MS }));
    one.log.write(
      "webhook-90",
      called("WebhookQueued", { messageRef: 7 }),
      called("WebhookAttempted", { nextAttemptAt: one.clock.now() + 8 * HOUR_MS }),
    );
    assert.equal(await one.core.prepare(), 2);
    one.core.start();
    await one.quiet();
    assert.deepEqual(one.log.types("message-42").slice(2), [
      "DeliveryInterrupted",
      "DeliveryAttempted",
      "DeliverySucceeded",
      "MessageRetired",
    ]);
    assert.deepEqual(one.log.types("webhook-90").slice(2), [
      "WebhookInterrupted",
      "WebhookAttempted",
      "WebhookDelivered",
      "WebhookRetired",
    ]);
    await one.core.stop(0);
  });

  it("of another node leaves its attempts alone until their time is over", async () => {
    const { log, clock } = world();
    const shared = world({ log: { ...log, exclusive: false }, clock });
    log.write("message-42", happened("MessageQueued"), happened("DeliveryAttempted", { nextAttemptAt: clock.now() + 8 * MINUTE_MS }));
    assert.equal(await shared.core.prepare(), 0);
    shared.core.start();
    await shared.quiet();
    assert.equal(log.types("message-42").length, 2);
    await shared.pass(8 * MINUTE_MS);
    assert.equal(log.types("message-42").at(-1), "MessageRetired");
    await shared.core.stop(0);
  });

  it("does not make the next start give out ids that are taken, though the clock is behind", async () => {
    const one = world();
    const [first = 0] = await one.send(["bob@there.example"]);
    const late = world({ log: one.log });
    const past = { ...late.clock, now: () => late.clock.now() - HOUR_MS };
    const behind = world({ log: one.log, clock: past });
    await behind.core.prepare();
    assert.ok(behind.core.nextId() > first);
  });
});

describe("a stop", () => {
  it("lets what runs end within its grace, and records it", async () => {
    const one = world();
    let answer = (): void => undefined;
    one.courier.answer = () =>
      new Promise((resolve) => {
        answer = () => {
          resolve(succeeded);
        };
      });
    await one.begin();
    await one.send(["bob@there.example"]);
    await one.quiet();
    let stopped = false;
    const stopping = one.core.stop(10 * SECOND_MS).then(() => (stopped = true));
    await one.quiet();
    assert.equal(stopped, false);
    answer();
    await stopping;
    assert.equal(count(one, "DeliverySucceeded"), 1);
    assert.equal(one.clock.pending(), 0);
  });

  it("has what outlasts its grace abandoned, and the next start goes on without delay", async () => {
    const one = world({ accounts: [account] });
    one.courier.answer = (_address, _delivery, signal) =>
      new Promise((resolve) => signal.addEventListener("abort", () => resolve({ kind: "interrupted", reason: "the server stops" })));
    one.caller.answer = (_call, signal) =>
      new Promise((resolve) => signal.addEventListener("abort", () => resolve({ kind: "interrupted", reason: "the server stops" })));
    await one.begin();
    one.log.write("webhook-90", called("WebhookQueued", { messageRef: 7 }));
    await one.send(["bob@there.example"]);
    await one.quiet();
    const stopping = one.core.stop(10 * SECOND_MS);
    one.clock.advance(10 * SECOND_MS);
    await stopping;
    assert.equal(count(one, "DeliveryInterrupted"), 1);
    assert.equal(count(one, "WebhookInterrupted"), 1);
    const next = world({ log: one.log, clock: one.clock, accounts: [account] });
    assert.equal(await next.core.prepare(), 0);
    next.core.start();
    await next.quiet();
    assert.equal(count(one, "DeliverySucceeded"), 1);
    assert.equal(count(one, "WebhookDelivered"), 2);
    await next.core.stop(0);
  });

  it("takes up nothing new", async () => {
    const one = world();
    await one.begin();
    await one.core.stop(0);
    await one.send(["bob@there.example"]);
    await one.pass(HOUR_MS);
    assert.equal(one.courier.deliveries.length, 0);
  });

  it("does not hang when the reactions have failed with streams left to delete", async () => {
    const one = world({ accounts: [anAccount({ keepRetiredMessageMs: 0 })] });
    await one.begin();
    one.log.checkpoints.set = () => {
      throw new Error("disk broken");
    };
    await one.send(["bob@there.example"]);
    await one.quiet();
    assert.match(String(one.failures[0]), /disk broken/);
    await one.core.stop(0);
  });
});

describe("a store in trouble", () => {
  it("is told, and everything goes on when it is well again", async () => {
    const one = world({ accounts: [account] });
    await one.begin();
    let appends = 0;
    one.log.before = (what, stream) => {
      // The first one is the birth.
      if (what === "append" && stream.startsWith("message-") && ++appends > 1) throw new Error("disk full");
    };
    const [id = 0] = await one.send(["bob@there.example"]);
    await one.quiet();
    assert.equal(one.courier.deliveries.length, 0);
    assert.match(String(one.troubles[0]), /disk full/);
    one.log.before = () => undefined;
    await one.pass(SECOND_MS);
    assert.equal(one.log.types(`message-${id}`).at(-1), "MessageRetired");
    await one.core.stop(0);
  });
});

describe("a webhook receiver that is slow", () => {
  it("does not keep mail from going out, nor the calls to other hosts", async () => {
    const other = anAccount({
      name: "other",
      addresses: ["hello@shop.example"],
      outgoingWebhook: { url: "https://fast.example/", events: null, mode: "latest" },
    });
    const one = world({ accounts: [account, other] });
    one.caller.answer = ({ url }) => (url.includes("hooks") ? new Promise(() => undefined) : taken);
    await one.begin();
    await one.send(Array.from({ length: 40 }, (_, index) => `r${index}@there.example`));
    await one.quiet();
    const from = { account: other, from: { localPart: "hello", domain: "shop.example", text: "hello@shop.example" } };
    await one.send(["bob@there.example"], from);
    await one.quiet();
    assert.equal(count(one, "DeliverySucceeded"), 41);
    assert.equal(count(one, "WebhookDelivered"), 1);
  });

  it("is called twelve times over a day and a half", async () => {
    const one = world({ accounts: [account] });
    one.caller.answer = () => refusedWith(500);
    await one.begin();
    await one.send(["bob@there.example"]);
    await one.quiet();
    for (let hours = 0; hours < 40; hours += 1) for (let part = 0; part < 60; part += 1) await one.pass(MINUTE_MS);
    assert.equal(one.caller.calls.length, 12);
    assert.equal(count(one, "WebhookFailed"), 1);
    await one.core.stop(0);
  });

  it("that never answers is given up after twelve calls too", async () => {
    const one = world({ accounts: [account] });
    one.caller.answer = () =>
      new Promise((resolve) => {
        one.clock.timer(one.clock.now() + one.caller.deadlineMs, () => {
          resolve({ kind: "unreachable", result: httpResult(0) });
        });
      });
    await one.begin();
    await one.send(["bob@there.example"]);
    await one.quiet();
    for (let minutes = 0; minutes < 40 * 60; minutes += 1) await one.pass(MINUTE_MS);
    assert.equal(one.caller.calls.length, 12);
    assert.equal(count(one, "WebhookInterrupted"), 0);
    assert.equal(count(one, "WebhookFailed"), 1);
    await one.core.stop(0);
  });
});
