import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../../src/domain/clock.ts";
import { houses, WEBHOOK_TOKEN, type House } from "../support/posthorn.ts";

const house = houses();

/** As promised, not as the code's table has it. */
const DELAYS_MS = [1, 2, 4, 7.5, 15, 30, 60, 120, 240, 480, 960].map((minutes) => minutes * MINUTE_MS);

/** Moves time to the next attempt of a call, after it was put off for the nth time. */
const toNextAttempt = async ({ awaitEvent, quiet, clock }: House, attempt: number): Promise<number> => {
  const { event } = await awaitEvent("WebhookDeferred", (deferred) => deferred.attempt === attempt);
  await quiet();
  clock.set(event.nextAttemptAt);
  return event.nextAttemptAt - event.at;
};

describe("a webhook call that the receiver does not take", () => {
  it("is made twelve times at growing distances, under one id and with its number, and then has failed", async () => {
    const ours = await house();
    ours.receiver.answer = () => 500;
    await ours.sendTo("bob@there.example");
    for (const [index, delayMs] of DELAYS_MS.entries()) {
      const waitedMs = await toNextAttempt(ours, index + 1);
      assert.ok(Math.abs(waitedMs - delayMs) <= delayMs * 0.01 + 1, `attempt ${index + 2} after ${waitedMs} ms`);
    }
    await ours.awaitEvent("WebhookFailed");
    await ours.quiet();
    const { calls } = ours.receiver;
    assert.deepEqual(
      calls.map(({ headers }) => Number(headers["x-mox-webhook-attempt"])),
      Array.from({ length: 12 }, (_, index) => index + 1),
    );
    assert.equal(new Set(calls.map(({ headers }) => headers["x-mox-webhook-id"])).size, 1);
    assert.equal(new Set(calls.map(({ body }) => JSON.stringify(body))).size, 1, "the body stays the same");
    for (const { headers } of calls) assert.equal(headers.authorization, WEBHOOK_TOKEN);
    const [row] = await ours.list("/webhooks/retired");
    assert.deepEqual([row!["state"], row!["attempts"], row!["lastStatus"]], ["failed", 12, 500]);
    const { attempts } = await ours.admin<{ attempts: readonly unknown[] }>("GET", `/webhooks/${String(row!["id"])}`);
    assert.equal(attempts.length, 12);
  });

  it("arrives when the receiver is back", async () => {
    const ours = await house();
    ours.receiver.answer = () => "cut";
    await ours.sendTo("bob@there.example");
    await toNextAttempt(ours, 1);
    await toNextAttempt(ours, 2);
    await ours.awaitEvent("WebhookDeferred", ({ attempt }) => attempt === 3);
    ours.receiver.answer = () => 200;
    await toNextAttempt(ours, 3);
    await ours.awaitEvent("WebhookDelivered", ({ attempt }) => attempt === 4);
  });

  it("ends at once when the receiver says that it is gone", async () => {
    const ours = await house();
    ours.receiver.answer = () => 410;
    await ours.sendTo("bob@there.example");
    await ours.awaitEvent("WebhookFailed", ({ attempt }) => attempt === 1);
    await ours.pass(48 * HOUR_MS);
    assert.equal(ours.receiver.calls.length, 1);
  });

  for (const status of [429, 503]) {
    it(`waits as long as a ${status} with Retry-After asks for`, async () => {
      const ours = await house();
      ours.receiver.answer = () => ({ status, headers: { "Retry-After": "1800" } });
      await ours.sendTo("bob@there.example");
      assert.equal(await toNextAttempt(ours, 1), 1_800 * SECOND_MS);
      await ours.awaitEvent("WebhookDeferred", ({ attempt }) => attempt === 2);
    });
  }

  it("does not follow a redirect", async () => {
    const ours = await house();
    ours.receiver.answer = ({ path }) => (path === "/hook" ? { status: 302, headers: { Location: "/elsewhere" } } : 200);
    await ours.sendTo("bob@there.example");
    const { event } = await ours.awaitEvent("WebhookDeferred");
    assert.equal(event.result.status, 302);
    await ours.quiet();
    assert.deepEqual(
      ours.receiver.calls.map(({ path }) => path),
      ["/hook"],
    );
  });
});

describe("a webhook call answered with another success than 200", () => {
  it("is done", async () => {
    const ours = await house();
    ours.receiver.answer = () => 204;
    await ours.sendTo("bob@there.example");
    assert.equal((await ours.awaitEvent("WebhookDelivered")).event.result.status, 204);
    await ours.pass(HOUR_MS);
    assert.equal(ours.receiver.calls.length, 1);
  });
});

