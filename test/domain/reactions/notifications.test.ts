/** What accounts are told about their messages. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DSN_ACTIONS, type MessageEvent, type MessageEventType } from "../../../src/domain/message/events.ts";
import { notificationOf } from "../../../src/domain/reactions/notifications.ts";
import { aMessage, happened, messageSamples, smtpResult } from "../../support/samples.ts";

const message = aMessage({ fromId: "abc" });

const told = (event: MessageEvent) => notificationOf(event, message)?.payload;

describe("an account", () => {
  const NAMES: Readonly<Record<MessageEventType, string | undefined>> = {
    MessageQueued: undefined,
    MessageHeld: undefined,
    MessageReleased: undefined,
    MessageRescheduled: undefined,
    MessageTransportSet: undefined,
    MessageRequireTlsSet: undefined,
    DeliveryAttempted: undefined,
    DeliverySucceeded: "delivered",
    DeliveryDeferred: "delayed",
    DeliveryFailed: "failed",
    DeliveryUncertain: "delayed",
    DeliveryInterrupted: undefined,
    MessageRequeued: undefined,
    MessageSuppressed: "suppressed",
    MessageFailed: "failed",
    MessageCanceled: "canceled",
    DsnReceived: "failed",
    ComplaintReceived: "complained",
    MessageRetired: undefined,
    MessageRemoved: undefined,
  };
  for (const [type, name] of Object.entries(NAMES) as [MessageEventType, string | undefined][]) {
    it(`hears ${name === undefined ? "nothing" : `"${name}"`} of ${type}`, () => {
      assert.equal(told(messageSamples[type])?.event, name);
    });
  }

  it("hears what it needs to find the message again", () => {
    assert.deepEqual(
      notificationOf(happened("DeliverySucceeded", { result: smtpResult(250, "2.0.0", { error: "queued as 77" }) }), message),
      {
        callId: 1_001,
        payload: {
          event: "delivered",
          dsn: false,
          suppressing: false,
          queueMsgId: 42,
          fromId: "abc",
          messageId: "<order-1@shop.example>",
          subject: "Your order",
          smtpCode: 0,
          smtpEnhancedCode: "",
          error: "",
          extra: { order: "1" },
          bounceClass: "",
        },
      },
    );
  });

  it("hears the remote's own words when a delivery failed for now or for good", () => {
    for (const type of ["DeliveryDeferred", "DeliveryFailed"] as const) {
      const payload = told(happened(type, { result: smtpResult(451, "4.3.0", { error: "out of storage" }) }));
      assert.deepEqual([payload?.smtpCode, payload?.smtpEnhancedCode, payload?.error], [451, "4.3.0", "out of storage"]);
    }
  });

  it("hears whether a failure put the address on the list", () => {
    assert.equal(told(happened("DeliveryFailed", { suppress: { rule: "smtp-code", reason: "" } }))?.suppressing, true);
    assert.equal(told(happened("DeliveryFailed"))?.suppressing, false);
    assert.equal(told(happened("MessageSuppressed"))?.suppressing, false);
  });

  it("hears that an address is on the list, without a code", () => {
    const payload = told(happened("MessageSuppressed"));
    assert.deepEqual([payload?.smtpCode, payload?.error], [0, "recipient is on the suppression list as bob@there.example"]);
  });

  it("hears that an outcome is unknown, but not when the failure that follows says it all", () => {
    for (const policy of ["wait", "retry"] as const) assert.match(told(happened("DeliveryUncertain", { policy }))?.error ?? "", /unknown/);
    assert.equal(told(happened("DeliveryUncertain", { policy: "stop" })), undefined);
  });

  it("hears each action of a DSN by its name, and that it is a DSN", () => {
    for (const action of DSN_ACTIONS) {
      const payload = told(happened("DsnReceived", { action, code: 452, enhancedCode: "4.2.2", error: "full" }));
      assert.deepEqual(
        [payload?.event, payload?.dsn, payload?.smtpCode, payload?.smtpEnhancedCode, payload?.error],
        [action, true, 452, "4.2.2", "full"],
      );
    }
    assert.equal(told(happened("DsnReceived", { action: "unrecognized", isDsn: false }))?.dsn, false);
    assert.equal(told(happened("DsnReceived", { action: "relayed", code: 0, enhancedCode: "2.0.0" }))?.smtpEnhancedCode, "");
    assert.equal(told(happened("DsnReceived", { suppress: { rule: "smtp-code", reason: "" } }))?.suppressing, true);
    assert.equal(told(happened("DsnReceived", { bounce: { class: "mailbox-full", rule: "x" } }))?.bounceClass, "mailbox-full");
  });

  it("hears of a complaint, which is no DSN", () => {
    const payload = told(happened("ComplaintReceived", { feedbackType: "fraud", suppress: true }));
    assert.deepEqual([payload?.dsn, payload?.suppressing, payload?.smtpCode], [false, true, 0]);
    assert.equal(payload?.error, "the recipient complained (fraud)");
    assert.equal(told(happened("ComplaintReceived", { suppress: false }))?.suppressing, false);
  });

  it("hears why an operator failed a message", () => {
    assert.equal(told(happened("MessageFailed"))?.error, "failed by ada");
  });
});
