import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../src/domain/clock.ts";
import type { DomainEvent } from "../../src/domain/events.ts";
import { ID_EPOCH_AT, idSource } from "../../src/domain/ids.ts";
import { contents, storage } from "../../src/projections/contents.ts";
import { counters } from "../../src/projections/counters.ts";
import { holdRules } from "../../src/projections/hold-rules.ts";
import { idLead } from "../../src/projections/id-lead.ts";
import { messages, type MessageRow } from "../../src/projections/messages.ts";
import { newestId } from "../../src/projections/newest-id.ts";
import { received } from "../../src/projections/received.ts";
import { usage, usageHours } from "../../src/projections/usage.ts";
import { webhookCalls } from "../../src/projections/webhook-calls.ts";
import { aReceivedMessage, anIncomingCall, called, happened, mailed, NOON, operator } from "../support/samples.ts";
import { derivedFrom, recordedIn, rowAfter, rowsAfter } from "./folding.ts";

const queued = happened("MessageQueued");
const arrived = { type: "MessageReceived", at: NOON, ...aReceivedMessage({ size: 300 }) } as const;

const usageAfter = (...events: readonly DomainEvent[]) => [...rowsAfter(usage, recordedIn("message-1", events)).values()];

describe("usage", () => {
  it("counts messages and first contacts in each minute", () => {
    const contact = { type: "RecipientContacted", at: NOON + 5, account: "shop", baseAddress: "bob@there.example" } as const;
    const minute = NOON / MINUTE_MS;
    assert.deepEqual(
      usageAfter(queued, happened("MessageQueued", { at: NOON + 9 }), contact, happened("MessageQueued", { at: NOON + MINUTE_MS })),
      [
        { account: "shop", minute, messages: 2, firstContacts: 1, lastAt: NOON + 9 },
        { account: "shop", minute: minute + 1, messages: 1, firstContacts: 0, lastAt: NOON + MINUTE_MS },
      ],
    );
  });

  it("keeps accounts apart", () => {
    assert.equal(usageAfter(queued, happened("MessageQueued", { account: "club" })).length, 2);
  });

  it("is summed up by the hour", () => {
    const [row] = usageAfter(queued, queued);
    assert.deepEqual(derivedFrom(usageHours, "usage", row), [{ account: "shop", hour: NOON / HOUR_MS, messages: 2, firstContacts: 0 }]);
  });

  it("may be forgotten after a day, and no sooner", () => {
    const minute = NOON / MINUTE_MS;
    assert.equal(usage.expiry?.below(NOON + DAY_MS), minute);
    assert.equal(usage.expiry.below(NOON + DAY_MS + MINUTE_MS), minute + 1);
    assert.equal(usageHours.expiry?.below(NOON + DAY_MS), NOON / HOUR_MS);
  });
});

const messageAfter = (...events: readonly DomainEvent[]) => rowAfter<MessageRow>(messages, [42], "message-42", queued, ...events);

describe("contents", () => {
  it("are needed by messages until they are retired, and by received ones", () => {
    const needed = [{ contentId: 40, account: "shop", size: 1_000, references: 1 }];
    assert.deepEqual(derivedFrom(contents, "messages", messageAfter()), needed);
    assert.deepEqual(derivedFrom(contents, "messages", messageAfter(happened("MessageCanceled"))), needed);
    assert.deepEqual(derivedFrom(contents, "messages", messageAfter(happened("MessageCanceled"), happened("MessageRetired"))), []);
    const row = rowAfter(received, [70], "received-70", arrived);
    assert.deepEqual(derivedFrom(contents, "received", row), [{ contentId: 71, account: "shop", size: 300, references: 1 }]);
    const deleted = rowAfter(received, [70], "received-70", arrived, mailed("MessageDeleted"));
    assert.deepEqual(derivedFrom(contents, "received", deleted), []);
  });

  it("are needed by calls that have yet to bring them, without counting for storage", () => {
    const queuedCall = { type: "WebhookQueued", at: NOON, ...anIncomingCall() } as const;
    const after = (...events: readonly DomainEvent[]) =>
      derivedFrom(contents, "webhookCalls", rowAfter(webhookCalls, [72], "webhook-72", queuedCall, ...events));
    const needed = [{ contentId: 71, account: "shop", size: 0, references: 1 }];
    assert.deepEqual(after(), needed);
    assert.deepEqual(after(called("WebhookAttempted"), called("WebhookDelivered")), needed);
    assert.deepEqual(after(called("WebhookAttempted"), called("WebhookDelivered"), called("WebhookRetired")), []);
    assert.deepEqual(derivedFrom(contents, "webhookCalls", rowAfter(webhookCalls, [90], "webhook-90", called("WebhookQueued"))), []);
  });

  it("count once for an account's storage, however many messages share them", () => {
    const content = { contentId: 40, account: "shop", size: 1_000, references: 7 };
    assert.deepEqual(derivedFrom(storage, "contents", content), [{ account: "shop", octets: 1_000 }]);
  });
});

