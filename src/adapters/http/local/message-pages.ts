/** The queue, what left it, and one message with all that happened to it. */
import type { Instant } from "../../../domain/clock.ts";
import type { MessageEvent } from "../../../domain/message/events.ts";
import { mayReport, senderNotice } from "../../../domain/message/sender-notice.ts";
import type { FeedbackRow } from "../../../projections/feedback.ts";
import type { AttemptRow } from "../../../projections/attempts.ts";
import type { MessageRow } from "../../../projections/messages.ts";
import type { CallRow } from "../../../projections/webhook-calls.ts";
import type { MessageHistory } from "../admin/history.ts";
import type { Page } from "../admin/queries.ts";
import { replyText, sizeText, spanText } from "../admin/wording.ts";
import { callColumns } from "./webhook-pages.ts";
import { html, type Content, type Html } from "../html.ts";
import { badge, dueText, facts, instantText, moment, page, pagesNav, table, type Column, type PageAnswer } from "./layout.ts";
import { timeline, type ReportIds } from "./timeline.ts";

const lastReply = ({ lastCode, lastEnhancedCode, lastError }: MessageRow): string =>
  replyText({ code: lastCode, enhancedCode: lastEnhancedCode, error: lastError });

const subjectLink = ({ id, subject }: MessageRow): Html =>
  html`<a class="clip" href="/messages/${id}">${subject === "" ? "(no subject)" : subject}</a>`;

const common: readonly Column<MessageRow>[] = [
  { label: "Subject", cell: subjectLink },
  { label: "To", kind: "wide", cell: ({ recipient, from }) => html`${recipient}<small>from ${from}</small>` },
  {
    label: "State",
    kind: "tight",
    cell: ({ state, feedback }) => html`${badge(state)}${feedback !== "" && html`<small>then ${badge(feedback)}</small>`}`,
  },
];

const trailing: readonly Column<MessageRow>[] = [
  { label: "Attempts", kind: "number", cell: ({ attempts, maxAttempts }) => `${attempts} of ${maxAttempts}` },
  {
    label: "Last result",
    cell: (row) => html`${lastReply(row)}${row.bounceClass !== "" && html`<small>${row.bounceClass}</small>`}`,
  },
];

const nextAttempt = ({ state, nextAttemptAt }: MessageRow, now: Instant): Content =>
  state === "queued" ? moment(nextAttemptAt, now) : html`<span class="soft">${state === "attempting" ? "under way" : "waits"}</span>`;

export const queuePage = (list: Page<MessageRow>, cursor: string | undefined, now: Instant): PageAnswer =>
  page(
    "queue",
    "Queue",
    html`<h1>Queue</h1>
      <p class="lead">Messages that wait for their next attempt, the next one first.</p>
      ${table(
        [{ label: "Next attempt", kind: "tight", cell: (row: MessageRow) => nextAttempt(row, now) }, ...common, ...trailing],
        list.rows,
        "The queue is empty: everything has been delivered, or nothing was sent yet.",
      )}${pagesNav("/queue", cursor, list.next)}`,
  );

export const retiredPage = (list: Page<MessageRow>, cursor: string | undefined, now: Instant): PageAnswer =>
  page(
    "retired",
    "Retired",
    html`<h1>Retired</h1>
      <p class="lead">Messages that are done, the latest first. Their history is kept for a while, their content is not.</p>
      ${table(
        [{ label: "Done", kind: "tight", cell: (row: MessageRow) => moment(row.lastActivityAt, now) }, ...common, ...trailing],
        list.rows,
        "No message is done yet.",
      )}${pagesNav("/retired", cursor, list.next)}`,
  );

const outlook = ({ id, state, hold, nextAttemptAt, attempts, maxAttempts }: MessageRow, now: Instant): Html | null => {
  const left = maxAttempts - attempts;
  switch (state) {
    case "queued":
      return html`<p><strong>Next attempt ${dueText(nextAttemptAt, now)}</strong></p>
        <p class="soft">
          ${attempts === 0 ? "It will be the first." : `${attempts} of ${maxAttempts} made; ${left} left before it is given up.`}
        </p>`;
    case "held":
      return html`<p><strong>On hold.</strong> No attempt is made until it is released: <code>posthorn queue release --id ${id}</code></p>`;
    case "attempting":
      return html`<p><strong>Attempt ${attempts} is under way.</strong>${hold && " It goes on hold when that ends."}</p>`;
    case "uncertain":
      return html`<p>
          <strong>Nobody knows whether it arrived:</strong> the connection broke after the message was sent and before the answer came.
        </p>
        <p>It waits until somebody decides. To try again, so that it may arrive twice: <code>posthorn queue release --id ${id}</code></p>
        <p>
          To give it up: <code>posthorn queue fail --id ${id}</code>, which tells the sender, or
          <code>posthorn queue drop --id ${id}</code>, which does not.
        </p>`;
    default:
      return null;
  }
};

