import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MessageEvent } from "../../src/domain/message/events.ts";
import type { WebhookEvent } from "../../src/domain/webhook/events.ts";
import { attempts, type AttemptRow } from "../../src/projections/attempts.ts";
import { webhookAttempts, type CallAttemptRow } from "../../src/projections/webhook-attempts.ts";
import { called, happened, httpResult, NOON, smtpResult } from "../support/samples.ts";
import { recordedIn, rowAfter, rowsAfter } from "./folding.ts";

const attempted = (...events: readonly MessageEvent[]) =>
  rowAfter<AttemptRow>(attempts, [42, 1], "message-42", happened("DeliveryAttempted"), ...events);

describe("the history of deliveries", () => {
  it("shows an attempt from its beginning", () => {
    const row = attempted();
    assert.deepEqual([row?.messageRef, row?.attempt, row?.outcome, row?.startedAt, row?.durationMs], [42, 1, "attempting", NOON, null]);
  });

  for (const [type, outcome] of [
    ["DeliverySucceeded", "delivered"],
    ["DeliveryDeferred", "deferred"],
    ["DeliveryFailed", "failed"],
    ["DeliveryUncertain", "uncertain"],
  ] as const) {
    it(`shows what the remote side said when an attempt was ${outcome}`, () => {
      const tls = { version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", verified: true };
      const policy = { decidedBy: "mta-sts", dnssec: "insecure", mtaSts: "enforce" } as const;
      const transcript = ["> EHLO mail.shop.example", "< 421 4.3.2 busy"];
      const changes = { startedAt: NOON + 2, durationMs: 33, error: "busy", tls, transport: "relay", policy, transcript };
      const result = smtpResult(421, "4.3.2", changes);
      const bounce = type === "DeliveryDeferred" || type === "DeliveryFailed" ? { class: "rate-limit", rule: "too-fast" } : undefined;
      assert.deepEqual(attempted(happened(type, { result, ...(bounce && { bounce }) })), {
        messageRef: 42,
        attempt: 1,
        startedAt: NOON + 2,
        durationMs: 33,
        outcome,
        code: 421,
        enhancedCode: "4.3.2",
        error: "busy",
        remoteHost: "mx.there.example",
        remoteAddress: "192.0.2.25",
        tls,
        policy,
        transport: "relay",
        transcript,
        bounceClass: bounce === undefined ? "" : "rate-limit",
        bounceRule: bounce === undefined ? "" : "too-fast",
      });
    });
  }

  it("says null for TLS when there was none", () => {
    assert.equal(attempted(happened("DeliverySucceeded"))?.tls, null);
  });

  it("gives the reason when an attempt was interrupted", () => {
    const row = attempted(happened("DeliveryInterrupted", { reason: "the server stopped" }));
    assert.deepEqual([row?.outcome, row?.error], ["interrupted", "the server stopped"]);
  });

  it("still calls an attempt uncertain when the message goes back to the queue after it", () => {
    assert.equal(attempted(happened("DeliveryUncertain"), happened("DeliveryInterrupted"))?.outcome, "uncertain");
  });

  it("has one row for each attempt, and they go with the message", () => {
    const facts = [happened("DeliveryAttempted"), happened("DeliveryDeferred"), happened("DeliveryAttempted", { attempt: 2 })];
    const rows = rowsAfter(attempts, recordedIn("message-42", facts));
    assert.deepEqual([...rows.keys()], ["42/1", "42/2"]);
    assert.equal(attempts.belongsTo, "messages");
  });
});

const requested = (...events: readonly WebhookEvent[]) =>
  rowAfter<CallAttemptRow>(webhookAttempts, [90, 1], "webhook-90", called("WebhookAttempted"), ...events);

describe("the history of webhook calls", () => {
  it("shows a request from its beginning", () => {
    assert.deepEqual(requested(), {
      callRef: 90,
      attempt: 1,
      startedAt: NOON,
      durationMs: null,
      outcome: "attempting",
      status: 0,
      response: "",
      error: "",
    });
  });

  for (const [type, outcome] of [
    ["WebhookDelivered", "delivered"],
    ["WebhookDeferred", "deferred"],
    ["WebhookFailed", "failed"],
  ] as const) {
    it(`shows the answer when a request was ${outcome}`, () => {
      const row = requested(called(type, { result: httpResult(503, { response: "try later", durationMs: 7 }) }));
      assert.deepEqual([row?.outcome, row?.status, row?.response, row?.error, row?.durationMs], [outcome, 503, "try later", "no luck", 7]);
    });
  }

  it("gives the reason when a request was interrupted", () => {
    const row = requested(called("WebhookInterrupted", { reason: "the server stopped" }));
    assert.deepEqual([row?.outcome, row?.error], ["interrupted", "the server stopped"]);
  });
});
