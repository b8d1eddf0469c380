/**
 * The life of a queued message as a state chart. Events are its whole alphabet; the chart says which may follow which,
 * and nothing about why: that is decided in decide.ts. Used as pure data: no timers, no invoked work, no interpreter.
 */
import { setup } from "xstate";
import type { Instant } from "../clock.ts";
import { chartOf, type ChartState } from "../chart/machine.ts";
import type { AttemptResult } from "../smtp-result.ts";
import type { MessageEvent, QueuedMessage } from "./events.ts";

/** What should happen next, as data. Carried out by the delivery side after the events are stored. */
export type MessageEffect = { readonly type: "deliver"; readonly message: QueuedMessage; readonly attempt: number };

export type MessageOutcome = "delivered" | "failed" | "canceled" | "suppressed";

export type MessageContext = {
  /** Undefined only while unborn. Transport and TLS requirement are kept up to date in it. */
  readonly message: QueuedMessage | undefined;
  /** Asked to stay in the queue; while an attempt is in flight it takes effect when that ends. */
  readonly hold: boolean;
  /** Hold rules that have held it: each does so once, so that a release lasts. */
  readonly heldBy: readonly string[];
  /** Claims so far, also those that were interrupted: numbers the attempts. */
  readonly attempts: number;
  /** Attempts that nobody finished; they do not count against the limit. */
  readonly interruptions: number;
  /** When the next attempt may start; during an attempt: when it counts as nobody's. */
  readonly nextAttemptAt: Instant;
  readonly attemptedAt: Instant;
  readonly last: AttemptResult | undefined;
  /** Received messages that reported about it: each is noted once, and no more than {@link MAX_REPORTS}. */
  readonly reports: readonly number[];
  readonly outcome: MessageOutcome | undefined;
  readonly keepUntil: Instant | undefined;
};

/** Reports noted about one message. More say nothing new: somebody's mail system, or somebody, has run wild. */
export const MAX_REPORTS = 100;

const unbornContext: MessageContext = {
  message: undefined,
  hold: false,
  heldBy: [],
  attempts: 0,
  interruptions: 0,
  nextAttemptAt: 0,
  attemptedAt: 0,
  last: undefined,
  reports: [],
  outcome: undefined,
  keepUntil: undefined,
};

const chart = setup({
  types: { context: {} as MessageContext, events: {} as MessageEvent },
  // The one named action: what it asks for is its parameter, the effect.
  actions: { ask: (_: unknown, _effect: MessageEffect | undefined): void => undefined },
  guards: {
    onHold: ({ context }) => context.hold,
    // Before the first attempt nobody can have heard of it.
    isReportable: ({ context: { attempts, reports } }) => attempts > 0 && reports.length < MAX_REPORTS,
  },
});

const deliver = {
  type: "ask",
  params: ({ context: { message, attempts } }: { context: MessageContext }): MessageEffect | undefined =>
    message && { type: "deliver", message, attempt: attempts },
} as const;

const queue = chart.assign(({ event }) => (event.type === "MessageQueued" ? { message: event, nextAttemptAt: event.nextAttemptAt } : {}));
const hold = chart.assign(({ context: { heldBy }, event }) =>
  event.type === "MessageHeld" && event.by.kind === "holdrule" ? { hold: true, heldBy: [...heldBy, event.by.name] } : { hold: true },
);
const release = chart.assign({ hold: false });
const reschedule = chart.assign(({ event }) => ("nextAttemptAt" in event ? { nextAttemptAt: event.nextAttemptAt } : {}));
const claim = chart.assign(({ context, event }) =>
  event.type === "DeliveryAttempted" ? { attempts: context.attempts + 1, nextAttemptAt: event.nextAttemptAt, attemptedAt: event.at } : {},
);
const remember = chart.assign(({ event }) => ("result" in event ? { last: event.result } : {}));
const interrupt = chart.assign(({ context }) => ({ interruptions: context.interruptions + 1 }));
const route = chart.assign(({ context: { message }, event }) => {
  if (message === undefined) return {};
  if (event.type === "MessageTransportSet") return { message: { ...message, transport: event.transport } };
  if (event.type === "MessageRequireTlsSet") return { message: { ...message, requireTls: event.requireTls } };
  return {};
});
const noteReport = chart.assign(({ context: { reports }, event }) =>
  "receivedId" in event ? { reports: [...reports, event.receivedId] } : {},
);
const end = (outcome: MessageOutcome) => chart.assign({ outcome });
const retire = chart.assign(({ event }) => (event.type === "MessageRetired" ? { keepUntil: event.keepUntil } : {}));

