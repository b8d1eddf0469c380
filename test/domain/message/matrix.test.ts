/** Every state of a message against every event. */
import { describe } from "node:test";
import type { MessageEvent } from "../../../src/domain/message/events.ts";
import { evolveMessage, messageMachine, unbornMessage } from "../../../src/domain/message/machine.ts";
import { testMatrix, type Row } from "../../support/matrix.ts";
import { happened, messageSamples as samples } from "../../support/samples.ts";
import { claimed, queued } from "./given-message.ts";

type State = (typeof unbornMessage)["value"];

const held = happened("MessageHeld");
const canceled = [queued, happened("MessageCanceled")];

const adjustments = (state: State): Row<State, MessageEvent>["legal"] => ({
  MessageRescheduled: state,
  MessageTransportSet: state,
  MessageRequireTlsSet: state,
  MessageFailed: "failed",
  MessageCanceled: "canceled",
});

const attempting = (queue: "queued" | "held"): Row<State, MessageEvent>["legal"] => ({
  DeliverySucceeded: "delivered",
  DeliveryDeferred: queue,
  DeliveryFailed: "failed",
  DeliveryUncertain: "uncertain",
  DeliveryInterrupted: queue,
  MessageHeld: "attempting",
  MessageReleased: "attempting",
});

const uncertain = (queue: "queued" | "held"): Row<State, MessageEvent>["legal"] => ({
  MessageRequeued: queue,
  MessageFailed: "failed",
  MessageCanceled: "canceled",
  MessageHeld: "uncertain",
  MessageReleased: "uncertain",
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
  retired: { state: "retired", story: [...canceled, happened("MessageRetired")], legal: { MessageRemoved: "removed" } },
  removed: { state: "removed", story: [...canceled, happened("MessageRetired"), happened("MessageRemoved")], legal: {} },
};

describe("the chart of a message", () => {
  testMatrix<State, MessageEvent, typeof unbornMessage>({
    states: Object.keys(messageMachine.states),
    unborn: unbornMessage,
    can: (state, event) => state.can(event),
    evolve: evolveMessage,
    samples,
    rows,
  });
});
