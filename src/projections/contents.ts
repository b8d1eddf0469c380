/** Which contents are still needed, and how much of them each account holds. */
import type { MessageRow } from "./messages.ts";
import { from, tableOf, type Tally } from "./projection.ts";
import type { ReceivedRow } from "./received.ts";

/** One content while queued or received messages refer to it. */
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

const referring = ({ contentId, account, size }: MessageRow | ReceivedRow): ContentRow => ({ contentId, account, size, references: 1 });

export const contents: Tally = {
  name: "contents",
  table: CONTENTS,
  amounts: ["references"],
  from: [
    from<MessageRow, ContentRow>("messages", (row) => (row.retiredAt === null && row.state !== "removed" ? [referring(row)] : [])),
    from<ReceivedRow, ContentRow>("received", (row) => [referring(row)]),
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
  from: [from<ContentRow, StorageRow>("contents", ({ account, size }) => [{ account, octets: size }])],
};