const MessageRetired = { target: "retired", actions: retire } as const;
/** Reports come when they come, also long after the end, and change nothing but what is known. */
const report = { guard: "isReportable", actions: noteReport } as const;
const reports = { DsnReceived: report, ComplaintReceived: report };
const adjustments = {
  MessageRescheduled: { actions: reschedule },
  MessageTransportSet: { actions: route },
  MessageRequireTlsSet: { actions: route },
};
const endings = {
  MessageFailed: { target: "failed", actions: end("failed") },
  MessageCanceled: { target: "canceled", actions: end("canceled") },
} as const;

/** Back to the queue, or on hold if that was asked for meanwhile. */
const backToQueue = <Actions>(actions: Actions) =>
  [
    { target: "held", guard: "onHold", actions },
    { target: "queued", actions },
  ] as const;

/** The chart; drawn into the README by `npm run docs`. */
export const messageMachine = chart.createMachine({
  id: "message",
  initial: "unborn",
  context: unbornContext,
  states: {
    unborn: { on: { MessageQueued: { target: "queued", actions: queue } } },
    queued: {
      on: {
        ...adjustments,
        ...endings,
        ...reports,
        MessageHeld: { target: "held", actions: hold },
        MessageSuppressed: { target: "suppressed", actions: end("suppressed") },
        DeliveryAttempted: { target: "attempting", actions: claim },
      },
    },
    held: { on: { ...adjustments, ...endings, ...reports, MessageReleased: { target: "queued", actions: release } } },
    attempting: {
      entry: deliver,
      on: {
        ...reports,
        DeliverySucceeded: { target: "delivered", actions: [remember, end("delivered")] },
        DeliveryDeferred: backToQueue([remember, reschedule]),
        DeliveryFailed: { target: "failed", actions: [remember, end("failed")] },
        DeliveryUncertain: { target: "uncertain", actions: remember },
        DeliveryInterrupted: backToQueue([interrupt, reschedule]),
        MessageHeld: { actions: hold },
        MessageReleased: { actions: release },
      },
    },
    uncertain: {
      on: {
        ...endings,
        ...reports,
        MessageRequeued: backToQueue([reschedule]),
        MessageHeld: { actions: hold },
        MessageReleased: { actions: release },
      },
    },
    delivered: { on: { MessageRetired } },
    failed: { on: { MessageRetired } },
    canceled: { on: { MessageRetired } },
    suppressed: { on: { MessageRetired } },
    retired: { on: { ...reports, MessageRemoved: { target: "removed" } } },
    removed: { type: "final" },
  },
});

const table = chartOf(messageMachine);

/** State of a message: the fold of its events. */
export type MessageState = ChartState<typeof messageMachine>;

/** Before its first event. */
export const unbornMessage: MessageState = table.initial;

/** Whether the event may happen in this state. */
export const canBefallMessage = table.can;

/** The next state and what it asks for. An event that the chart does not allow changes nothing: ask first. */
export const advanceMessage = (state: MessageState, event: MessageEvent): readonly [MessageState, readonly MessageEffect[]] => {
  const [next, asked] = table.step(state, event);
  // The one named action: what it asks for is its parameter.
  return [next, asked.flatMap(({ params }) => (params === undefined ? [] : [params as MessageEffect]))];
};

/** Folds one stored event; effects asked for along the way are history. */
export const evolveMessage = (state: MessageState, event: MessageEvent): MessageState => table.step(state, event)[0];