describe("a webhook in a network that the operator has not allowed", () => {
  it("is never called", async () => {
    const ours = await house({ config: { webhooks: { allowedNetworks: [] } } });
    await ours.sendTo("bob@there.example");
    const { event } = await ours.awaitEvent("WebhookDeferred");
    assert.equal(event.result.status, 0);
    assert.notEqual(event.result.error, "");
    await ours.quiet();
    assert.deepEqual(ours.receiver.calls, []);
  });
});

describe("an account that wants to hear of failures only", () => {
  it("hears of nothing else", async () => {
    const reply = new Map([["bad@there.example", "550 5.1.1 No such user"]]);
    const ours = await house({
      webhook: { events: ["failed"] },
      remote: { script: ({ phase, line }) => (phase === "RCPT" ? reply.get(/<(.*)>/u.exec(line)![1]!) : undefined) },
    });
    await ours.send({ To: [{ Address: "bob@there.example" }, { Address: "bad@there.example" }] });
    await ours.quiet();
    assert.deepEqual(
      ours.receiver.calls.map(({ body }) => body.Event),
      ["failed"],
    );
  });
});

/** A message that is deferred twice and then delivered, while the receiver is down. */
const eventfulMessage = async (mode: string): Promise<House> => {
  let refusals = 2;
  const ours = await house({
    webhook: { mode },
    remote: { script: ({ phase }) => (phase === "RCPT" && refusals-- > 0 ? "451 4.3.2 Not now" : undefined) },
  });
  ours.receiver.answer = () => 500;
  await ours.sendTo("bob@there.example");
  for (const attempt of [1, 2]) {
    const { event } = await ours.awaitEvent("DeliveryDeferred", (deferred) => deferred.attempt === attempt);
    await ours.passTo(event.nextAttemptAt);
  }
  await ours.awaitEvent("DeliverySucceeded");
  await ours.quiet();
  return ours;
};

describe("events of one message while the receiver is down", () => {
  it("take each other's place where the account wants the latest", async () => {
    const ours = await eventfulMessage("latest");
    assert.deepEqual(
      (await ours.list("/webhooks")).map(({ event }) => event),
      ["delivered"],
    );
    const retired = await ours.list("/webhooks/retired?direction=ascending");
    assert.deepEqual(
      retired.map(({ event, state }) => [event, state]),
      [
        ["delayed", "superseded"],
        ["delayed", "superseded"],
      ],
    );
    assert.equal(retired[0]!["supersededBy"], retired[1]!["id"]);

    ours.receiver.answer = () => 200;
    const before = ours.receiver.calls.length;
    await ours.pass(2 * HOUR_MS);
    assert.deepEqual(
      ours.receiver.calls.slice(before).map(({ body }) => body.Event),
      ["delivered"],
    );
    assert.deepEqual(await ours.list("/webhooks"), []);
  });

  it("all arrive, in order, where the account wants every one", async () => {
    const ours = await eventfulMessage("every");
    const waiting = await ours.list("/webhooks");
    assert.deepEqual(waiting.map(({ state }) => state).sort(), ["queued", "waiting", "waiting"]);
    assert.ok(
      ours.receiver.calls.every(({ body }) => body.Event === "delayed"),
      "none overtakes the first",
    );

    ours.receiver.answer = () => 200;
    const before = ours.receiver.calls.length;
    await ours.pass(17 * HOUR_MS);
    assert.deepEqual(
      ours.receiver.calls.slice(before).map(({ body }) => body.Event),
      ["delayed", "delayed", "delivered"],
    );
    assert.deepEqual(await ours.list("/webhooks"), []);
  });
});

describe("an operator", () => {
  it("makes a call at once, or ends it", async () => {
    const ours = await house();
    ours.receiver.answer = () => 500;
    await ours.sendTo("bob@there.example");
    await ours.sendTo("ann@there.example");
    await ours.quiet();
    const [first, second] = (await ours.list("/webhooks")).map(({ id }) => id);
    ours.receiver.answer = () => 200;
    await ours.admin("POST", "/webhooks/actions", { action: { type: "scheduleIn", inMs: 0 }, ids: [first] });
    await ours.admin("POST", "/webhooks/actions", { action: { type: "cancel" }, ids: [second] });
    await ours.awaitEvent("WebhookDelivered", (_, { stream }) => stream === `webhook-${String(first)}`);
    await ours.pass(48 * HOUR_MS);
    assert.equal(ours.receiver.calls.length, 3);
    assert.deepEqual((await ours.list("/webhooks/retired")).map(({ state }) => state).sort(), ["canceled", "delivered"]);
  });
});
