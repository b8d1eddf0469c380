/** A page of a list as an answer. */
import { json, refused, type Answer } from "./answer.ts";
import type { Page, PageRequest, ParseCursor } from "./queries.ts";

/** The page that a query asks for, or the refusal of a cursor that no list made. */
export const pageAnswer = <Row>(
  parseCursor: ParseCursor,
  { cursor, limit }: { readonly cursor?: string | undefined; readonly limit: number },
  list: (request: PageRequest) => Page<Row>,
): Answer => {
  const after = cursor === undefined ? undefined : parseCursor(cursor);
  if (cursor !== undefined && after === undefined) return refused("badCursor", "cursor: was not made by this list");
  const { rows, next } = list(after === undefined ? { limit } : { after, limit });
  return json({ items: rows, next });
};
