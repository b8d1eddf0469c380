/** Which contents are still needed, and how much of them each account holds. */
import type { MessageRow } from "./messages.ts";
import { from, tableOf, type Tally } from "./projection.ts";
import type { ReceivedRow } from "./received.ts";
import type { CallRow } from "./webhook-calls.ts";

/** One content while queued messages, messages in mailboxes, or webhook calls that will tell about it refer to it. */
export type ContentRow = {
  readonly contentId: number;
  readonly account: string;
  readonly size: number;
  readonly references: number;
};

export const CONTENTS = tableOf<ContentRow>({
  name: "contents",
  columns: { contentId: "integer", account: "text", size: "integer", references: "integer" },
  key: ["contentId", "account", "size"],
  indexes: [],
});

const referring = ({ contentId, account, size }: Pick<ContentRow, "contentId" | "account" | "size">): ContentRow => ({
  contentId,
  account,
  size,
  references: 1,
});

export const contents: Tally = {
  name: "contents",
  table: CONTENTS,
  amounts: ["references"],
  from: [
    from("messages", (row: MessageRow): readonly ContentRow[] =>
      row.retiredAt === null && row.state !== "removed" ? [referring(row)] : [],
    ),
    from("received", (row: ReceivedRow): readonly ContentRow[] => (row.deletedAt === null ? [referring(row)] : [])),
    // Of size 0: what the account stores is counted with the message.
    from("webhookCalls", ({ contentId, account, retiredAt, state }: CallRow): readonly ContentRow[] =>
      contentId === null || retiredAt !== null || state === "removed" ? [] : [referring({ contentId, account, size: 0 })],
    ),
  ],
};

export type StorageRow = { readonly account: string; readonly octets: number };

export const STORAGE = tableOf<StorageRow>({
  name: "storage",
  columns: { account: "text", octets: "integer" },
  key: ["account"],
  indexes: [],
});

/** Content that several recipients share counts once. */
export const storage: Tally = {
  name: "storage",
  table: STORAGE,
  amounts: ["octets"],
  from: [from("contents", ({ account, size }: ContentRow): readonly StorageRow[] => [{ account, octets: size }])],
};
