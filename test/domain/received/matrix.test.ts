/** Every state of a message in a mailbox against every event. */
import { describe } from "node:test";
import type { ReceivedEvent } from "../../../src/domain/received/events.ts";
import { canBefallReceived, evolveReceived, receivedMachine, unbornReceived } from "../../../src/domain/received/machine.ts";
import { testMatrix, type Row } from "../../support/matrix.ts";
import { mailed, receivedSamples as samples } from "../../support/samples.ts";

type State = (typeof unbornReceived)["value"];

const arrived = mailed("MessageReceived");

const rows: Readonly<Record<string, Row<State, ReceivedEvent>>> = {
  unborn: { state: "unborn", story: [], legal: { MessageReceived: "kept" } },
  kept: {
    state: "kept",
    story: [arrived],
    legal: { MessageFlagsAdded: "kept", MessageFlagsRemoved: "kept", MessageMoved: "kept", MessageDeleted: "deleted" },
  },
  deleted: { state: "deleted", story: [arrived, mailed("MessageDeleted")], legal: {} },
};

describe("the chart of a message in a mailbox", () => {
  testMatrix<State, ReceivedEvent, typeof unbornReceived>({
    states: Object.keys(receivedMachine.states),
    unborn: unbornReceived,
    can: canBefallReceived,
    evolve: evolveReceived,
    samples,
    rows,
  });
});
