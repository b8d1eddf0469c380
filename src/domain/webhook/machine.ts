/**
 * The life of one webhook call as a state chart, in the same idiom as a message's: events are the alphabet, decide.ts
 * has the reasons.
 */
import { setup } from "xstate";
import type { Instant } from "../clock.ts";
import { chartOf, type ChartState } from "../chart/machine.ts";
import type { CallResult, QueuedCall, WebhookEvent } from "./events.ts";

/** What should happen next, as data. */
export type WebhookEffect = { readonly type: "call"; readonly call: QueuedCall & { readonly at: Instant }; readonly attempt: number };

export type CallEnd = "delivered" | "failed" | "superseded" | "canceled";

export type WebhookContext = {
  /** Undefined only while unborn; `at` is when it was queued. */
  readonly call: (QueuedCall & { readonly at: Instant }) | undefined;
  readonly attempts: number;
  /** Attempts that nobody finished; they do not count against the limit. */
  readonly interruptions: number;
  readonly nextAttemptAt: Instant;
  readonly attemptedAt: Instant;
  /** The newer call that takes its place; an attempt in flight may still end well. */
  readonly supersededBy: number | undefined;
  readonly last: CallResult | undefined;
  readonly outcome: CallEnd | undefined;
  readonly keepUntil: Instant | undefined;
};

const unbornContext: WebhookContext = {
  call: undefined,
  attempts: 0,
  interruptions: 0,
  nextAttemptAt: 0,
  attemptedAt: 0,
  supersededBy: undefined,
  last: undefined,
  outcome: undefined,
  keepUntil: undefined,
};

const chart = setup({
  types: { context: {} as WebhookContext, events: {} as WebhookEvent },
  actions: { ask: (_: unknown, _effect: WebhookEffect | undefined): void => undefined },
  guards: {
    superseded: ({ context }) => context.supersededBy !== undefined,
    mustWait: ({ event }) => event.type === "WebhookQueued" && event.after !== null,
  },
});

const call = {
  type: "ask",
  params: ({ context: { call: queued, attempts } }: { context: WebhookContext }): WebhookEffect | undefined =>
    queued && { type: "call", call: queued, attempt: attempts },
} as const;

const queue = chart.assign(({ event }) => (event.type === "WebhookQueued" ? { call: event, nextAttemptAt: event.nextAttemptAt } : {}));
const claim = chart.assign(({ context, event }) =>
  event.type === "WebhookAttempted" ? { attempts: context.attempts + 1, nextAttemptAt: event.nextAttemptAt, attemptedAt: event.at } : {},
);
const remember = chart.assign(({ event }) => ("result" in event ? { last: event.result } : {}));
const reschedule = chart.assign(({ event }) => ("nextAttemptAt" in event ? { nextAttemptAt: event.nextAttemptAt } : {}));
const interrupt = chart.assign(({ context }) => ({ interruptions: context.interruptions + 1 }));
const supersede = chart.assign(({ event }) => (event.type === "WebhookSuperseded" ? { supersededBy: event.supersededBy } : {}));
const end = (outcome: CallEnd) => chart.assign({ outcome });
const retire = chart.assign(({ event }) => (event.type === "WebhookRetired" ? { keepUntil: event.keepUntil } : {}));

const WebhookRetired = { target: "retired", actions: retire } as const;
const superseded = { target: "superseded", actions: [supersede, end("superseded")] } as const;
const canceled = { target: "canceled", actions: end("canceled") } as const;

/** Back to the queue, unless a newer call took its place meanwhile. */
const backToQueue = <Action>(actions: readonly Action[]) =>
  [
    { target: "superseded", guard: "superseded", actions: [...actions, end("superseded")] },
    { target: "queued", actions: [...actions] },
  ] as const;

/** The chart; drawn into the README by `npm run docs`. */
export const webhookMachine = chart.createMachine({
  id: "webhook",
  initial: "unborn",
  context: unbornContext,
  states: {
    unborn: {
      on: {
        WebhookQueued: [
          { target: "waiting", guard: "mustWait", actions: queue },
          { target: "queued", actions: queue },
        ],
      },
    },
    waiting: { on: { WebhookUnblocked: "queued", WebhookCanceled: canceled } },
    queued: {
      on: {
        WebhookAttempted: { target: "attempting", actions: claim },
        WebhookRescheduled: { actions: reschedule },
        WebhookSuperseded: superseded,
        WebhookCanceled: canceled,
      },
    },
    attempting: {
      entry: call,
      on: {
        WebhookDelivered: { target: "delivered", actions: [remember, end("delivered")] },
        WebhookDeferred: backToQueue([remember, reschedule]),
        WebhookFailed: { target: "failed", actions: [remember, end("failed")] },
        WebhookInterrupted: backToQueue([interrupt, reschedule]),
        WebhookSuperseded: { actions: supersede },
      },
    },
    delivered: { on: { WebhookRetired } },
    failed: { on: { WebhookRetired } },
    superseded: { on: { WebhookRetired } },
    canceled: { on: { WebhookRetired } },
    retired: { on: { WebhookRemoved: { target: "removed" } } },
    removed: { type: "final" },
  },
});

const table = chartOf(webhookMachine);

/** State of a webhook call: the fold of its events. */
export type WebhookState = ChartState<typeof webhookMachine>;

/** Before its first event. */
export const unbornWebhook: WebhookState = table.initial;

/** Whether the event may happen in this state. */
export const canBefallWebhook = table.can;

/** The next state and what it asks for. An event that the chart does not allow changes nothing: ask first. */
export const advanceWebhook = (state: WebhookState, event: WebhookEvent): readonly [WebhookState, readonly WebhookEffect[]] => {
  const [next, asked] = table.step(state, event);
  // The one named action: what it asks for is its parameter.
  return [next, asked.flatMap(({ params }) => (params === undefined ? [] : [params as WebhookEffect]))];
};

/** Folds one stored event; effects asked for along the way are history. */
export const evolveWebhook = (state: WebhookState, event: WebhookEvent): WebhookState => table.step(state, event)[0];
