/**
 * Two nodes over one log, racing for the same messages. Every wait for the store and for the courier is a gate, and a
 * seed decides which gate opens next, when views catch up, time passes, operators interfere and a node is lost: so each
 * run is another interleaving, and one that fails can be run again. Runs in a worker, where the test runner's hooks on
 * every promise do not triple the time.
 */
import assert from "node:assert/strict";
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { MINUTE_MS, type Instant } from "../../../src/domain/clock.ts";
import type { EventLog } from "../../../src/domain/event-log.ts";
import { messageStream, type MessageEvent } from "../../../src/domain/message/events.ts";
import type { MessageTerms } from "../../../src/domain/message/commands.ts";
import { actorRuntime } from "../../../src/domain/runtime/actor.ts";
import { deliveries } from "../../../src/domain/runtime/deliveries.ts";
import { housekeeping } from "../../../src/domain/runtime/housekeeping.ts";
import { messageKind, type Messages, type ReceivedMessages, type Webhooks } from "../../../src/domain/runtime/kinds.ts";
import type { DeliveryOutcome } from "../../../src/domain/smtp-result.ts";
import { memoryLog, type MemoryLog } from "../../support/memory-log.ts";
import { memoryReadModel, type MemoryReadModel } from "../../support/memory-read-model.ts";
import { anAccount, directoryOf, happened, operator } from "../../support/samples.ts";
import { virtualClock, type VirtualClock } from "../../support/virtual-clock.ts";
import { failedWith, succeeded } from "../../support/world.ts";

const STEPS = 70;
const MESSAGES = [42, 43];
const DEADLINE_MS = 5 * MINUTE_MS;

type Random = (below: number) => number;

/** Mulberry32: small, seeded, good enough to shuffle with. */
const randomFrom = (seed: number): Random => {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
};

type Gate = { readonly node: number; readonly open: () => void };

/** An attempt that was dialed. `claimEndsAt`: until then nobody else may dial. */
type Dial = { readonly messageId: number; readonly attempt: number; readonly claimEndsAt: Instant; over: boolean };

type Node = {
  readonly messages: Messages;
  readonly views: MemoryReadModel;
  /** Takes up what the views of this node show as due. */
  readonly work: () => Promise<unknown>;
  readonly interrupt: () => Promise<unknown>;
};

type Race = {
  readonly log: MemoryLog;
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly gates: Gate[];
  readonly dials: Dial[];
  readonly pass: (node: number) => Promise<void>;
  readonly nextId: () => number;
};

const startRace = (seed: number): Race => {
  const gates: Gate[] = [];
  const log = memoryLog({ exclusive: false });
  const clock = virtualClock();
  for (const id of MESSAGES) log.write(messageStream(id), happened("MessageQueued", { id, nextAttemptAt: clock.now(), maxAttempts: 4 }));
  const pass = (node: number): Promise<void> =>
    new Promise((open) => {
      gates.push({ node, open });
    });
  let id = 1_000;
  return { log, clock, random: randomFrom(seed), gates, dials: [], pass, nextId: () => (id += 1) };
};

const eventsOf = ({ log }: Race, id: number): readonly MessageEvent[] =>
  log.all().flatMap(({ stream, event }) => (stream === messageStream(id) ? [event as MessageEvent] : []));

/** What the courier of a node does: checks that nobody else can be at it, and ends when its gate opens. */
const dial = async (race: Race, node: number, messageId: number, attempt: number): Promise<DeliveryOutcome> => {
  const { dials, clock, random } = race;
  const claim = eventsOf(race, messageId).find((event) => event.type === "DeliveryAttempted" && event.attempt === attempt);
  assert.ok(claim?.type === "DeliveryAttempted", "dialed before the claim was stored");
  assert.ok(!dials.some((other) => other.messageId === messageId && other.attempt === attempt), "one claim, dialed twice");
  const rival = dials.find((other) => other.messageId === messageId && !other.over && other.claimEndsAt > clock.now());
  assert.equal(rival, undefined, "dialed while another attempt was in its time");
  const mine: Dial = { messageId, attempt, claimEndsAt: claim.nextAttemptAt, over: false };
  dials.push(mine);
  await race.pass(node);
  mine.over = true;
  return random(3) === 0 ? succeeded : failedWith(451);
};

const aNode = (race: Race, node: number): Node => {
  const { log, clock, random, pass } = race;
  // What a network does: a call takes its time on the way there and on the way back.
  const remote: EventLog = {
    ...log,
    append: async (...asked) => {
      await pass(node);
      const result = await log.append(...asked);
      await pass(node);
      return result;
    },
    read: async (stream) => {
      await pass(node);
      return log.read(stream);
    },
  };
  const messages: Messages = actorRuntime({
    log: remote,
    kind: messageKind,
    remember: 10,
    terms: (): MessageTerms => ({
      now: clock.now(),
      spread: random(3) - 1,
      callIds: [race.nextId(), race.nextId()],
      policy: { keepRetiredMs: 0, uncertainDelivery: "retry" },
    }),
  });
  const views = memoryReadModel(log, "manually");
  const { perform } = deliveries({
    messages,
    readModel: views,
    directory: directoryOf([anAccount()]),
    courier: {
      deadlineMs: DEADLINE_MS,
      close: async () => undefined,
      deliver: async ({ recipients, attempt }) =>
        new Map(
          await Promise.all(recipients.map(async ({ messageId }) => [messageId, await dial(race, node, messageId, attempt)] as const)),
        ),
    },
    clock,
    signal: new AbortController().signal,
    observe: () => undefined,
  });
  const others = { webhooks: {} as Webhooks, received: {} as ReceivedMessages };
  const { interrupt } = housekeeping({ log: remote, messages, ...others, readModel: views, reacted: async () => undefined });
  const due = (kind: "deliver" | "interrupt") => views.due({ kind, at: clock.now(), perLane: 10, limit: 10 });
  return { messages, views, work: () => perform(due("deliver")), interrupt: () => interrupt(due("interrupt")) };
};