const attemptColumns = (now: Instant): readonly Column<AttemptRow>[] => [
  { label: "Attempt", kind: "number", cell: ({ attempt }) => attempt },
  { label: "Began", kind: "tight", cell: ({ startedAt }) => moment(startedAt, now) },
  { label: "Took", kind: "number", cell: ({ durationMs }) => (durationMs === null ? "" : spanText(durationMs)) },
  { label: "Outcome", kind: "tight", cell: ({ outcome }) => badge(outcome) },
  {
    label: "Answer",
    cell: (row) =>
      html`${replyText(row)}${row.bounceClass !== "" && html`<small title="by rule ${row.bounceRule}">${row.bounceClass}</small>`}`,
  },
  {
    label: "Server",
    cell: ({ remoteHost, remoteAddress, tls, transport }) =>
      html`${remoteHost === "" ? remoteAddress : remoteHost}<small
          >${[
            remoteHost === "" ? "" : remoteAddress,
            tls === null ? "" : `${tls.version}${tls.verified ? "" : ", not verified"}`,
            transport === "" ? "" : `transport ${transport}`,
          ]
            .filter((part) => part !== "")
            .join(" · ")}</small
        >`,
  },
];

const whySaid = (row: FeedbackRow): Content =>
  html`${row.feedbackType === "" ? replyText(row) : row.feedbackType}${row.bounceClass !== "" && html`<small>${row.bounceClass}</small>`}`;

const feedbackColumns = (now: Instant): readonly Column<FeedbackRow>[] => [
  { label: "Came", kind: "tight", cell: ({ at }) => moment(at, now) },
  { label: "Says", kind: "tight", cell: ({ said }) => badge(said) },
  { label: "Why", cell: whySaid },
  { label: "Server", cell: ({ remoteHost }) => remoteHost },
  { label: "Known by", kind: "tight", cell: ({ matchedBy }) => matchedBy },
  { label: "Report", kind: "tight", cell: ({ receivedId }) => html`<a href="/received/${receivedId}">received</a>` },
];

/** The reports that its sender got about it. */
const reportsOf = (events: MessageHistory["events"]): ReportIds => {
  const born = events[0]?.event;
  if (born?.type !== "MessageQueued") return new Map();
  // Every event of the stream is a message's.
  const all = events.map(({ event }) => event as MessageEvent);
  const notices = events.flatMap(({ revision }, index) => {
    const event = all[index];
    const notice = event !== undefined && mayReport(event, born) ? senderNotice(all.slice(0, index + 1), born) : undefined;
    return notice === undefined ? [] : [[revision, notice.id] as const];
  });
  return new Map(notices);
};

/** What the submitter said about reports (RFC 3461). */
const wishes = (events: MessageHistory["events"]): readonly (readonly [string, Content])[] => {
  const born = events[0]?.event;
  if (born?.type !== "MessageQueued") return [];
  const { notify, returnContent, originalRecipient } = born;
  return [
    ["Reports asked for", notify !== null && (notify.length === 0 ? "never" : notify.join(", "))],
    ["They return", returnContent !== null && (returnContent === "full" ? "the whole message" : "its header")],
    ["Original recipient", originalRecipient],
  ];
};

const requirement = (requireTls: boolean | null): string | null => (requireTls === null ? null : requireTls ? "required" : "not required");

export const messagePage = (
  { message, attempts, feedback, events }: MessageHistory,
  calls: readonly CallRow[],
  now: Instant,
): PageAnswer => {
  const isQueued = message.retiredAt === null;
  const extra = Object.entries(message.extra);
  const ahead = outlook(message, now);
  return page(
    isQueued ? "queue" : "retired",
    message.subject === "" ? `Message ${message.id}` : message.subject,
    html`<h1>${message.subject === "" ? "(no subject)" : message.subject}</h1>
      <p>${badge(message.state)}</p>
      ${ahead !== null && html`<div class="callout">${ahead}</div>`}
      ${facts([
        ["To", message.recipient],
        ["From", message.from],
        ["Envelope sender", message.mailFrom === "" ? "(empty)" : message.mailFrom],
        ["Account", message.account],
        ["Queued", html`${instantText(message.queuedAt, now)} over ${message.source}`],
        ["Size", sizeText(message.size)],
        ["Message-ID", html`<code>${message.messageId}</code>`],
        ["Queue id", html`<code>${message.id}</code>`],
        ["From id", message.fromId],
        ["Envelope id", message.envelopeId !== "" && html`<code>${message.envelopeId}</code>`],
        ...wishes(events),
        [
          "Class of the failure",
          message.bounceClass !== "" && html`${message.bounceClass} <span class="soft">by rule ${message.bounceRule}</span>`,
        ],
        ["TLS", requirement(message.requireTls)],
        ["Transport", message.transport],
        ["Extra", extra.length > 0 && html`${extra.map(([name, value]) => html`<div><code>${name}</code> ${value}</div>`)}`],
        ["Kept until", message.keepUntil !== null && instantText(message.keepUntil, now)],
        ["Content", isQueued && html`<a href="/messages/${message.id}/raw">the message as it is sent</a>`],
      ])}
      <h2>Attempts</h2>
      ${table(attemptColumns(now), attempts, "None yet.")}
      ${
        feedback.length > 0 &&
        html`<h2>What came back</h2>
          ${table(feedbackColumns(now), feedback, "")}`
      }
      ${
        calls.length > 0 &&
        html`<h2>Webhook calls</h2>
          ${table(callColumns(now), calls, "")}`
      }
      <h2>What happened</h2>
      ${timeline(events, now, reportsOf(events))}`,
  );
};
