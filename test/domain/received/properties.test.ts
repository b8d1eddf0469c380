/** What holds for every message in a mailbox, whatever is asked of it in whatever order. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { MINUTE_MS } from "../../../src/domain/clock.ts";
import type { ReceivedCommand, ReceivedTerms } from "../../../src/domain/received/commands.ts";
import { MAILBOXES, type ReceivedEvent } from "../../../src/domain/received/events.ts";
import { evolveReceived, unbornReceived, type ReceivedState } from "../../../src/domain/received/machine.ts";
import { receivedKind } from "../../../src/domain/runtime/kinds.ts";
import { live, type Life } from "../../support/life.ts";
import { aReceivedMessage, NOON, shopOwner as by } from "../../support/samples.ts";

const flags = fc.uniqueArray(fc.constantFrom("\\seen", "\\flagged", "$forwarded", "later"), { maxLength: 4 });

const command = fc.oneof(
  { weight: 4, arbitrary: flags.map((some): ReceivedCommand => ({ type: "flagsAdd", flags: some, by })) },
  { weight: 4, arbitrary: flags.map((some): ReceivedCommand => ({ type: "flagsRemove", flags: some, by })) },
  { weight: 4, arbitrary: fc.constantFrom(...MAILBOXES).map((mailbox): ReceivedCommand => ({ type: "move", mailbox, by })) },
  { weight: 1, arbitrary: fc.constantFrom<ReceivedCommand>({ type: "delete", by }, { type: "remove" }) },
);

const lives = fc.record({
  flags,
  keepMinutes: fc.constantFrom(null, 0, 10),
  steps: fc.array(fc.record({ command, minutes: fc.constantFrom(0, 1, 8) }), { maxLength: 30 }),
});

type Plan = typeof lives extends fc.Arbitrary<infer Value> ? Value : never;

const lifeOf = ({ flags: first, keepMinutes, steps }: Plan): Life<ReceivedState, ReceivedEvent> => {
  let now = NOON;
  const keepUntil = keepMinutes === null ? null : NOON + keepMinutes * MINUTE_MS;
  const message = aReceivedMessage({ flags: first, keepUntil });
  const birth = (): readonly [ReceivedCommand, ReceivedTerms] => [{ type: "receive", message }, { now }];
  const rest = steps.map((each) => (): readonly [ReceivedCommand, ReceivedTerms] => {
    now += each.minutes * MINUTE_MS;
    return [each.command, { now }];
  });
  return live(receivedKind, [birth, ...rest]);
};

const always = (check: (life: Life<ReceivedState, ReceivedEvent>) => void): void => {
  fc.assert(
    fc.property(lives, (plan) => {
      check(lifeOf(plan));
    }),
    { numRuns: 500 },
  );
};

describe("any message in a mailbox", () => {
  it("is the fold of its events", () => {
    always(({ log, states }) => {
      const folded = log.reduce(evolveReceived, unbornReceived);
      assert.equal(folded.value, states.at(-1)?.value);
      assert.deepEqual(folded.context, states.at(-1)?.context);
    });
  });

  it("has no event that changed nothing", () => {
    always(({ log }) => {
      let state = unbornReceived;
      for (const event of log) {
        const next = evolveReceived(state, event);
        const picture = ({ value, context }: ReceivedState) => [value, context.mailbox, [...context.flags].sort()];
        if (event.type !== "MessageReceived") assert.notDeepEqual(picture(next), picture(state), event.type);
        state = next;
      }
    });
  });

  it("is deleted at most once, and nothing follows", () => {
    always(({ log }) => {
      const end = log.findIndex(({ type }) => type === "MessageDeleted");
      assert.ok(end === -1 || end === log.length - 1);
    });
  });

  it("is not deleted by the server before its time", () => {
    always(({ log, states }) => {
      const end = log.at(-1);
      if (end?.type !== "MessageDeleted" || end.by.kind !== "system") return;
      const keepUntil = states.at(-1)?.context.message?.keepUntil ?? null;
      assert.ok(keepUntil !== null && end.at >= keepUntil);
    });
  });
});
