/** What operators do to many messages at once, to calls, hold rules and the suppression list. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HOUR_MS, MINUTE_MS } from "../../../src/domain/clock.ts";
import type { MessageEvent } from "../../../src/domain/message/events.ts";
import type { MessageFinder, QueueAction } from "../../../src/domain/operations/operations.ts";
import { addressOf, anAccount, called, happened, operator } from "../../support/samples.ts";
import { refusedWith, succeeded, world, type World } from "../../support/world.ts";

const only =
  (ids: readonly number[]): MessageFinder =>
  (after, limit) =>
    ids.filter((id) => id > after).slice(0, limit);

/** A world without a scheduler that works, with messages that wait. */
const withQueue = async (count: number): Promise<{ readonly one: World; readonly ids: readonly number[] }> => {
  const one = world();
  const ids = await one.send(Array.from({ length: count }, (_, index) => `r${index}@there.example`));
  return { one, ids };
};

const lastOf = async (one: World, id: number): Promise<MessageEvent | undefined> =>
  (await one.log.read(`message-${id}`)).at(-1)?.event as MessageEvent | undefined;

describe("an action on the queue", () => {
  const ACTIONS: readonly (readonly [QueueAction, (now: number) => Partial<MessageEvent>])[] = [
    [{ type: "hold" }, () => ({ type: "MessageHeld" })],
    [{ type: "postpone", byMs: HOUR_MS }, (now) => ({ type: "MessageRescheduled", nextAttemptAt: now + HOUR_MS })],
    [{ type: "setTransport", transport: "relay" }, () => ({ type: "MessageTransportSet", transport: "relay" })],
    [{ type: "setRequireTls", requireTls: false }, () => ({ type: "MessageRequireTlsSet", requireTls: false })],
  ];
  for (const [action, expected] of ACTIONS) {
    it(`${action.type} is recorded with who asked for it`, async () => {
      const { one, ids } = await withQueue(1);
      const report = await one.core.queue.act(action, only(ids), operator);
      assert.deepEqual(report, { matched: 1, changed: 1, refused: {} });
      assert.deepEqual(await lastOf(one, ids[0] ?? 0), { at: one.clock.now(), by: operator, ...expected(one.clock.now()) });
    });
  }

  it("fail and drop end messages with their own event", async () => {
    for (const [type, event] of [
      ["fail", "MessageFailed"],
      ["drop", "MessageCanceled"],
    ] as const) {
      const { one, ids } = await withQueue(1);
      await one.core.queue.act({ type }, only(ids), operator);
      assert.deepEqual(one.log.types(`message-${ids[0] ?? 0}`), ["MessageQueued", event, "MessageRetired"]);
    }
  });

  it("schedule and release say when, and undo a hold", async () => {
    const { one, ids } = await withQueue(1);
    const at = one.clock.now() + MINUTE_MS;
    await one.core.queue.act({ type: "schedule", at }, only(ids), operator);
    await one.core.queue.act({ type: "hold" }, only(ids), operator);
    await one.core.queue.act({ type: "release" }, only(ids), operator);
    assert.deepEqual(one.log.types(`message-${ids[0] ?? 0}`), ["MessageQueued", "MessageRescheduled", "MessageHeld", "MessageReleased"]);
  });

  it("reaches what was queued a moment ago, however far the views are behind", async () => {
    const one = world();
    one.views.follows = "manually";
    const ids = await one.send(["late@there.example"]);
    const found: MessageFinder = (after, limit) => (one.views.position() < one.log.head() ? [] : only(ids)(after, limit));
    const report = one.core.queue.act({ type: "schedule", at: one.clock.now() + HOUR_MS }, found, operator);
    one.views.follows = "soon";
    one.views.catchUp();
    assert.deepEqual(await report, { matched: 1, changed: 1, refused: {} });
  });

  it("reaches all that match, page after page, each once", async () => {
    const { one, ids } = await withQueue(1_000);
    assert.deepEqual(await one.core.queue.act({ type: "hold" }, only(ids), operator), { matched: 1_000, changed: 1_000, refused: {} });
    assert.equal(one.log.all().filter(({ event }) => event.type === "MessageHeld").length, 1_000);
  });

  it("stops at the number asked for", async () => {
    for (const most of [0, 1, 199, 200, 201, 450]) {
      const { one, ids } = await withQueue(500);
      const report = await one.core.queue.act({ type: "hold" }, only(ids), operator, most);
      assert.deepEqual([report.matched, report.changed], [most, most]);
    }
  });

  it("changes nothing where it is so already, and counts what refused by its state", async () => {
    const { one, ids } = await withQueue(5);
    const [first = 0, second = 0, third = 0] = ids;
    await one.core.queue.act({ type: "hold" }, only([first]), operator);
    await one.core.queue.act({ type: "drop" }, only([second]), operator);
    await one.core.messages.execute(`message-${third}`, { type: "attempt", deadlineMs: 1 });
    const { head } = one.log;
    const before = head();
    const report = await one.core.queue.act({ type: "hold" }, only([...ids, Number.MAX_SAFE_INTEGER]), operator);
    assert.deepEqual(report, { matched: 6, changed: 3, refused: { retired: 1, unborn: 1 } });
    assert.ok(head() > before);
    assert.deepEqual(await one.core.queue.act({ type: "drop" }, only([third]), operator), {
      matched: 1,
      changed: 0,
      refused: { attempting: 1 },
    });
  });

  it("answers when the views show it", async () => {
    const { one, ids } = await withQueue(3);
    one.views.catchUp();
    one.views.follows = "manually";
    let answered = false;
    const acting = one.core.queue.act({ type: "hold" }, only(ids), operator).then(() => (answered = true));
    await one.quiet();
    assert.equal(answered, false);
    one.views.catchUp();
    await acting;
    assert.deepEqual(one.views.matching({ account: null, senderDomain: null, recipientDomain: null }, 0, 10), []);
  });

  it("on messages that the scheduler is about to take does not make the core spin", async () => {
    const one = world();
    await one.begin();
    one.views.follows = "manually";
    // Stored by somebody else: what the core itself queues it takes up at once.
    const ids = [42, 43];
    for (const id of ids) one.log.write(`message-${id}`, happened("MessageQueued", { id, nextAttemptAt: one.clock.now() }));
    await Promise.all(ids.map((id) => one.core.messages.execute(`message-${id}`, { type: "hold", by: operator })));
    // The views show the messages as due, though they are on hold.
    one.views.catchUp(one.log.all().findLast(({ event }) => event.type === "MessageQueued")?.position);
    await one.quiet();
    assert.equal(one.courier.deliveries.length, 0);
    one.views.catchUp();
    await one.quiet();
    await one.core.stop(0);
  });
});

