/** A step without an interpreter is what xstate itself would do. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { transition, type AnyStateMachine } from "xstate";
import { stepsOf } from "../../../src/domain/chart/machine.ts";
import { messageMachine, unbornMessage } from "../../../src/domain/message/machine.ts";
import { unbornWebhook, webhookMachine } from "../../../src/domain/webhook/machine.ts";
import { called, happened, messageSamples, rule, webhookSamples } from "../../support/samples.ts";

const sameAsXstate = (
  machine: AnyStateMachine,
  unborn: ReturnType<typeof machine.getInitialSnapshot>,
  events: readonly { readonly type: string }[],
): void => {
  const step = stepsOf(machine);
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...events), { maxLength: 12 }), (story) => {
      let [ours, theirs] = [unborn, unborn];
      for (const event of [...events.slice(0, 1), ...story]) {
        const [next, actions] = step(ours, event);
        const [expected, expectedActions] = transition(machine, theirs, event);
        assert.deepEqual([next.value, next.context, next.status], [expected.value, expected.context, expected.status]);
        const told = (list: readonly { type: string; params: unknown }[]) => list.map(({ type, params }) => ({ type, params }));
        assert.deepEqual(told(actions), told(expectedActions));
        assert.ok(events.every((other) => next.can(other) === expected.can(other)));
        [ours, theirs] = [next, expected];
      }
    }),
    { numRuns: 500 },
  );
};

describe("a step of a machine", () => {
  it("of a message leads where xstate's own transition leads, and asks for the same", () => {
    const claims = [1, 2].map((attempt) => happened("DeliveryAttempted", { attempt }));
    sameAsXstate(messageMachine, unbornMessage, [...Object.values(messageSamples), ...claims, happened("MessageHeld", { by: rule })]);
  });

  it("of a webhook call leads where xstate's own transition leads, and asks for the same", () => {
    sameAsXstate(webhookMachine, unbornWebhook, [...Object.values(webhookSamples), called("WebhookAttempted", { attempt: 2 })]);
    sameAsXstate(webhookMachine, unbornWebhook, [called("WebhookQueued", { after: 80 }), ...Object.values(webhookSamples)]);
  });

  it("leaves the state that it starts from as it was, and remembers nothing of the step before", () => {
    const step = stepsOf(messageMachine);
    const [queued] = step(unbornMessage, happened("MessageQueued"));
    const [, asked] = step(queued, happened("DeliveryAttempted"));
    const [, again] = step(queued, happened("MessageHeld"));
    assert.deepEqual([asked.length, again.length], [1, 0]);
    assert.equal(queued.value, "queued");
    assert.equal(queued.context.attempts, 0);
    assert.equal(unbornMessage.context.message, undefined);
  });
});
