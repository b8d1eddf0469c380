/** What follows from events follows once, however often the reactions read them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { OutgoingWebhook } from "../../../src/domain/account/account.ts";
import { MINUTE_MS } from "../../../src/domain/clock.ts";
import type { DomainEvent } from "../../../src/domain/events.ts";
import type { MessageFinder } from "../../../src/domain/operations/operations.ts";
import { REACTIONS_CHECKPOINT, reactions } from "../../../src/domain/runtime/reactions.ts";
import type { OutgoingEvent } from "../../../src/domain/webhook/events.ts";
import { memoryLog, type MemoryLog } from "../../support/memory-log.ts";
import { anAccount, directoryOf, happened, operator, smtpResult } from "../../support/samples.ts";
import { failedWith, refusedWith, succeeded, taken, world, type World } from "../../support/world.ts";

const webhook = (changes: Partial<OutgoingWebhook> = {}): OutgoingWebhook => ({
  url: "https://hooks.shop.example/mail",
  events: null,
  mode: "latest",
  ...changes,
});

const withWebhook = (changes: Partial<OutgoingWebhook> = {}, more: Parameters<typeof anAccount>[0] = {}): World =>
  world({ accounts: [anAccount({ outgoingWebhook: webhook(changes), ...more })] });

const eventsOf = <Type extends DomainEvent["type"]>(log: MemoryLog, type: Type): readonly Extract<DomainEvent, { type: Type }>[] =>
  log.all().flatMap(({ event }) => (event.type === type ? [event as Extract<DomainEvent, { type: Type }>] : []));

/** Finds all messages that were ever queued. */
const messagesOf =
  (one: World): MessageFinder =>
  (after, limit) =>
    eventsOf(one.log, "MessageQueued")
      .map(({ id }) => id)
      .filter((id) => id > after)
      .slice(0, limit);

const never = (): never => {
  throw new Error("not asked for");
};

const told = (one: World): readonly OutgoingEvent[] => one.caller.calls.map(({ payload }) => payload.event);

/** Ends the core, then lets another read everything again from a place in the log. */
const readAgain = async (one: World, from: number): Promise<World> => {
  await one.core.stop(0);
  one.log.checkpoints.set(REACTIONS_CHECKPOINT, from);
  const other = world({ log: one.log, clock: one.clock, accounts: [anAccount({ outgoingWebhook: webhook(), firstTimeRecipientsPerDay: 100 })] });
  other.courier.answer = one.courier.answer;
  await other.begin();
  return other;
};

describe("an account with a webhook", () => {
  it("is called for what becomes of a message, and the call names its cause", async () => {
    const one = withWebhook();
    await one.begin();
    const [id = 0] = await one.send(["bob@there.example"]);
    await one.quiet();
    assert.deepEqual(told(one), ["delivered"]);
    assert.equal(one.caller.calls[0]?.payload.queueMsgId, id);
    const [call] = eventsOf(one.log, "WebhookQueued");
    assert.deepEqual(call?.cause, { stream: `message-${id}`, revision: 2 });
    assert.equal(call?.host, "hooks.shop.example");
    assert.equal(call?.after, null);
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
    assert.deepEqual([first?.payload.event, second?.payload.event], ["delayed", "failed"]);
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
    one.caller.answer = ({ payload }) => (payload.event === "delayed" ? new Promise((resolve) => (answer = resolve)) : taken);
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
    for (const command of [{ type: "attempt", deadlineMs: 1 }, { type: "record", attempt: 1, outcome: failedWith(451), failuresBefore: 0 }, { type: "cancel", by: operator }] as const) {
      await one.core.messages.execute(stream, command);
    }
    one.views.follows = "soon";
    one.views.catchUp();
    await one.quiet();
    const [first, second] = eventsOf(one.log, "WebhookQueued");
    assert.deepEqual([first?.payload.event, second?.payload.event, second?.after], ["delayed", "canceled", first?.id]);
    assert.deepEqual(told(one), ["delayed", "canceled"]);
    await one.core.stop(0);
  });

  for (const race of ["ends before the next is stored", "ends after the next is stored"] as const) {
    it(`is not left waiting when a call ${race}`, async () => {
      const one = withWebhook({ mode: "every" });
      let answer: (outcome: typeof taken) => void = () => undefined;
      one.courier.answer = () => failedWith(451);
      one.caller.answer = ({ payload }) => (payload.event === "delayed" ? new Promise((resolve) => (answer = resolve)) : taken);
      await one.begin();
      const [id = 0] = await one.send(["bob@there.example"]);
      await one.quiet();
      if (race === "ends before the next is stored") {
        // The birth of the second call is kept back until the first is done.
        let letGo = (): void => undefined;
        one.log.before = (what, _stream, writes) =>
          what === "append" && writes[0]?.events[0]?.type === "WebhookQueued" ? new Promise<void>((resolve) => (letGo = resolve)) : undefined;
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
    assert.deepEqual(one.caller.calls.map(({ payload }) => payload.suppressing), [true, false]);
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
    assert.deepEqual([one.views.failuresInARow("shop", "bob@there.example"), one.views.failuresInARow("other", "bob@there.example")], [2, 0]);
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
    one.log.before = (what, stream) => (what === "append" && stream.startsWith("message-") ? new Promise<void>((resolve) => (letGo = resolve)) : undefined);
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
    await one.core.queue.act({ type: "fail" }, (after) => (after === 0 ? [slow] : []), operator);
    await one.quiet();
    assert.deepEqual(one.log.contents.ids(), []);
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
    assert.deepEqual(eventsOf(one.log, "RecipientContacted").map(({ baseAddress }) => baseAddress).sort(), ["bob@there.example", "eve@there.example"]);
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

describe("reactions that read again what they have read", () => {
  /** Everything that causes a reaction, in one log. */
  const busyDay = async (): Promise<World> => {
    const one = withWebhook({}, { firstTimeRecipientsPerDay: 100 });
    one.courier.answer = (address) => (address.startsWith("gone") ? failedWith(550, "5.1.1") : address.startsWith("full") ? failedWith(554) : address.startsWith("slow") ? failedWith(451) : succeeded);
    one.caller.answer = ({ payload }) => (payload.event === "delayed" ? refusedWith(500) : taken);
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
      assert.deepEqual(one.log.all().slice(before.length).map(({ event }) => event), [], `from ${from}`);
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
    assert.deepEqual(eventsOf(one.log, "RecipientDeliveryFailed").map(({ failures }) => failures), [1, 1, 1]);
    assert.equal(eventsOf(one.log, "SuppressionAdded").length, 3);
    await other.core.stop(0);
  });
});

describe("who waits for the reactions", () => {
  const over = (log: MemoryLog) => {
    const { core, views } = world({ log });
    const { messages, webhooks } = core;
    const none = { execute: never, create: never, load: never };
    return reactions({ log, contents: log.contents, messages, webhooks, recipients: none, holdRules: none, readModel: views, directory: directoryOf([]) });
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
    log.write("message-42", happened("MessageQueued"));
    const failed = over(log);
    await Promise.all([
      assert.rejects(failed.run(new AbortController().signal), /disk broken/),
      assert.rejects(failed.passed(log.head()), /have failed/),
    ]);
    assert.equal(log.checkpoints.size, 0);
  });
});
