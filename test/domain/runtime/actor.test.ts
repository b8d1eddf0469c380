/** Turns: serial per stream, nothing acted on before it is stored, nothing remembered that is not. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MINUTE_MS } from "../../../src/domain/clock.ts";
import type { MessageCommand, MessageTerms } from "../../../src/domain/message/commands.ts";
import { actorRuntime, ContentionError } from "../../../src/domain/runtime/actor.ts";
import { HOLD_RULES_STREAM } from "../../../src/domain/holdrule/events.ts";
import { holdRulesKind, messageKind, type HoldRuleSet, type Messages } from "../../../src/domain/runtime/kinds.ts";
import { memoryLog, type MemoryLog } from "../../support/memory-log.ts";
import { aMessage, happened, NOON, operator } from "../../support/samples.ts";

const STREAM = "message-42";
const hold: MessageCommand = { type: "hold", by: operator };
const release: MessageCommand = { type: "release", by: operator };
const attempt: MessageCommand = { type: "attempt", deadlineMs: MINUTE_MS };
const queue: MessageCommand = { type: "queue", message: aMessage(), holdBy: null };

const messagesOver = (log: MemoryLog, remember = 10): Messages => {
  let id = 1_000;
  return actorRuntime({
    log,
    kind: messageKind,
    remember,
    terms: (): MessageTerms => ({ now: NOON, spread: 0, callIds: [++id, ++id], policy: { keepRetiredMs: 0, uncertainDelivery: "wait" } }),
  });
};

const withQueued = (options?: { readonly exclusive: boolean }): { readonly log: MemoryLog; readonly messages: Messages } => {
  const log = memoryLog(options);
  log.write(STREAM, happened("MessageQueued"));
  return { log, messages: messagesOver(log) };
};

/** Counts what is read from the store. */
const countReads = (log: MemoryLog): (() => number) => {
  let reads = 0;
  log.before = (what) => {
    if (what === "read") reads += 1;
  };
  return () => reads;
};

describe("a turn", () => {
  it("stores what was decided and hands over the effects", async () => {
    const { log, messages } = withQueued();
    const turn = await messages.execute(STREAM, attempt);
    if (turn.kind === "refused") assert.fail("refused");
    assert.deepEqual(
      turn.effects.map(({ type }) => type),
      ["deliver"],
    );
    assert.equal(turn.position, log.head());
    assert.equal(turn.revision, 1);
    assert.deepEqual(log.types(STREAM), ["MessageQueued", "DeliveryAttempted"]);
  });

  it("hands over nothing before the store has acknowledged", async () => {
    const { log, messages } = withQueued();
    let acknowledge = (): void => undefined;
    log.after = () => new Promise<void>((resolve) => (acknowledge = resolve));
    let done = false;
    const turn = messages.execute(STREAM, attempt).then(() => (done = true));
    while (log.types(STREAM).length < 2) await new Promise(setImmediate);
    assert.equal(done, false);
    acknowledge();
    await turn;
  });

  it("that changes nothing writes nothing and rests on the head of the log", async () => {
    const { log, messages } = withQueued();
    const turn = await messages.execute(STREAM, release);
    assert.deepEqual(turn.kind === "done" && [turn.events, turn.effects, turn.position, turn.revision], [[], [], log.head(), 0]);
    assert.equal(log.types(STREAM).length, 1);
  });

  it("that the chart refuses writes nothing and says in which state, as of which position", async () => {
    const { log, messages } = withQueued();
    await messages.execute(STREAM, hold);
    const turn = await messages.execute(STREAM, attempt);
    assert.equal(turn.kind, "refused");
    assert.equal(turn.state.value, "held");
    assert.equal(turn.position, log.head());
    assert.equal(log.types(STREAM).length, 2);
  });

  it("gives birth to a stream", async () => {
    const log = memoryLog();
    const turn = await messagesOver(log).execute(STREAM, queue);
    assert.equal(turn.kind === "done" && turn.revision, 0);
    assert.equal((await messagesOver(log).load(STREAM)).state.value, "queued");
  });

  it("fails loudly on a decision whose second event could never follow the first", async () => {
    const log = memoryLog();
    const broken = actorRuntime({
      log,
      kind: { ...messageKind, decide: () => [happened("MessageQueued"), happened("MessageRemoved")] },
      remember: 1,
      terms: () => ({ now: NOON, spread: 0, callIds: [1, 2], policy: { keepRetiredMs: 0, uncertainDelivery: "wait" } }),
    });
    await assert.rejects(broken.execute(STREAM, queue), /MessageRemoved, which cannot follow MessageQueued/);
    assert.equal(log.all().length, 0);
  });
});

