/** Deliveries over a log in memory, views that a test moves and a courier that does as told. */
import type { MessageTerms } from "../../../src/domain/message/commands.ts";
import type { QueuedMessage } from "../../../src/domain/message/events.ts";
import { actorRuntime } from "../../../src/domain/runtime/actor.ts";
import { deliveries } from "../../../src/domain/runtime/deliveries.ts";
import { messageKind } from "../../../src/domain/runtime/kinds.ts";
import { memoryLog, type MemoryLog } from "../../support/memory-log.ts";
import { memoryReadModel } from "../../support/memory-read-model.ts";
import { anAccount, directoryOf, happened, NOON } from "../../support/samples.ts";
import { virtualClock } from "../../support/virtual-clock.ts";
import { fakeCourier } from "../../support/world.ts";

export const bench = (log: MemoryLog = memoryLog()) => {
  const views = memoryReadModel(log, "manually");
  const courier = fakeCourier();
  const stopping = new AbortController();
  const clock = virtualClock(NOON);
  const observed: string[] = [];
  let id = 1_000;
  const messages = actorRuntime({
    log,
    kind: messageKind,
    remember: 100,
    terms: (): MessageTerms => ({
      now: clock.now(),
      spread: 0,
      callIds: [++id, ++id],
      policy: { keepRetiredMs: 0, uncertainDelivery: "wait" },
    }),
  });
  const delivering = deliveries({
    messages,
    courier,
    readModel: views,
    directory: directoryOf([anAccount()]),
    clock,
    signal: stopping.signal,
    observe: ({ id: number }, attempt, { kind }) => observed.push(`${number} ${attempt} ${kind}`),
  });
  const queue = (number: number, changes: Partial<QueuedMessage> = {}): void => {
    log.write(`message-${number}`, happened("MessageQueued", { id: number, recipient: `r${number}@there.example`, ...changes }));
    views.catchUp();
  };
  const due = () => views.due({ kind: "deliver", at: NOON, perLane: 100, limit: 100 });
  return { log, clock, views, courier, stopping, observed, messages, queue, due, perform: delivering.perform };
};
