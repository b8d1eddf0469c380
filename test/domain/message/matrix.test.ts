/** Every state of a message against every event. */
import { describe } from "node:test";
import type { MessageEvent } from "../../../src/domain/message/events.ts";
import { canBefallMessage, evolveMessage, MAX_REPORTS, messageMachine, unbornMessage } from "../../../src/domain/message/machine.ts";
import { testMatrix, type Row } from "../../support/matrix.ts";
import { happened, messageSamples as samples } from "../../support/samples.ts";
import { claimed, deferredTimes, queued } from "./given-message.ts";

type State = (typeof unbornMessage)["value"];

const held = happened("MessageHeld");
const canceled = [queued, happened("MessageCanceled")];
const done = [queued, claimed(1), happened("DeliverySucceeded"), happened("MessageRetired")];

const adjustments = (state: State): Row<State, MessageEvent>["legal"] => ({
  MessageRescheduled: state,
  MessageTransportSet: state,
  MessageRequireTlsSet: state,
  MessageFailed: "failed",
  MessageCanceled: "canceled",
});

/** Reports are noted wherever it is, once it was tried. */
const reported = (state: State): Row<State, MessageEvent>["legal"] => ({ DsnReceived: state, ComplaintReceived: state });

const attempting = (queue: "queued" | "held"): Row<State, MessageEvent>["legal"] => ({
  DeliverySucceeded: "delivered",
  DeliveryDeferred: queue,
  DeliveryFailed: "failed",
  DeliveryUncertain: "uncertain",
  DeliveryInterrupted: queue,
  MessageHeld: "attempting",
  MessageReleased: "attempting",
  ...reported("attempting"),
});

const uncertain = (queue: "queued" | "held"): Row<State, MessageEvent>["legal"] => ({
  MessageRequeued: queue,
  MessageFailed: "failed",
  MessageCanceled: "canceled",
  MessageHeld: "uncertain",
  MessageReleased: "uncertain",
  ...reported("uncertain"),
});

const ended = { MessageRetired: "retired" } as const;

const rows: Readonly<Record<string, Row<State, MessageEvent>>> = {
  unborn: { state: "unborn", story: [], legal: { MessageQueued: "queued" } },
  queued: {
    state: "queued",
    story: [queued],
    legal: { ...adjustments("queued"), MessageHeld: "held", MessageSuppressed: "suppressed", DeliveryAttempted: "attempting" },
  },
  held: { state: "held", story: [queued, held], legal: { ...adjustments("held"), MessageReleased: "queued" } },
  "queued, after an attempt": {
    state: "queued",
    story: [queued, ...deferredTimes(1)],
    legal: {
      ...adjustments("queued"),
      ...reported("queued"),
      MessageHeld: "held",
      MessageSuppressed: "suppressed",
      DeliveryAttempted: "attempting",
    },
  },
  "held, after an attempt": {
    state: "held",
    story: [queued, ...deferredTimes(1), held],
    legal: { ...adjustments("held"), ...reported("held"), MessageReleased: "queued" },
  },
  attempting: { state: "attempting", story: [queued, claimed(1)], legal: attempting("queued") },
  "attempting, to be held": { state: "attempting", story: [queued, claimed(1), held], legal: attempting("held") },
  uncertain: { state: "uncertain", story: [queued, claimed(1), happened("DeliveryUncertain")], legal: uncertain("queued") },
  "uncertain, to be held": {
    state: "uncertain",
    story: [queued, claimed(1), held, happened("DeliveryUncertain")],
    legal: uncertain("held"),
  },
  delivered: { state: "delivered", story: [queued, claimed(1), happened("DeliverySucceeded")], legal: ended },
  failed: { state: "failed", story: [queued, claimed(1), happened("DeliveryFailed")], legal: ended },
  canceled: { state: "canceled", story: canceled, legal: ended },
  suppressed: { state: "suppressed", story: [queued, happened("MessageSuppressed")], legal: ended },
  "retired, never tried": { state: "retired", story: [...canceled, happened("MessageRetired")], legal: { MessageRemoved: "removed" } },
  retired: { state: "retired", story: done, legal: { ...reported("retired"), MessageRemoved: "removed" } },
  "retired, with as many reports as it takes": {
    state: "retired",
    story: [...done, ...Array.from({ length: MAX_REPORTS }, (_, id) => happened("DsnReceived", { receivedId: id }))],
    legal: { MessageRemoved: "removed" },
  },
  removed: { state: "removed", story: [...canceled, happened("MessageRetired"), happened("MessageRemoved")], legal: {} },
};

describe("the chart of a message", () => {
  testMatrix<State, MessageEvent, typeof unbornMessage>({
    states: Object.keys(messageMachine.states),
    unborn: unbornMessage,
    can: canBefallMessage,
    evolve: evolveMessage,
    samples,
    rows,
  });
});
