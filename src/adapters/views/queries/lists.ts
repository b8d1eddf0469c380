/** The simple lists: suppressions, hold rules, received messages, and how many rows the lists have. */
import type { Mailbox } from "../../../domain/received/events.ts";
import { COUNTERS, type CountedList, type CounterRow } from "../../../projections/counters.ts";
import { HOLD_RULES, type HoldRuleRow } from "../../../projections/hold-rules.ts";
import { RECEIVED, type ReceivedRow } from "../../../projections/received.ts";
import { SUPPRESSIONS, type SuppressionRow } from "../../../projections/suppressions.ts";
import type { Reader } from "../reader.ts";
import { readPage } from "./keyset.ts";
import type { Direction, Page, PageRequest } from "./page.ts";

export type ReceivedFilter = { readonly account?: string | undefined; readonly mailbox?: Mailbox | undefined };

export type Lists = {
  /** An account's whole suppression list, oldest first. */
  readonly suppressions: (account: string) => readonly SuppressionRow[];
  /** Suppressions of an account, or of all, newest first. */
  readonly suppressionPage: (account: string | null, request: PageRequest) => Page<SuppressionRow>;
  /** Hold rules, oldest first. */
  readonly holdRules: () => readonly HoldRuleRow[];
  /** Mail in mailboxes, all that agrees with what is set, newest first unless asked otherwise. */
  readonly received: (filter: ReceivedFilter, request: PageRequest, direction?: Direction) => Page<ReceivedRow>;
  /** How many rows a list has, by account and state; of one account if given. States without rows are absent. */
  readonly counts: (list: CountedList, account?: string) => readonly CounterRow[];
};

const ofAccount = (account: string | null) => (account === null ? [] : [["account", account] as const]);

export const lists = (reader: Reader): Lists => ({
  suppressions: (account) =>
    reader.rows<SuppressionRow>(SUPPRESSIONS, "INDEXED BY suppressions__account_id WHERE account = ? ORDER BY id", [account]),
  suppressionPage: (account, request) =>
    readPage(reader, [{ table: SUPPRESSIONS, where: ofAccount(account), sort: "id", direction: "descending" }], request),
  holdRules: () => reader.rows<HoldRuleRow>(HOLD_RULES, "ORDER BY id"),
  received: ({ account, mailbox }, request, direction = "descending") => {
    const where = Object.entries({ account, mailbox }).flatMap(([column, value]) =>
      value === undefined ? [] : [[column, value] as const],
    );
    return readPage(reader, [{ table: RECEIVED, where, sort: "id", direction }], request);
  },
  counts: (list, account) =>
    account === undefined
      ? reader.rows<CounterRow>(COUNTERS, "WHERE list = ?", [list])
      : reader.rows<CounterRow>(COUNTERS, "WHERE list = ? AND account = ?", [list, account]),
});
