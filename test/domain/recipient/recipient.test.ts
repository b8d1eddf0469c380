/** What an account learns about an address, and how it comes on and off the suppression list. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SuppressionDecision } from "../../../src/domain/message/events.ts";
import { parseRecipientStream, recipientStream, type RecipientEvent } from "../../../src/domain/recipient/events.ts";
import {
  decideRecipient,
  evolveRecipient,
  failuresBefore,
  unknownRecipient,
  type RecipientCommand,
} from "../../../src/domain/recipient/recipient.ts";
import { NOON, operator } from "../../support/samples.ts";

const common = { at: NOON, account: "shop", baseAddress: "bob@there.example" };
/** Each number is a message of its own. */
const cause = (message: number) => ({ stream: `message-${message}`, revision: 2 });
const listed: SuppressionDecision = { rule: "smtp-code", reason: "delivery failed with 550" };

const failed = (failures: number, revision: number): RecipientEvent => ({
  type: "RecipientDeliveryFailed",
  ...common,
  failures,
  cause: cause(revision),
});
const recovered = (revision: number): RecipientEvent => ({ type: "RecipientDeliveryRecovered", ...common, cause: cause(revision) });
const contacted: RecipientEvent = { type: "RecipientContacted", ...common };
const byHand: RecipientEvent = {
  type: "SuppressionAdded",
  ...common,
  id: 9,
  originalAddress: "Bob@there.example",
  manual: true,
  reason: "asked",
  cause: null,
  by: operator,
};
const unlisted: RecipientEvent = { type: "SuppressionRemoved", ...common, id: 9, by: operator };

const noteFailure = (revision: number, suppress: SuppressionDecision | null = null): RecipientCommand => ({
  type: "noteFailure",
  address: "Bob@there.example",
  suppress,
  at: NOON,
  cause: cause(revision),
});
const noteDelivery = (revision: number, at = NOON): RecipientCommand => ({ type: "noteDelivery", at, cause: cause(revision) });

const decide = (command: RecipientCommand, ...history: readonly RecipientEvent[]): readonly RecipientEvent[] =>
  decideRecipient(command, history.reduce(evolveRecipient, unknownRecipient), {
    now: NOON,
    id: 9,
    account: "shop",
    baseAddress: "bob@there.example",
  });

describe("a recipient", () => {
  it("is met for the first time once", () => {
    assert.deepEqual(decide({ type: "contact" }), [contacted]);
    assert.deepEqual(decide({ type: "contact" }, contacted), []);
  });

  it("has its failures counted until a delivery", () => {
    assert.deepEqual(decide(noteFailure(1)), [failed(1, 1)]);
    assert.deepEqual(decide(noteFailure(2), failed(1, 1)), [failed(2, 2)]);
    assert.deepEqual(decide(noteDelivery(3), failed(1, 1), failed(2, 2)), [recovered(3)]);
    assert.deepEqual(decide(noteFailure(4), failed(1, 1), failed(2, 2), recovered(3)), [failed(1, 4)]);
  });

  it("needs no note of a delivery when nothing failed before", () => {
    assert.deepEqual(decide(noteDelivery(1)), []);
    assert.deepEqual(decide(noteDelivery(4), failed(1, 1), recovered(3)), []);
  });

  it("is not taken for well because of a delivery before its last failure, told of again", () => {
    assert.deepEqual(decide(noteDelivery(1, NOON - 1), failed(1, 2)), []);
  });

  it("has failures in a row that a delivery did not end, when a DSN takes that delivery back", () => {
    const bounced = (message: number) => ({ cause: { ...cause(message), revision: 7 } });
    const command = { ...noteFailure(3), ...bounced(3) } as RecipientCommand;
    assert.deepEqual(decide(command, failed(1, 1), failed(2, 2), recovered(3)), [{ ...failed(3, 3), ...bounced(3) }]);
    assert.deepEqual(decide(command, failed(1, 1), failed(2, 2), recovered(3), failed(1, 4)), [{ ...failed(2, 3), ...bounced(3) }]);
    assert.deepEqual(decide(noteFailure(4), failed(1, 1), failed(2, 2), recovered(3)), [failed(1, 4)]);
  });

  it("has a message that fails several times counted once", () => {
    const again: RecipientEvent = { ...failed(1, 1), cause: { ...cause(1), revision: 7 } } as RecipientEvent;
    const command = { ...noteFailure(1), cause: { ...cause(1), revision: 7 } } as RecipientCommand;
    assert.deepEqual(decide(command, failed(1, 1)), [again]);
    assert.deepEqual(decide(noteFailure(2), failed(1, 1), again), [failed(2, 2)]);
    const state = [failed(1, 1), failed(2, 2)].reduce(evolveRecipient, unknownRecipient);
    assert.deepEqual([failuresBefore(state, "message-2"), failuresBefore(state, "message-3")], [1, 2]);
  });

  it("is not taken for well because of a delivery that a DSN took back, told of again", () => {
    assert.deepEqual(decide(noteDelivery(1), { ...failed(1, 1), cause: { ...cause(1), revision: 7 } } as RecipientEvent), []);
  });

  it("has every cause noted once", () => {
    assert.deepEqual(decide(noteFailure(1, listed), failed(1, 1)), []);
    assert.deepEqual(decide(noteFailure(1), failed(1, 1), failed(2, 2), recovered(3)), []);
    assert.deepEqual(decide(noteDelivery(3), failed(1, 1), recovered(3), failed(1, 4)), []);
  });
});

