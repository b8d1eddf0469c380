/** Every state of a webhook call against every event. */
import { describe } from "node:test";
import type { WebhookEvent } from "../../../src/domain/webhook/events.ts";
import { canBefallWebhook, evolveWebhook, unbornWebhook, webhookMachine } from "../../../src/domain/webhook/machine.ts";
import { testMatrix, type Row } from "../../support/matrix.ts";
import { called, webhookSamples as samples } from "../../support/samples.ts";

type State = (typeof unbornWebhook)["value"];

const queued = called("WebhookQueued");
const claimed = called("WebhookAttempted");
const canceled = [queued, called("WebhookCanceled")];

const attempting = (back: "queued" | "superseded"): Row<State, WebhookEvent>["legal"] => ({
  WebhookDelivered: "delivered",
  WebhookDeferred: back,
  WebhookFailed: "failed",
  WebhookInterrupted: back,
  WebhookSuperseded: "attempting",
});

const ended = { WebhookRetired: "retired" } as const;

const rows: Readonly<Record<string, Row<State, WebhookEvent>>> = {
  unborn: { state: "unborn", story: [], legal: { WebhookQueued: "queued" } },
  waiting: {
    state: "waiting",
    story: [called("WebhookQueued", { after: 80 })],
    legal: { WebhookUnblocked: "queued", WebhookCanceled: "canceled" },
  },
  queued: {
    state: "queued",
    story: [queued],
    legal: { WebhookAttempted: "attempting", WebhookRescheduled: "queued", WebhookSuperseded: "superseded", WebhookCanceled: "canceled" },
  },
  attempting: { state: "attempting", story: [queued, claimed], legal: attempting("queued") },
  "attempting, superseded meanwhile": {
    state: "attempting",
    story: [queued, claimed, called("WebhookSuperseded")],
    legal: attempting("superseded"),
  },
  delivered: { state: "delivered", story: [queued, claimed, called("WebhookDelivered")], legal: ended },
  failed: { state: "failed", story: [queued, claimed, called("WebhookFailed")], legal: ended },
  superseded: { state: "superseded", story: [queued, called("WebhookSuperseded")], legal: ended },
  canceled: { state: "canceled", story: canceled, legal: ended },
  retired: { state: "retired", story: [...canceled, called("WebhookRetired")], legal: { WebhookRemoved: "removed" } },
  removed: { state: "removed", story: [...canceled, called("WebhookRetired"), called("WebhookRemoved")], legal: {} },
};

describe("the chart of a webhook call", () => {
  testMatrix<State, WebhookEvent, typeof unbornWebhook>({
    states: Object.keys(webhookMachine.states),
    unborn: unbornWebhook,
    can: canBefallWebhook,
    evolve: evolveWebhook,
    samples,
    rows,
  });
});
