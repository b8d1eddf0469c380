/** How many rows the lists have, by account and state: a count that never counts. */
import type { MessageRow } from "./messages.ts";
import { from, tableOf, type Tally } from "./projection.ts";
import type { ReceivedRow } from "./received.ts";
import type { SuppressionRow } from "./suppressions.ts";
import type { CallRow } from "./webhook-calls.ts";

export type CountedList = "queue" | "retired" | "webhook_calls" | "webhook_retired" | "suppressions" | "received";

export type CounterRow = {
  readonly list: CountedList;
  readonly account: string;
  /** State or outcome of a message or call, mailbox of received mail; empty in lists without. */
  readonly state: string;
  readonly rows: number;
};

export const COUNTERS = tableOf<CounterRow>({
  name: "counters",
  columns: { list: "text", account: "text", state: "text", rows: "integer" },
  key: ["list", "account", "state"],
  indexes: [],
});

const counted = (list: CountedList, account: string, state: string): readonly CounterRow[] => [{ list, account, state, rows: 1 }];

export const counters: Tally = {
  name: "counters",
  table: COUNTERS,
  amounts: ["rows"],
  from: [
    from("messages", (row: MessageRow): readonly CounterRow[] =>
      row.state === "removed" ? [] : counted(row.retiredAt === null ? "queue" : "retired", row.account, row.state),
    ),
    from("webhookCalls", (row: CallRow): readonly CounterRow[] =>
      row.state === "removed" ? [] : counted(row.retiredAt === null ? "webhook_calls" : "webhook_retired", row.account, row.state),
    ),
    from("suppressions", (row: SuppressionRow): readonly CounterRow[] => counted("suppressions", row.account, "")),
    from("received", (row: ReceivedRow): readonly CounterRow[] =>
      row.deletedAt === null ? counted("received", row.account, row.mailbox) : [],
    ),
  ],
};
