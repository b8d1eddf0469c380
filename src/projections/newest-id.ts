/** The largest id that occurs anywhere in the log: a restart gives out larger ones. */
import type { DomainEvent } from "../domain/events.ts";
import { erase, tableOf, type Fold } from "./projection.ts";

/** One row. */
export type NewestIdRow = { readonly one: number; readonly id: number };

export const NEWEST_ID = tableOf<NewestIdRow>({
  name: "newest_id",
  columns: { one: "integer", id: "integer" },
  key: ["one"],
  indexes: [],
  outsideDigest: true,
});

/** Ids that an event names for the first time. */
const idsIn = (event: DomainEvent): readonly number[] => {
  switch (event.type) {
    case "MessageQueued":
      return [event.id, event.submissionId, event.contentId];
    case "MessageReceived":
      return [event.id, event.contentId, event.callId];
    default:
      return "callId" in event ? [event.callId] : "id" in event ? [event.id] : [];
  }
};

const KEYS = [[1]];

const fold: Fold<NewestIdRow> = {
  name: "newestId",
  tables: [NEWEST_ID],
  home: () => NEWEST_ID,
  types: [
    "MessageQueued",
    "MessageReceived",
    "DeliverySucceeded",
    "DeliveryDeferred",
    "DeliveryFailed",
    "DeliveryUncertain",
    "MessageSuppressed",
    "MessageFailed",
    "MessageCanceled",
    "DsnReceived",
    "ComplaintReceived",
    "WebhookQueued",
    "SuppressionAdded",
    "HoldRuleAdded",
  ],
  keys: () => KEYS,
  births: () => false,
  fold: (row, { event }) => {
    const id = Math.max(row?.id ?? 0, ...idsIn(event));
    return row?.id === id ? row : { one: 1, id };
  },
};

export const newestId = erase(fold);
