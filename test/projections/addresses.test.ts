import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { recipientStream, type RecipientEvent } from "../../src/domain/recipient/events.ts";
import { recipients, type RecipientRow } from "../../src/projections/recipients.ts";
import { suppressions, type SuppressionRow } from "../../src/projections/suppressions.ts";
import { NOON, operator } from "../support/samples.ts";
import { rowAfter } from "./folding.ts";

const who = { at: NOON, account: "shop", baseAddress: "bob@there.example" };
const stream = recipientStream("shop", "bob@there.example");
const cause = { stream: "message-42", revision: 3 };

const contacted: RecipientEvent = { type: "RecipientContacted", ...who };
const failed = (failures: number): RecipientEvent => ({ type: "RecipientDeliveryFailed", ...who, failures, cause });
const recovered: RecipientEvent = { type: "RecipientDeliveryRecovered", ...who, cause };
const removed: RecipientEvent = { type: "SuppressionRemoved", ...who, id: 5, by: operator };
const added = (because: typeof cause | null): RecipientEvent => ({
  type: "SuppressionAdded",
  ...who,
  id: 5,
  originalAddress: "Bob+news@there.example",
  manual: because === null,
  reason: "550 5.1.1",
  cause: because,
  by: operator,
});

const recipient = (...events: readonly RecipientEvent[]) =>
  rowAfter<RecipientRow>(recipients, ["shop", "bob@there.example"], stream, ...events);
const suppression = (...events: readonly RecipientEvent[]) =>
  rowAfter<SuppressionRow>(suppressions, ["shop", "bob@there.example"], stream, ...events);

describe("what is known about a recipient", () => {
  it("is when the account first wrote to it", () => {
    assert.deepEqual(recipient(contacted), { account: "shop", baseAddress: "bob@there.example", failures: 0, contactedAt: NOON });
  });

  it("is how many deliveries in a row have failed", () => {
    assert.deepEqual([recipient(failed(1), failed(2))?.failures, recipient(failed(1))?.contactedAt], [2, null]);
    assert.equal(recipient(contacted, failed(1), recovered)?.failures, 0);
    assert.equal(recipient(contacted, failed(1), recovered)?.contactedAt, NOON);
  });

  it("starts afresh when the address is taken off the suppression list", () => {
    assert.equal(recipient(failed(3), added(cause), removed)?.failures, 0);
  });

  it("is nothing for an address that was only suppressed by hand", () => {
    assert.equal(recipient(added(null), removed), undefined);
  });
});

describe("an entry of the suppression list", () => {
  it("names the event that caused it, and the one that added it", () => {
    assert.deepEqual(suppression(failed(1), added(cause)), {
      id: 5,
      createdAt: NOON,
      account: "shop",
      baseAddress: "bob@there.example",
      originalAddress: "Bob+news@there.example",
      manual: false,
      reason: "550 5.1.1",
      causeStream: "message-42",
      causeRevision: 3,
      addedRevision: 1,
    });
  });

  it("is its own cause when a person added it", () => {
    const row = suppression(added(null));
    assert.deepEqual([row?.manual, row?.causeStream, row?.causeRevision], [true, stream, 0]);
  });

  it("goes, and can come again", () => {
    assert.equal(suppression(added(null), removed), undefined);
    assert.equal(suppression(added(null), removed, added(cause))?.addedRevision, 2);
  });
});