describe("turns of one stream", () => {
  it("come one after the other, in the order asked", async () => {
    const { log, messages } = withQueued();
    let running = 0;
    log.before = async () => {
      assert.equal((running += 1), 1);
      await new Promise(setImmediate);
      running -= 1;
    };
    const turns = await Promise.all([hold, hold, release, release, hold, attempt].map((command) => messages.execute(STREAM, command)));
    assert.deepEqual(
      turns.map((turn) => (turn.kind === "done" ? turn.events.length : turn.kind)),
      [1, 0, 1, 0, 1, "refused"],
    );
    assert.deepEqual(log.types(STREAM), ["MessageQueued", "MessageHeld", "MessageReleased", "MessageHeld"]);
  });

  it("do not wait for those of another", async () => {
    const { log, messages } = withQueued();
    log.write("message-43", happened("MessageQueued", { id: 43 }));
    let letGo = (): void => undefined;
    log.before = (what, stream) => (what === "append" && stream === STREAM ? new Promise<void>((resolve) => (letGo = resolve)) : undefined);
    const slow = messages.execute(STREAM, hold);
    assert.equal((await messages.execute("message-43", hold)).kind, "done");
    letGo();
    assert.equal((await slow).kind, "done");
  });

  it("go on after one that failed", async () => {
    const { log, messages } = withQueued();
    let broken = true;
    log.before = (what) => {
      if (what === "append" && broken) throw new Error("disk full");
    };
    const failing = messages.execute(STREAM, hold);
    const next = failing.catch(() => (broken = false)).then(() => messages.execute(STREAM, hold));
    const queued = messages.execute(STREAM, release);
    await assert.rejects(failing, /disk full/);
    assert.equal((await queued).kind, "done");
    assert.equal((await next).kind, "done");
    assert.deepEqual(log.types(STREAM), ["MessageQueued", "MessageHeld"]);
  });
});

describe("a conflict", () => {
  it("makes the turn decide again on what is there now", async () => {
    const { log, messages } = withQueued();
    await messages.execute(STREAM, { type: "setTransport", transport: "relay", by: operator });
    log.before = (what) => {
      if (what !== "append") return;
      log.before = () => undefined;
      log.write(STREAM, happened("MessageHeld"));
    };
    const turn = await messages.execute(STREAM, attempt);
    assert.equal(turn.kind, "refused");
    assert.equal(turn.state.value, "held");
    assert.ok(!log.types(STREAM).includes("DeliveryAttempted"));
  });

  it("over and over ends in an error, not in a loop", async () => {
    const { log, messages } = withQueued();
    let times = 0;
    log.before = (what) => {
      if (what !== "append") return;
      times += 1;
      log.write(STREAM, happened("MessageRescheduled", { nextAttemptAt: NOON - times }));
    };
    await assert.rejects(messages.execute(STREAM, hold), ContentionError);
    assert.ok(times < 100);
  });
});

describe("what is remembered of a stream", () => {
  it("spares reading it again", async () => {
    const { log, messages } = withQueued();
    const reads = countReads(log);
    for (const command of [hold, release, hold]) await messages.execute(STREAM, command);
    await messages.load(STREAM);
    assert.equal(reads(), 1);
  });

  it("is nothing of an append that failed", async () => {
    const { log, messages } = withQueued();
    await messages.execute(STREAM, hold);
    log.before = (what) => {
      if (what === "append") throw new Error("disk full");
    };
    await assert.rejects(messages.execute(STREAM, release), /disk full/);
    log.before = () => undefined;
    assert.equal((await messages.load(STREAM)).state.value, "held");
  });

  it("is read again after an append of which nobody knows whether it was stored", async () => {
    const { log, messages } = withQueued();
    await messages.execute(STREAM, hold);
    log.after = () => {
      throw new Error("connection lost");
    };
    await assert.rejects(messages.execute(STREAM, release), /connection lost/);
    log.after = () => undefined;
    assert.equal((await messages.load(STREAM)).state.value, "queued");
    const again = await messages.execute(STREAM, release);
    assert.deepEqual(again.kind === "done" && again.events, []);
  });

  it("is bounded: what was used least is read again", async () => {
    const log = memoryLog();
    for (const id of [1, 2, 3]) log.write(`message-${id}`, happened("MessageQueued", { id }));
    const messages = messagesOver(log, 2);
    for (const id of [1, 2, 1, 3]) await messages.execute(`message-${id}`, id === 1 ? release : hold);
    await messages.execute("message-1", hold);
    const reads = countReads(log);
    await messages.execute("message-3", release);
    assert.equal(reads(), 0);
    await messages.execute("message-2", release);
    assert.equal(reads(), 1);
  });

  it("is dropped when the life is over", async () => {
    const { log, messages } = withQueued();
    await messages.execute(STREAM, { type: "cancel", by: operator });
    await messages.execute(STREAM, { type: "remove" });
    const reads = countReads(log);
    assert.equal((await messages.load(STREAM)).state.value, "removed");
    assert.equal(reads(), 1);
  });

  it("is not believed where other nodes write too", async () => {
    const { log, messages } = withQueued({ exclusive: false });
    await messages.execute(STREAM, hold);
    log.write(STREAM, happened("MessageReleased"));
    assert.equal((await messages.load(STREAM)).state.value, "queued");
    const claim = await messages.execute(STREAM, attempt);
    assert.equal(claim.kind, "done");
    log.write(STREAM, happened("DeliveryInterrupted", { nextAttemptAt: NOON }), happened("MessageHeld"));
    const again = await messages.execute(STREAM, hold);
    assert.deepEqual(again.kind === "done" && again.events, []);
  });
});