describe("the suppression list", () => {
  const automatic: RecipientEvent = {
    type: "SuppressionAdded",
    ...common,
    id: 9,
    originalAddress: "Bob@there.example",
    manual: false,
    reason: "delivery failed with 550",
    cause: cause(1),
    by: { kind: "system", name: "smtp-code" },
  };

  it("takes an address with the event that caused it and the rule that says so", () => {
    assert.deepEqual(decide(noteFailure(1, listed)), [failed(1, 1), automatic]);
  });

  it("takes an address once; the first entry stays", () => {
    assert.deepEqual(decide(noteFailure(1, listed), byHand), [failed(1, 1)]);
    assert.deepEqual(decide({ type: "suppress", address: "bob@there.example", manual: true, reason: "", by: operator }, automatic), []);
  });

  it("takes an address because of a complaint, once, and counts no failure", () => {
    const command: RecipientCommand = { type: "noteComplaint", address: "Bob@there.example", reason: "complained", cause: cause(5) };
    const complained: RecipientEvent = {
      ...automatic,
      reason: "complained",
      cause: cause(5),
      by: { kind: "system", name: "complaint" },
    };
    assert.deepEqual(decide(command), [complained]);
    assert.deepEqual(decide(command, complained), []);
    assert.deepEqual(decide(command, byHand), []);
    assert.deepEqual(decide(command, complained, unlisted), [], "told of again after it was taken off the list");
    assert.deepEqual(decide(noteFailure(6), complained), [failed(1, 6)]);
  });

  it("takes an address by hand", () => {
    assert.deepEqual(decide({ type: "suppress", address: "Bob@there.example", manual: true, reason: "asked", by: operator }), [byHand]);
  });

  it("loses an address once", () => {
    assert.deepEqual(decide({ type: "unsuppress", by: operator }, byHand), [unlisted]);
    assert.deepEqual(decide({ type: "unsuppress", by: operator }), []);
    assert.deepEqual(decide({ type: "unsuppress", by: operator }, byHand, unlisted), []);
  });

  it("gives an address that was removed a fresh start", () => {
    assert.deepEqual(decide(noteFailure(3), failed(1, 1), failed(2, 2), byHand, unlisted), [failed(1, 3)]);
    assert.equal(decide({ type: "suppress", address: "x", manual: true, reason: "", by: operator }, byHand, unlisted).length, 1);
  });
});

describe("a recipient's stream", () => {
  it("is told apart by account and address, and read back", () => {
    for (const [account, baseAddress] of [
      ["shop", "bob@there.example"],
      ["a/b", "c/d@there.example"],
      ["a b%2f", '"x y"@there.example'],
      ["läden", "jörg@there.example"],
    ] as const) {
      assert.deepEqual(parseRecipientStream(recipientStream(account, baseAddress)), { account, baseAddress });
    }
    assert.notEqual(recipientStream("a", "b/c@d"), recipientStream("a/b", "c@d"));
  });

  it("is not another kind of stream", () => {
    for (const stream of ["message-1", "recipient-shop", "x/recipient-shop"]) assert.throws(() => parseRecipientStream(stream));
  });
});
