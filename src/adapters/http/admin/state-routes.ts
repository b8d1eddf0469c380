/** Received mail as it is listed, and how the server stands: its views and its counts. */
import { z } from "zod";
import { MAILBOXES } from "../../../domain/received/events.ts";
import { json, refused } from "./answer.ts";
import { receivedMessage } from "./history.ts";
import type { AdminParts } from "./options.ts";
import { pageAnswer } from "./page-answer.ts";
import { flagText, idParams, line, pageQuery } from "./parameters.ts";
import { COUNTED_LISTS } from "./queries.ts";
import { route, type Route } from "./route.ts";

const receivedQuery = z.strictObject({ ...pageQuery, account: line.optional(), mailbox: z.enum(MAILBOXES).optional() });
const viewsQuery = z.strictObject({ digest: flagText.default(false) });

const noSuchMail = refused("notFound", "there is no such received message, or no longer");

export const receivedRoutes = ({ queries, parseCursor, log, content }: AdminParts): readonly Route[] => [
  route("GET", "/received", { query: receivedQuery }, ({ query }) =>
    pageAnswer(parseCursor, query, (request) => queries.received(query, request)),
  ),
  route("GET", "/received/:id", { params: idParams }, async ({ params: { id } }) => {
    const message = await receivedMessage(log, id);
    return message === undefined ? noSuchMail : json({ message });
  }),
  route("GET", "/received/:id/content", { params: idParams }, async ({ params: { id } }) => {
    const message = await receivedMessage(log, id);
    const stored = message === undefined ? undefined : await content.open(message.contentId);
    if (stored === undefined) return noSuchMail;
    return { kind: "download", content: stored, contentType: "message/rfc822", fileName: `received-${id}.eml` };
  }),
];

export const stateRoutes = ({ queries, views, log }: AdminParts): readonly Route[] => [
  route("GET", "/views", { query: viewsQuery }, async ({ query }) => {
    const head = log.head();
    const position = views.position();
    // How many positions the views are behind: positions may have gaps, so this is at most how many events.
    const status = { position, head, lag: Math.max(0, head - position) };
    return json(query.digest ? { ...status, digest: await views.digest() } : status);
  }),
  route("GET", "/stats", {}, () => json({ counts: COUNTED_LISTS.flatMap((list) => queries.counts(list)) })),
];
