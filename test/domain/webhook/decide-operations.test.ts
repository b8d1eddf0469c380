/** Superseding, waiting in order, and what operators do to calls, in every state. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { WebhookCommand } from "../../../src/domain/webhook/commands.ts";
import type { WebhookEvent } from "../../../src/domain/webhook/events.ts";
import { called, httpResult, NOON, operator } from "../../support/samples.ts";
import {
  answered,
  attempt,
  claimed,
  deferredTimes,
  given,
  KEEP_MS,
  LATER,
  queued,
  record,
  retired,
  SOON,
  stopped,
  unreachable,
  waiting,
} from "./given-webhook.ts";

const superseded = called("WebhookSuperseded");
const supersede: WebhookCommand = { type: "supersede", supersededBy: 91 };

const STORIES: Readonly<Record<string, readonly WebhookEvent[]>> = {
  unborn: [],
  waiting: [waiting],
  queued: [queued],
  attempting: [queued, claimed(1)],
  "attempting, superseded": [queued, claimed(1), superseded],
  "retired as superseded": [queued, superseded, retired()],
  "retired as delivered": [queued, claimed(1), called("WebhookDelivered"), retired()],
  removed: [queued, called("WebhookCanceled"), retired(), called("WebhookRemoved")],
};

type Expected = readonly WebhookEvent["type"][] | "nothing" | "refused";

const nothing = Object.fromEntries(Object.keys(STORIES).map((name) => [name, "nothing"] as const));

const COMMANDS: Readonly<Record<string, readonly [WebhookCommand, Readonly<Record<string, Expected>>]>> = {
  supersede: [
    supersede,
    {
      queued: ["WebhookSuperseded", "WebhookRetired"],
      attempting: ["WebhookSuperseded"],
      "attempting, superseded": "nothing",
      "retired as superseded": "nothing",
    },
  ],
  unblock: [{ type: "unblock" }, { ...nothing, waiting: ["WebhookUnblocked"] }],
  schedule: [{ type: "schedule", nextAttemptAt: LATER, by: operator }, { queued: ["WebhookRescheduled"] }],
  cancel: [
    { type: "cancel", by: operator },
    { waiting: ["WebhookCanceled", "WebhookRetired"], queued: ["WebhookCanceled", "WebhookRetired"] },
  ],
  remove: [{ type: "remove" }, { "retired as superseded": ["WebhookRemoved"], "retired as delivered": ["WebhookRemoved"] }],
};

for (const [name, [command, outcomes]] of Object.entries(COMMANDS)) {
  describe(`to ${name}`, () => {
    for (const [situation, story] of Object.entries(STORIES)) {
      const expected = outcomes[situation] ?? "refused";
      it(`${typeof expected === "string" ? (expected === "refused" ? "is refused" : "changes nothing") : `is ${expected.join(" and ")}`} when the call is ${situation}`, () => {
        const answer = given(...story).when(command);
        if (expected === "refused") answer.refuses();
        else if (expected === "nothing") answer.changesNothing();
        else answer.thenOfTypes(...expected);
      });
    }
  });
}

describe("a superseded call", () => {
  const inFlight = [queued, claimed(1), superseded];

  it("retires at once while it waits for its time, and names its successor", () => {
    const { state } = given(queued)
      .when(supersede, { now: SOON })
      .then(called("WebhookSuperseded", { at: SOON }), retired(SOON));
    assert.equal(state.context.outcome, "superseded");
    assert.equal(state.context.supersededBy, 91);
  });

  it("has its result recorded when it is in flight: success", () => {
    const { state } = given(...inFlight)
      .when(record(1, answered(200)))
      .then(called("WebhookDelivered", { result: httpResult(200) }), retired());
    assert.equal(state.context.outcome, "delivered");
  });

  it("has its result recorded when it is in flight: 410", () => {
    const { state } = given(...inFlight)
      .when(record(1, answered(410)))
      .thenOfTypes("WebhookFailed", "WebhookRetired");
    assert.equal(state.context.outcome, "failed");
  });

  for (const [name, outcome, status] of [
    ["500", answered(500), 500],
    ["503 with Retry-After", answered(503, 1_000), 503],
    ["no answer", unreachable, 0],
  ] as const) {
    it(`has its result recorded when it is in flight, and is not made again after ${name}`, () => {
      const { state } = given(...inFlight)
        .when(record(1, outcome))
        .thenOfTypes("WebhookDeferred", "WebhookRetired");
      assert.equal(state.context.outcome, "superseded");
      assert.equal(state.context.last?.status, status);
    });
  }

  it("is not made again when it was cut off", () => {
    for (const command of [record(1, stopped), { type: "abandon", reason: "lost", overdueOnly: false } as const]) {
      const { state } = given(...inFlight)
        .when(command)
        .thenOfTypes("WebhookInterrupted", "WebhookRetired");
      assert.equal(state.context.outcome, "superseded");
    }
  });

  it("counts as superseded, not as failed, when its last attempt fails", () => {
    const { state } = given(queued, ...deferredTimes(11), claimed(12), superseded)
      .when(record(12, answered(500)))
      .thenOfTypes("WebhookDeferred", "WebhookRetired");
    assert.equal(state.context.outcome, "superseded");
  });

  it("keeps its first successor", () => {
    given(...inFlight)
      .when({ type: "supersede", supersededBy: 92 })
      .changesNothing();
  });
});

describe("a call that must come after another", () => {
  it("waits, also when its time has come", () => {
    given(waiting).when(attempt, { now: LATER }).refuses();
  });

  it("is due as soon as the other is done", () => {
    const { state } = given(waiting)
      .when({ type: "unblock" }, { now: SOON })
      .then(called("WebhookUnblocked", { at: SOON }));
    assert.equal(state.value, "queued");
    given(waiting, called("WebhookUnblocked")).when(attempt).thenOfTypes("WebhookAttempted");
  });

  it("is let go once", () => {
    given(waiting, called("WebhookUnblocked")).when({ type: "unblock" }).changesNothing();
  });
});

describe("a call asked for what is so already", () => {
  it("writes nothing: the same next attempt", () => {
    given(queued).when({ type: "schedule", nextAttemptAt: NOON, by: operator }).changesNothing();
  });
});

describe("a retired call", () => {
  it("is kept for as long as the account said when it retired", () => {
    for (const keepRetiredMs of [0, 1, KEEP_MS]) {
      const { state } = given(queued).when({ type: "cancel", by: operator }, { now: SOON, keepRetiredMs });
      assert.equal(state.context.keepUntil, SOON + keepRetiredMs);
    }
  });
});