describe("the counters", () => {
  it("count a message where it is listed, by its state, until it is removed", () => {
    const count = (...events: readonly DomainEvent[]) =>
      derivedFrom<{ list: string; state: string }>(counters, "messages", messageAfter(...events)).map(
        ({ list, state }) => `${list} ${state}`,
      );
    assert.deepEqual(count(), ["queue queued"]);
    assert.deepEqual(count(happened("MessageHeld")), ["queue held"]);
    assert.deepEqual(count(happened("MessageCanceled"), happened("MessageRetired")), ["retired canceled"]);
    assert.deepEqual(count(happened("MessageCanceled"), happened("MessageRetired"), happened("MessageRemoved")), []);
  });

  it("count mail by its mailbox, until it is deleted", () => {
    const count = (...events: readonly DomainEvent[]) =>
      derivedFrom<{ list: string; state: string }>(counters, "received", rowAfter(received, [70], "received-70", arrived, ...events)).map(
        ({ list, state }) => `${list} ${state}`,
      );
    assert.deepEqual(count(), ["received Inbox"]);
    assert.deepEqual(count(mailed("MessageMoved")), ["received Archive"]);
    assert.deepEqual(count(mailed("MessageMoved"), mailed("MessageDeleted")), []);
  });
});

describe("hold rules and received messages", () => {
  it("are listed as they were told", () => {
    const rule = { id: 7, account: null, senderDomain: "shop.example", recipientDomain: null };
    const added = { type: "HoldRuleAdded", at: NOON, ...rule, seed: "", by: operator } as const;
    assert.deepEqual(rowAfter(holdRules, [7], "holdrules", added), { ...rule, seed: "", addedAt: NOON });
    assert.equal(rowAfter(holdRules, [7], "holdrules", added, { type: "HoldRuleRemoved", at: NOON, id: 7, by: operator }), undefined);
    const { type: _type, at, report: _report, ...message } = arrived;
    const row = { ...message, reportKind: "", receivedAt: at, deletedAt: null };
    assert.deepEqual(rowAfter(received, [70], "received-70", arrived), row);
    const changed = [mailed("MessageFlagsAdded", { flags: ["later", "\\seen"] }), mailed("MessageMoved")];
    assert.deepEqual(rowAfter(received, [70], "received-70", arrived, ...changed), {
      ...row,
      flags: ["\\seen", "later"],
      mailbox: "Archive",
    });
    const undone = mailed("MessageFlagsRemoved", { flags: ["later"] });
    assert.deepEqual(rowAfter(received, [70], "received-70", arrived, ...changed, undone, mailed("MessageDeleted", { at: NOON + 1 })), {
      ...row,
      flags: ["\\seen"],
      mailbox: "Archive",
      deletedAt: NOON + 1,
    });
  });
});

describe("what is remembered about ids", () => {
  it("is how far they lead the time of queueing", () => {
    const next = idSource(0, () => NOON);
    const lead = (...ats: readonly number[]) =>
      rowAfter(idLead, ["message"], "message-1", ...ats.map((at) => happened("MessageQueued", { id: next(), at })));
    assert.deepEqual(lead(NOON), { actor: "message", least: 0, most: 0 });
    assert.deepEqual(lead(NOON, NOON - 40, NOON + 3), { actor: "message", least: -40, most: 3 });
    const call = called("WebhookQueued", { id: 1, at: ID_EPOCH_AT + 5 });
    assert.deepEqual(rowAfter(idLead, ["webhook"], "webhook-1", call), { actor: "webhook", least: 5, most: 5 });
  });

  it("is the largest that was ever given out", () => {
    const newest = (...events: readonly DomainEvent[]) => rowAfter<{ id: number }>(newestId, [1], "message-1", ...events)?.id;
    assert.equal(newest(happened("MessageQueued", { id: 7, submissionId: 9, contentId: 8 })), 9);
    assert.equal(newest(queued, happened("DeliverySucceeded", { callId: 5_000 }), called("WebhookQueued", { id: 60 })), 5_000);
    assert.equal(newest(arrived), 72);
  });
});
