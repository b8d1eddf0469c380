/** A step by the table is what xstate itself would do. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { assign, createMachine, initialTransition, transition, type AnyStateMachine } from "xstate";
import { chartOf } from "../../../src/domain/chart/machine.ts";
import { messageMachine } from "../../../src/domain/message/machine.ts";
import { receivedMachine } from "../../../src/domain/received/machine.ts";
import { webhookMachine } from "../../../src/domain/webhook/machine.ts";
import { called, happened, messageSamples, receivedSamples, rule, webhookSamples } from "../../support/samples.ts";

type Event = { readonly type: string };

/** Random stories, each of which begins with the first of the events. */
const sameAsXstate = (machine: AnyStateMachine, events: readonly Event[]): void => {
  const { initial, can, step } = chartOf(machine);
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...events), { maxLength: 12 }), (story) => {
      let ours = initial;
      let [theirs] = initialTransition(machine);
      for (const event of [...events.slice(0, 1), ...story]) {
        const [next, asked] = step(ours, event);
        const [expected, actions] = transition(machine, theirs, event);
        assert.deepEqual(next, { value: expected.value as unknown, context: expected.context as unknown });
        assert.deepEqual(
          asked,
          actions.map(({ type, params }) => ({ type, params: params })),
        );
        assert.ok(events.every((other) => can(next, other) === expected.can(other)));
        [ours, theirs] = [next, expected];
      }
    }),
    { numRuns: 500 },
  );
};

describe("a step of a chart", () => {
  it("of a message leads where xstate's own transition leads, and asks for the same", () => {
    const claims = [1, 2].map((attempt) => happened("DeliveryAttempted", { attempt }));
    sameAsXstate(messageMachine, [...Object.values(messageSamples), ...claims, happened("MessageHeld", { by: rule })]);
  });

  it("of a webhook call leads where xstate's own transition leads, and asks for the same", () => {
    sameAsXstate(webhookMachine, [...Object.values(webhookSamples), called("WebhookAttempted", { attempt: 2 })]);
    sameAsXstate(webhookMachine, [called("WebhookQueued", { after: 80 }), ...Object.values(webhookSamples)]);
  });

  it("of a message in a mailbox leads where xstate's own transition leads", () => {
    sameAsXstate(receivedMachine, Object.values(receivedSamples));
  });

  it("leaves and enters states as xstate does, also one that it comes back to", () => {
    const machine = createMachine({
      id: "door",
      initial: "closed",
      context: { opened: 0, said: "" },
      states: {
        closed: { exit: "creak", on: { OPEN: "open", KNOCK: { actions: [assign({ said: "who is there?" }), "answer"] } } },
        open: {
          entry: [assign({ opened: ({ context }) => context.opened + 1 }), { type: "greet", params: ({ context }) => context.opened }],
          exit: "wave",
          on: { CLOSE: "closed", OPEN: { target: "open", reenter: true }, KNOCK: { target: "open" } },
        },
      },
    });
    sameAsXstate(machine, [{ type: "OPEN" }, { type: "CLOSE" }, { type: "KNOCK" }, { type: "BURN" }]);
  });

  it("leaves the state that it starts from as it was, and remembers nothing of the step before", () => {
    const { initial, step } = chartOf(messageMachine);
    const [queued] = step(initial, happened("MessageQueued"));
    const [, asked] = step(queued, happened("DeliveryAttempted"));
    const [, again] = step(queued, happened("MessageHeld"));
    assert.deepEqual([asked.length, again.length], [1, 0]);
    assert.equal(queued.value, "queued");
    assert.equal(queued.context.attempts, 0);
    assert.equal(initial.context.message, undefined);
  });
});

describe("a chart that is more than a table", () => {
  const refuses = (config: Parameters<typeof createMachine>[0], why: RegExp): void => {
    assert.throws(() => chartOf(createMachine(config)), why);
  };

  it("is refused when it is read: states within states, several at once", () => {
    refuses({ id: "m", initial: "a", states: { a: { initial: "b", states: { b: {} } } } }, /m\.a: .* states within a state/);
    refuses({ id: "m", type: "parallel", states: { a: {}, b: {} } }, /several states at once/);
  });

  it("is refused when it is read: steps without an event, for any event, or for the whole chart", () => {
    refuses({ id: "m", initial: "a", states: { a: { always: "b" }, b: {} } }, /eventless/);
    refuses({ id: "m", initial: "a", states: { a: { on: { "*": "b" } }, b: {} } }, /any event/);
    refuses({ id: "m", initial: "a", on: { GO: ".b" }, states: { a: {}, b: {} } }, /above its states/);
    refuses({ id: "m", initial: "a", exit: "wave", states: { a: {} } }, /above its states/);
    refuses({ id: "m", initial: "a", invoke: { src: "work" }, states: { a: {} } }, /above its states/);
  });

  it("is refused when it is read: work and time of its own", () => {
    refuses({ id: "m", initial: "a", states: { a: { after: { 10: "b" } }, b: {} } }, /delayed/);
    refuses({ id: "m", initial: "a", states: { a: { invoke: { src: "work" } } } }, /invoked/);
    refuses({ id: "m", initial: "a", states: { a: { on: { GO: "b" } }, b: { entry: () => undefined } } }, /inline action/);
    refuses({ id: "m", initial: "a", states: { a: { entry: "greet" } } }, /actions before the first event/);
    refuses({ id: "m", initial: "a", states: { a: { on: { END: "b" } }, b: { type: "final", exit: "wave" } } }, /actions behind its end/);
    refuses({ id: "m", initial: "a", states: { a: { on: { GO: { guard: () => true } } } } }, /guard that is not a name/);
  });
});