describe("an action on webhook calls", () => {
  const withCalls = (): World => {
    const one = world();
    for (const id of [90, 91]) one.log.write(`webhook-${id}`, called("WebhookQueued", { id }));
    one.log.write("webhook-92", called("WebhookQueued", { id: 92 }), called("WebhookAttempted"));
    return one;
  };

  it("cancels, and counts what refused by its state", async () => {
    const one = withCalls();
    assert.deepEqual(await one.core.calls.act({ type: "cancel" }, [90, 92, 99], operator), {
      matched: 3,
      changed: 1,
      refused: { attempting: 1, unborn: 1 },
    });
    assert.deepEqual(one.log.types("webhook-90"), ["WebhookQueued", "WebhookCanceled", "WebhookRetired"]);
  });

  it("schedules, once", async () => {
    const one = withCalls();
    const action = { type: "schedule", at: one.clock.now() + HOUR_MS } as const;
    assert.deepEqual(await one.core.calls.act(action, [90, 91], operator), { matched: 2, changed: 2, refused: {} });
    assert.deepEqual(await one.core.calls.act(action, [90, 91], operator), { matched: 2, changed: 0, refused: {} });
  });
});

describe("hold rules", () => {
  const rule = { account: null, senderDomain: "shop.example", recipientDomain: null };

  it("are added once and removed once, and what they hold stays on hold", async () => {
    const one = world();
    const added = await one.core.holdRules.add(rule, operator);
    assert.ok(added !== "exists");
    assert.equal(await one.core.holdRules.add(rule, operator), "exists");
    const [id = 0] = await one.send(["bob@there.example"]);
    assert.equal(await one.core.holdRules.remove(added.id, operator), "removed");
    assert.equal(await one.core.holdRules.remove(added.id, operator), "notFound");
    await one.quiet();
    assert.deepEqual(one.log.types(`message-${id}`), ["MessageQueued", "MessageHeld"]);
    const [free = 0] = await one.send(["bob@there.example"]);
    assert.deepEqual(one.log.types(`message-${free}`), ["MessageQueued"]);
  });

  it("of the configuration come back neither after a restart nor after their removal", async () => {
    const options = { seedHoldRules: [{ seed: "quarantine", rule }] };
    const one = world({ options });
    await one.begin();
    await one.core.stop(0);
    const again = world({ log: one.log, clock: one.clock, options });
    await again.begin();
    const rules = one.log.all().filter(({ stream }) => stream === "holdrules");
    assert.equal(rules.length, 1);
    const [added] = rules;
    await again.core.holdRules.remove(added?.event.type === "HoldRuleAdded" ? added.event.id : 0, operator);
    await again.core.stop(0);
    const last = world({ log: one.log, clock: one.clock, options });
    await last.begin();
    assert.equal(one.log.all().filter(({ stream }) => stream === "holdrules").length, 2);
    await last.core.stop(0);
  });
});

describe("the suppression list", () => {
  const bob = addressOf("Bob+news@there.example");
  const entry = { manual: true, reason: "asked to", by: operator };

  it("takes an address once, shows it under its base address at once, and loses it once", async () => {
    const one = world();
    const { suppressions } = one.core;
    assert.equal(await suppressions.present("shop", bob), false);
    assert.equal(await suppressions.add("shop", bob, entry), "added");
    assert.notEqual(one.views.suppression("shop", "bob@there.example"), undefined);
    assert.equal(await suppressions.present("shop", addressOf("bob@there.example")), true);
    assert.equal(await suppressions.present("other", bob), false);
    assert.equal(await suppressions.add("shop", addressOf("BOB@there.example"), entry), "alreadyPresent");
    assert.equal(await suppressions.remove("shop", addressOf("bob+x@there.example"), operator), "removed");
    assert.equal(await suppressions.remove("shop", bob, operator), "notPresent");
    assert.equal(await suppressions.present("shop", bob), false);
  });

  it("ends what waits for the address when its time comes, and lets it through again once removed", async () => {
    const accounts = [anAccount()];
    const one = world({ accounts });
    one.caller.answer = () => refusedWith(500);
    await one.begin();
    await one.core.suppressions.add("shop", bob, entry);
    const [id = 0] = await one.send(["bob@there.example"]);
    await one.quiet();
    assert.deepEqual(one.log.types(`message-${id}`), ["MessageQueued", "MessageSuppressed", "MessageRetired"]);
    await one.core.suppressions.remove("shop", bob, operator);
    one.courier.answer = () => succeeded;
    await one.send(["bob@there.example"]);
    await one.quiet();
    assert.equal(one.courier.deliveries.length, 1);
    await one.core.stop(0);
  });
});
