/** The queue: lists of waiting and of retired messages, one message with its history, and actions on many. */
import { setImmediate } from "node:timers/promises";
import { z } from "zod";
import { BOUNCE_CLASSES } from "../../../domain/message/bounce-class.ts";
import type { QueueAction } from "../../../domain/operations/operations.ts";
import { json, refused, type Answer } from "./answer.ts";
import { messageHistory } from "./history.ts";
import { ADMIN, type AdminParts } from "./options.ts";
import { direction, durationMs, idParams, instant, line, pageQuery, shiftMs } from "./parameters.ts";
import { pageAnswer } from "./page-answer.ts";
import { explicitFilter, queueFilter, queueFilterBody, queueFilterQuery, recipientQuery } from "./queue-filter.ts";
import type { QueueFilter } from "./queries.ts";
import { route, type Route } from "./route.ts";
import { told } from "./wording.ts";

/** Ids looked up at a time where messages are only counted. */
const COUNTING_PAGE = 1_000;

const MAX_MESSAGES = 10_000_000;

const action = z.discriminatedUnion("type", [
  z.strictObject({ type: z.enum(["hold", "release", "fail", "drop"]) }),
  /** At an instant, or so long from now. */
  z.strictObject({ type: z.literal("schedule"), at: instant }),
  z.strictObject({ type: z.literal("scheduleIn"), inMs: durationMs }),
  /** Moved, from when it was due. */
  z.strictObject({ type: z.literal("postpone"), byMs: shiftMs }),
  z.strictObject({ type: z.literal("setTransport"), transport: line.nullable() }),
  z.strictObject({ type: z.literal("setRequireTls"), requireTls: z.boolean().nullable() }),
]);

const actionBody = z.strictObject({
  action,
  filter: queueFilterBody,
  /** At most so many messages. */
  limit: z.int().min(1).max(MAX_MESSAGES).optional(),
  /** Counts what matches and changes nothing. */
  dryRun: z.boolean().default(false),
});

const queueQuery = z.strictObject({
  ...queueFilterQuery,
  ...pageQuery,
  sort: z.enum(["nextAttemptAt", "queuedAt"]).default("nextAttemptAt"),
  direction: direction.default("ascending"),
});

const OUTCOMES = ["delivered", "failed", "suppressed", "canceled"] as const;

const retiredQuery = z.strictObject({
  ...pageQuery,
  account: line.optional(),
  to: recipientQuery.optional(),
  state: z.enum(OUTCOMES).optional(),
  bounceClass: z.enum(BOUNCE_CLASSES).optional(),
  sort: z.enum(["lastActivityAt", "queuedAt"]).default("lastActivityAt"),
  direction: direction.default("descending"),
});

const noSuchMessage = refused("notFound", "there is no such message, or no longer");

export const queueRoutes = ({ queries, parseCursor, log, content, queue, transports, clock }: AdminParts): readonly Route[] => {
  const count = async (filter: QueueFilter, most: number): Promise<number> => {
    let matched = 0;
    for (let after = 0; matched < most;) {
      const ids = queries.queue.matchingIds(filter, after, Math.min(COUNTING_PAGE, most - matched));
      const last = ids.at(-1);
      if (last === undefined) break;
      matched += ids.length;
      after = last;
      await setImmediate(); // a long queue must not keep others waiting
    }
    return matched;
  };

  const toDo = (asked: z.output<typeof action>): QueueAction =>
    asked.type === "scheduleIn" ? { type: "schedule", at: clock.now() + asked.inMs } : asked;

  const act = async ({ action: asked, filter: given, limit = MAX_MESSAGES, dryRun }: z.output<typeof actionBody>): Promise<Answer> => {
    const filter = explicitFilter(given);
    if ("kind" in filter) return filter;
    if (asked.type === "setTransport" && asked.transport !== null && !transports.has(asked.transport)) {
      return refused("badRequest", `action.transport: there is no transport ${JSON.stringify(asked.transport)}`);
    }
    if (dryRun) {
      await queue.caughtUp();
      return json({ dryRun, matched: await count(filter, limit), changed: 0, refused: {} });
    }
    const report = await queue.act(toDo(asked), (afterId, most) => queries.queue.matchingIds(filter, afterId, most), ADMIN, limit);
    return json({ dryRun, ...report });
  };

  return [
    route("GET", "/queue", { query: queueQuery }, ({ query: { cursor, limit, sort, direction: way, ...filter } }) =>
      pageAnswer(parseCursor, { cursor, limit }, (request) => queries.queue.list(queueFilter(filter), { sort, direction: way }, request)),
    ),
    route("POST", "/queue/actions", { body: actionBody }, ({ body }) => act(body)),
    route("GET", "/retired", { query: retiredQuery }, ({ query }) =>
      pageAnswer(parseCursor, query, (request) =>
        queries.retired(
          { account: query.account, to: query.to, outcome: query.state, bounceClass: query.bounceClass },
          { sort: query.sort, direction: query.direction },
          request,
        ),
      ),
    ),
    route("GET", "/messages/:id", { params: idParams }, async ({ params: { id } }) => {
      const history = await messageHistory(log, id);
      return history === undefined ? noSuchMessage : json({ ...history, events: history.events.map(told) });
    }),
    route("GET", "/messages/:id/content", { params: idParams }, async ({ params: { id } }) => {
      const history = await messageHistory(log, id);
      if (history === undefined) return noSuchMessage;
      const stored = await content.open(history.message.contentId);
      if (stored === undefined) return refused("notFound", "the content of this message is gone: it is kept while the message is queued");
      return { kind: "download", content: stored, contentType: "message/rfc822", fileName: `message-${id}.eml` };
    }),
  ];
};
