/** Webhook calls: those that wait, those that are done, one with its history, and what can be done about them. */
import { z } from "zod";
import { CALL_EVENTS } from "../../../projections/webhook-calls.ts";
import { json, refused } from "./answer.ts";
import { callHistory } from "./history.ts";
import { ADMIN, type AdminParts } from "./options.ts";
import { pageAnswer } from "./page-answer.ts";
import { direction, durationMs, id, idParams, idText, instant, line, pageQuery } from "./parameters.ts";
import type { CallFilter } from "./queries.ts";
import { route, type Route } from "./route.ts";
import { told } from "./wording.ts";

/** Calls in one action: each is named. */
const MAX_CALLS = 1_000;

const filters = { ...pageQuery, account: line.optional(), event: z.enum(CALL_EVENTS).optional(), message: idText.optional() };

const waitingQuery = z.strictObject({ ...filters, direction: direction.default("ascending") });
const retiredQuery = z.strictObject({ ...filters, direction: direction.default("descending") });

const actionBody = z.strictObject({
  action: z.discriminatedUnion("type", [
    z.strictObject({ type: z.literal("cancel") }),
    z.strictObject({ type: z.literal("schedule"), at: instant }),
    z.strictObject({ type: z.literal("scheduleIn"), inMs: durationMs }),
  ]),
  ids: z.array(id).min(1).max(MAX_CALLS),
});

const filterOf = ({ account, event, message }: z.output<typeof waitingQuery>): CallFilter => ({ account, event, messageRef: message });

export const webhookRoutes = ({ queries, parseCursor, log, calls, clock }: AdminParts): readonly Route[] => [
  route("GET", "/webhooks", { query: waitingQuery }, ({ query }) =>
    pageAnswer(parseCursor, query, (request) =>
      queries.calls.waiting(filterOf(query), { sort: "activeAt", direction: query.direction }, request),
    ),
  ),
  route("GET", "/webhooks/retired", { query: retiredQuery }, ({ query }) =>
    pageAnswer(parseCursor, query, (request) =>
      queries.calls.retired(filterOf(query), { sort: "activeAt", direction: query.direction }, request),
    ),
  ),
  route("POST", "/webhooks/actions", { body: actionBody }, async ({ body: { action, ids } }) => {
    const asked = action.type === "scheduleIn" ? ({ type: "schedule", at: clock.now() + action.inMs } as const) : action;
    return json(await calls.act(asked, [...new Set(ids)], ADMIN));
  }),
  route("GET", "/webhooks/:id", { params: idParams }, async ({ params }) => {
    const history = await callHistory(log, params.id);
    return history === undefined
      ? refused("notFound", "there is no such webhook call, or no longer")
      : json({ ...history, events: history.events.map(told) });
  }),
];
