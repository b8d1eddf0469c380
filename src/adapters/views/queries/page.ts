/** Pages of lists: cut by what a list is sorted by, so that rows which come and go between pages shift nothing. */

/** The most rows that a page can have. */
export const MOST_ROWS = 1_000;

/** Where a page ended. Ids break ties, and are themselves the order of queueing. */
export type Cursor = { readonly sort: number; readonly id: number };

/** Some rows, and the text of the cursor for those that follow; null at the end. */
export type Page<Row> = { readonly rows: readonly Row[]; readonly next: string | null };

export type Direction = "ascending" | "descending";

/** Which part of a list to show; `limit` is cut to {@link MOST_ROWS}. */
export type PageRequest = { readonly after?: Cursor; readonly limit: number };

const CURSOR_TEXT = /^[A-Za-z0-9_-]{1,100}$/;

/** Opaque text of a cursor, the same for every list. */
export const formatCursor = ({ sort, id }: Cursor): string => Buffer.from(JSON.stringify([sort, id])).toString("base64url");

/** Reads what {@link formatCursor} wrote; undefined for anything else. */
export const parseCursor = (text: string): Cursor | undefined => {
  if (!CURSOR_TEXT.test(text)) return undefined;
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, "base64url").toString());
  } catch {
    return undefined;
  }
  if (!Array.isArray(parts) || parts.length !== 2 || !parts.every(Number.isFinite)) return undefined;
  const [sort, id] = parts as [number, number];
  return { sort, id };
};
