/**
 * The life of a message in a mailbox as a state chart, in the same idiom as a queued message's: events are the alphabet,
 * decide.ts has the reasons. It asks for nothing: whatever follows from it is a reaction.
 */
import { setup } from "xstate";
import type { Instant } from "../clock.ts";
import { chartOf, type ChartState } from "../chart/machine.ts";
import type { Mailbox, ReceivedEvent, ReceivedMessage } from "./events.ts";

export type ReceivedContext = {
  /** As it was put into its first mailbox, and when; undefined only while unborn. */
  readonly message: (ReceivedMessage & { readonly at: Instant }) | undefined;
  /** Where it is now. */
  readonly mailbox: Mailbox;
  /** Flags that it has now, in lower case. */
  readonly flags: ReadonlySet<string>;
};

const unbornContext: ReceivedContext = { message: undefined, mailbox: "Inbox", flags: new Set() };

const chart = setup({ types: { context: {} as ReceivedContext, events: {} as ReceivedEvent } });

const keep = chart.assign(({ event }) =>
  event.type === "MessageReceived" ? { message: event, mailbox: event.mailbox, flags: new Set(event.flags) } : {},
);
const addFlags = chart.assign(({ context: { flags }, event }) =>
  event.type === "MessageFlagsAdded" ? { flags: new Set([...flags, ...event.flags]) } : {},
);
const removeFlags = chart.assign(({ context: { flags }, event }) =>
  event.type === "MessageFlagsRemoved" ? { flags: new Set([...flags].filter((flag) => !event.flags.includes(flag))) } : {},
);
const move = chart.assign(({ event }) => (event.type === "MessageMoved" ? { mailbox: event.mailbox } : {}));

/** The chart; drawn into the README by `npm run docs`. */
export const receivedMachine = chart.createMachine({
  id: "received",
  initial: "unborn",
  context: unbornContext,
  states: {
    unborn: { on: { MessageReceived: { target: "kept", actions: keep } } },
    kept: {
      on: {
        MessageFlagsAdded: { actions: addFlags },
        MessageFlagsRemoved: { actions: removeFlags },
        MessageMoved: { actions: move },
        MessageDeleted: { target: "deleted" },
      },
    },
    deleted: { type: "final" },
  },
});

const table = chartOf(receivedMachine);

/** State of a message in a mailbox: the fold of its events. */
export type ReceivedState = ChartState<typeof receivedMachine>;

/** Before its first event. */
export const unbornReceived: ReceivedState = table.initial;

/** Whether the event may happen in this state. */
export const canBefallReceived = table.can;

/** Folds one event. One that the chart does not allow changes nothing: ask first. */
export const evolveReceived = (state: ReceivedState, event: ReceivedEvent): ReceivedState => table.step(state, event)[0];
