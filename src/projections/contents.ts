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
    from("messages", (row: MessageRow): readonly ContentRow[] =>
      row.retiredAt === null && row.state !== "removed" ? [referring(row)] : [],
    ),
    from("received", (row: ReceivedRow): readonly ContentRow[] => [referring(row)]),
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