/** A node is lost: what it waits for never comes, what it dialed is cut off, and another takes its place. */
const lose = (race: Race, nodes: Node[], which: number): void => {
  const left = race.gates.filter((gate) => gate.node !== which);
  race.gates.splice(0, race.gates.length, ...left);
  nodes[which] = aNode(race, which);
};

type Move = (race: Race, node: Node, watch: (doing: Promise<unknown>) => void) => void;

const anyStream = ({ random }: Race): string => messageStream(MESSAGES[random(MESSAGES.length)] ?? 0);

/** All that can happen next, with how likely it is. */
const MOVES: readonly (readonly [weight: number, move: Move])[] = [
  [9, ({ gates, random }) => gates.splice(random(gates.length), 1)[0]?.open()],
  [3, (_race, node, watch) => watch(node.work())],
  [3, (_race, node, watch) => watch(node.interrupt())],
  [2, ({ random, log }, { views }) => views.catchUp(views.position() + random(log.head() - views.position() + 1))],
  [1, ({ clock, random }) => clock.advance([MINUTE_MS, 8 * MINUTE_MS][random(2)] ?? 0)],
  [
    1,
    (race, { messages }, watch) =>
      watch(messages.execute(anyStream(race), { type: race.random(2) === 0 ? "hold" : "release", by: operator })),
  ],
  [
    1,
    (race, { messages }, watch) =>
      watch(messages.execute(anyStream(race), { type: "schedule", nextAttemptAt: race.clock.now(), by: operator })),
  ],
];
const DECK: readonly Move[] = MOVES.flatMap(([weight, move]) => Array.from({ length: weight }, () => move));

/** One step, picked by the seed. */
const step = (race: Race, nodes: Node[], failures: unknown[]): void => {
  const which = race.random(nodes.length);
  const node = nodes[which];
  if (node === undefined || race.random(80) === 0) {
    lose(race, nodes, which);
    return;
  }
  DECK[race.random(DECK.length)]?.(race, node, (doing) => {
    doing.catch((error: unknown) => failures.push(error));
  });
};

/** Lets everything end: releases what is held, opens every gate, works whatever is due until nothing is left. */
const finish = async (race: Race, nodes: readonly Node[], failures: unknown[]): Promise<void> => {
  const [node] = nodes;
  assert.ok(node !== undefined);
  const isDone = (): boolean => MESSAGES.every((id) => eventsOf(race, id).at(-1)?.type === "MessageRetired");
  for (let rounds = 0; rounds < 200 && !isDone() && failures.length === 0; rounds += 1) {
    race.clock.advance(2 * 60 * MINUTE_MS);
    for (const each of nodes) each.views.catchUp();
    const releases = MESSAGES.map((id) => node.messages.execute(messageStream(id), { type: "release", by: operator }));
    const work = Promise.all([...releases, ...nodes.flatMap((each) => [each.work(), each.interrupt()])]);
    const open = { all: true };
    const opening = (async () => {
      for (let turns = 0; turns < 500 && open.all; turns += 1) {
        for (const gate of race.gates.splice(0)) gate.open();
        await new Promise(setImmediate);
      }
    })();
    work.catch((error: unknown) => failures.push(error)).finally(() => (open.all = false));
    await opening;
  }
};

const check = (race: Race): void => {
  for (const id of MESSAGES) {
    const events = eventsOf(race, id);
    const attempts = events.flatMap((event) => (event.type === "DeliveryAttempted" ? [event.attempt] : []));
    assert.deepEqual(
      attempts,
      attempts.map((_, index) => index + 1),
    );
    assert.equal(events.at(-1)?.type, "MessageRetired");
    assert.equal(events.filter(({ type }) => type === "MessageRetired").length, 1);
    const callIds = events.flatMap((event) => ("callId" in event ? [event.callId] : []));
    assert.equal(new Set(callIds).size, callIds.length);
  }
};

const run = async (seed: number): Promise<Race> => {
  const race = startRace(seed);
  const failures: unknown[] = [];
  const nodes = [aNode(race, 0), aNode(race, 1)];
  for (let steps = 0; steps < STEPS; steps += 1) {
    step(race, nodes, failures);
    await new Promise(setImmediate);
  }
  await finish(race, nodes, failures);
  if (failures.length > 0) throw failures[0];
  check(race);
  return race;
};

/** Runs the seeds from `first` to `last`; resolves with how many of them lost an attempt. Names the seed of one that fails. */
const runAll = async (first: number, last: number): Promise<number> => {
  let contested = 0;
  for (let seed = first; seed <= last; seed += 1) {
    const race = await run(seed).catch((cause: unknown) => {
      throw new Error(`seed ${seed}: ${String(cause)}`, { cause });
    });
    if (MESSAGES.some((id) => eventsOf(race, id).some(({ type }) => type === "DeliveryInterrupted"))) contested += 1;
  }
  return contested;
};

export type Seeds = { readonly first: number; readonly last: number };

if (!isMainThread) {
  const { first, last } = workerData as Seeds;
  parentPort?.postMessage(await runAll(first, last));
}
