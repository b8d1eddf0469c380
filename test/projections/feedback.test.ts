import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MessageEvent } from "../../src/domain/message/events.ts";
import { feedback, type FeedbackRow } from "../../src/projections/feedback.ts";
import { messages, QUEUE, RETIRED, type MessageRow } from "../../src/projections/messages.ts";
import { happened, NOON } from "../support/samples.ts";
import { recordedIn, rowAfter, rowsAfter } from "./folding.ts";

const life: readonly MessageEvent[] = [happened("MessageQueued"), happened("DeliveryAttempted"), happened("DeliverySucceeded")];
const retired = happened("MessageRetired");

const dsn = happened("DsnReceived", {
  at: NOON + 5,
  receivedId: 70,
  action: "failed",
  code: 550,
  enhancedCode: "5.1.1",
  error: "no such user",
  remoteHost: "mx.there.example",
  bounce: { class: "bad-address", rule: "x" },
  suppress: { rule: "smtp-code", reason: "" },
});
const complaint = happened("ComplaintReceived", { at: NOON + 6, receivedId: 71, feedbackType: "fraud", suppress: false });

describe("the history of reports", () => {
  it("shows what a DSN said, and what came of it", () => {
    assert.deepEqual(rowAfter<FeedbackRow>(feedback, [42, 70], "message-42", ...life, retired, dsn), {
      messageRef: 42,
      receivedId: 70,
      at: NOON + 5,
      matchedBy: "fromid",
      said: "failed",
      feedbackType: "",
      code: 550,
      enhancedCode: "5.1.1",
      error: "no such user",
      remoteHost: "mx.there.example",
      bounceClass: "bad-address",
      suppressing: true,
    });
  });

  it("shows each report of its own, complaints among them", () => {
    const rows = rowsAfter(feedback, recordedIn("message-42", [...life, retired, dsn, complaint]));
    assert.deepEqual(
      [...rows.values()].map(({ receivedId, said, feedbackType, suppressing }) => [receivedId, said, feedbackType, suppressing]),
      [
        [70, "failed", "", true],
        [71, "complained", "fraud", false],
      ],
    );
  });
});

describe("a message's row", () => {
  const row = (...events: readonly MessageEvent[]) => rowAfter<MessageRow>(messages, [42], "message-42", ...life, ...events);

  it("shows the last report, and leaves the outcome and the last attempt as they were", () => {
    const before = row(retired);
    assert.deepEqual([before?.feedback, before?.feedbackCode], ["", 0]);
    const after = row(retired, dsn);
    assert.deepEqual(
      [after?.feedback, after?.feedbackCode, after?.state, after?.lastCode, after?.lastActivityAt],
      ["failed", 550, "delivered", 250, NOON + 5],
    );
    assert.deepEqual([row(retired, dsn, complaint)?.feedback, row(retired, dsn, complaint)?.feedbackCode], ["complained", 0]);
  });

  it("stays where it is", () => {
    const home = (one: MessageRow | undefined) => one && messages.home(one);
    assert.equal(home(row(retired, dsn)), RETIRED);
    const waiting = [happened("MessageQueued"), happened("DeliveryAttempted"), happened("DeliveryDeferred")];
    assert.equal(home(rowAfter<MessageRow>(messages, [42], "message-42", ...waiting, dsn)), QUEUE);
  });
});
