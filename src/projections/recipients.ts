/** What is known about the addresses that accounts write to: when first, and how often in a row delivery failed. */
import type { Instant } from "../domain/clock.ts";
import type { Recorded } from "../domain/event-log.ts";
import type { RecipientEvent } from "../domain/recipient/events.ts";
import { erase, tableOf, type Fold } from "./projection.ts";

export type RecipientRow = {
  readonly account: string;
  readonly baseAddress: string;
  /** Failed deliveries since the last one that arrived. */
  readonly failures: number;
  /** When the account first wrote to it; null when it is known for another reason. */
  readonly contactedAt: Instant | null;
};

export const RECIPIENTS = tableOf<RecipientRow>({
  name: "recipients",
  columns: { account: "text", baseAddress: "text", failures: "integer", contactedAt: "integer?" },
  key: ["account", "baseAddress"],
  indexes: [],
});

const apply = (known: RecipientRow | undefined, event: RecipientEvent): RecipientRow | undefined => {
  const row = known ?? { account: event.account, baseAddress: event.baseAddress, failures: 0, contactedAt: null };
  switch (event.type) {
    case "RecipientContacted":
      return { ...row, contactedAt: row.contactedAt ?? event.at };
    case "RecipientDeliveryFailed":
      return { ...row, failures: event.failures };
    case "RecipientDeliveryRecovered":
      return { ...row, failures: 0 };
    case "SuppressionRemoved":
      // What failed before must not suppress the address again at the next failure.
      return known && { ...known, failures: 0 };
    case "SuppressionAdded":
      return known;
  }
};

const fold: Fold<RecipientRow> = {
  name: "recipients",
  tables: [RECIPIENTS],
  home: () => RECIPIENTS,
  types: ["RecipientContacted", "RecipientDeliveryFailed", "RecipientDeliveryRecovered", "SuppressionRemoved"],
  keys: ({ event }) => {
    const { account, baseAddress } = event as RecipientEvent;
    return [[account, baseAddress]];
  },
  births: ({ revision }) => revision === 0,
  fold: (row, recorded) => apply(row, (recorded as Recorded<RecipientEvent>).event),
};

export const recipients = erase(fold);