describe("a kind that keeps what is read", () => {
  const rule = { account: null, senderDomain: null, recipientDomain: null };
  const rulesOver = (log: MemoryLog): HoldRuleSet =>
    actorRuntime({ log, kind: holdRulesKind, remember: 1, keepsWhatIsRead: true, terms: () => ({ now: NOON, id: 7 }) });
  const ids = async (rules: HoldRuleSet): Promise<readonly number[]> => [...(await rules.load(HOLD_RULES_STREAM)).state.rules.keys()];

  it("reads a stream once, also one that is not there", async () => {
    const log = memoryLog();
    const rules = rulesOver(log);
    const reads = countReads(log);
    assert.deepEqual([await ids(rules), await ids(rules)], [[], []]);
    assert.equal(reads(), 1);
    await rules.execute(HOLD_RULES_STREAM, { type: "add", rule, seed: "", by: operator });
    assert.deepEqual(await ids(rules), [7]);
    assert.equal(reads(), 1);
  });

  it("keeps nothing that a turn has overtaken", async () => {
    const log = memoryLog();
    const rules = rulesOver(log);
    const looking = ids(rules);
    const adding = rules.execute(HOLD_RULES_STREAM, { type: "add", rule, seed: "", by: operator });
    await Promise.all([looking, adding]);
    assert.deepEqual(await ids(rules), [7]);
  });

  it("reads anew each time where others write too", async () => {
    const log = memoryLog({ exclusive: false });
    const rules = rulesOver(log);
    assert.deepEqual(await ids(rules), []);
    await rulesOver(log).execute(HOLD_RULES_STREAM, { type: "add", rule, seed: "", by: operator });
    assert.deepEqual(await ids(rules), [7]);
  });
});

describe("new streams", () => {
  const born = (id: number) => ({ stream: `message-${id}`, events: [happened("MessageQueued", { id })] });

  it("are stored all together, with their contents, and known at once", async () => {
    const log = memoryLog();
    const messages = messagesOver(log);
    const reads = countReads(log);
    assert.equal(await messages.create([born(1), born(2)], [{ id: 40, pieces: [new Uint8Array(3)] }]), log.head());
    assert.equal((await messages.load("message-2")).state.value, "queued");
    assert.equal((await messages.load("message-2")).revision, 0);
    assert.equal((await messages.execute("message-1", hold)).kind, "done");
    assert.equal(reads(), 0);
    assert.equal((await log.contents.read(40))?.length, 3);
  });

  it("are not stored at all when one of them exists", async () => {
    const log = memoryLog();
    log.write("message-2", happened("MessageQueued", { id: 2 }), happened("MessageHeld"));
    const messages = messagesOver(log);
    assert.equal(await messages.create([born(1), born(2)], [{ id: 40, pieces: [new Uint8Array(3)] }]), false);
    assert.equal((await messages.load("message-1")).revision, -1);
    assert.equal((await messages.load("message-2")).state.value, "held");
    assert.deepEqual(log.contents.ids(), []);
  });

  it("do not overwrite what a quicker turn knows", async () => {
    const log = memoryLog();
    const messages = messagesOver(log);
    let acknowledge = (): void => undefined;
    log.after = () => new Promise<void>((resolve) => (acknowledge = resolve));
    const birth = messages.create([born(1)], []);
    while (log.all().length === 0) await new Promise(setImmediate);
    const acknowledgeBirth = acknowledge;
    log.after = () => undefined;
    assert.equal((await messages.execute("message-1", hold)).kind, "done");
    acknowledgeBirth();
    await birth;
    assert.equal((await messages.load("message-1")).state.value, "held");
  });

  it("leave nothing behind when the store is out of order", async () => {
    const log = memoryLog();
    const messages = messagesOver(log);
    log.before = (what) => {
      if (what === "append") throw new Error("disk full");
    };
    await assert.rejects(messages.create([born(1)], []), /disk full/);
    log.before = () => undefined;
    assert.equal((await messages.load("message-1")).revision, -1);
  });
});
