/** Webhook calls: those that wait, those that are done, and one with its body and answers. */
import type { Instant } from "../../../domain/clock.ts";
import type { WebhookEvent } from "../../../domain/webhook/events.ts";
import type { CallAttemptRow } from "../../../projections/webhook-attempts.ts";
import type { CallRow } from "../../../projections/webhook-calls.ts";
import type { CallHistory } from "../admin/history.ts";
import type { Page } from "../admin/queries.ts";
import { spanText } from "../admin/wording.ts";
import { html, type Html } from "../html.ts";
import { badge, dueText, facts, instantText, moment, page, pagesNav, table, type Column, type PageAnswer } from "./layout.ts";
import { timeline } from "./timeline.ts";

const lastAnswer = ({ lastStatus, lastError }: CallRow): string =>
  [lastStatus === 0 ? "" : `${lastStatus}`, lastError].filter((part) => part !== "").join(" ");

const when = (row: CallRow, now: Instant): Html =>
  row.retiredAt === null && row.state === "queued"
    ? html`<span>next ${moment(row.nextAttemptAt, now)}</span>`
    : html`${moment(row.lastActivityAt, now)}`;

/** The page of the message that a call is about: one of ours, or one that arrived. */
const aboutPath = ({ kind, messageRef }: CallRow): string => `/${kind === "incoming" ? "received" : "messages"}/${messageRef}`;

/** Columns of a list of calls, done or not. */
export const callColumns = (now: Instant): readonly Column<CallRow>[] => [
  { label: "When", kind: "tight", cell: (row) => when(row, now) },
  { label: "Event", kind: "tight", cell: ({ id, event }) => html`<a href="/webhooks/${id}">${event}</a>` },
  {
    label: "Message",
    cell: (row) => html`<a class="clip" href="${aboutPath(row)}">${row.subject === "" ? "(no subject)" : row.subject}</a>`,
  },
  { label: "To", cell: ({ url }) => url },
  { label: "State", kind: "tight", cell: ({ state }) => badge(state) },
  { label: "Attempts", kind: "number", cell: ({ attempts, maxAttempts }) => `${attempts} of ${maxAttempts}` },
  { label: "Last answer", cell: lastAnswer },
];

const LISTS = {
  waiting: {
    path: "/webhooks",
    title: "Webhook calls",
    lead: html`Calls that wait for their next attempt. <a href="/webhooks/retired">Calls that are done</a>`,
    empty: "No call waits.",
  },
  retired: {
    path: "/webhooks/retired",
    title: "Webhook calls that are done",
    lead: html`The latest first. <a href="/webhooks">Calls that wait</a>`,
    empty: html`No call was made yet. The <a href="/">first page</a> says how to have some.`,
  },
} as const;

const callsPage =
  ({ path, title, lead, empty }: (typeof LISTS)[keyof typeof LISTS]) =>
  (list: Page<CallRow>, cursor: string | undefined, now: Instant): PageAnswer =>
    page(
      "webhooks",
      title,
      html`<h1>${title}</h1>
        <p class="lead">${lead}</p>
        ${table(callColumns(now), list.rows, empty)}${pagesNav(path, cursor, list.next)}`,
    );

export const waitingCallsPage = callsPage(LISTS.waiting);
export const retiredCallsPage = callsPage(LISTS.retired);

const attemptColumns = (now: Instant): readonly Column<CallAttemptRow>[] => [
  { label: "Attempt", kind: "number", cell: ({ attempt }) => attempt },
  { label: "Began", kind: "tight", cell: ({ startedAt }) => moment(startedAt, now) },
  { label: "Took", kind: "number", cell: ({ durationMs }) => (durationMs === null ? "" : spanText(durationMs)) },
  { label: "Outcome", kind: "tight", cell: ({ outcome }) => badge(outcome) },
  { label: "Status", kind: "number", cell: ({ status }) => (status === 0 ? "" : status) },
  { label: "Answer", cell: ({ response, error }) => html`${error}${response !== "" && html`<pre class="wrap">${response}</pre>`}` },
];

const isBirth = (event: { readonly type: string }): event is Extract<WebhookEvent, { type: "WebhookQueued" }> =>
  event.type === "WebhookQueued";

export const callPage = ({ call, attempts, events }: CallHistory, now: Instant): PageAnswer => {
  const birth = events.map(({ event }) => event).find(isBirth);
  return page(
    "webhooks",
    `Webhook call ${call.id}`,
    html`<h1>Webhook call: ${call.event}</h1>
      <p>${badge(call.state)}</p>
      ${
        call.retiredAt === null &&
        call.state === "queued" &&
        html`<div class="callout">
          <p><strong>Next attempt ${dueText(call.nextAttemptAt, now)}</strong></p>
        </div>`
      }
      ${facts([
        ["About", html`<a href="${aboutPath(call)}">${call.subject === "" ? `message ${call.messageRef}` : call.subject}</a>`],
        ["To", html`<code>${call.url}</code>`],
        ["Account", call.account],
        ["Queued", instantText(call.queuedAt, now)],
        ["Call id", html`<code>${call.id}</code>`],
        ["Superseded by", call.supersededBy !== null && html`<a href="/webhooks/${call.supersededBy}">call ${call.supersededBy}</a>`],
        ["Kept until", call.keepUntil !== null && instantText(call.keepUntil, now)],
      ])}
      <h2>Attempts</h2>
      ${table(attemptColumns(now), attempts, "None yet.")}
      ${
        birth !== undefined &&
        html`<h2>${call.kind === "incoming" ? "What it says besides the message" : "What it says"}</h2>
          <pre class="wrap">${JSON.stringify(birth.payload, null, 2)}</pre>`
      }
      <h2>What happened</h2>
      ${timeline(events, now)}`,
  );
};
