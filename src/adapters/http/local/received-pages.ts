/** Received mail: the list, and one message to read. */
import type { Instant } from "../../../domain/clock.ts";
import type { Recorded } from "../../../domain/event-log.ts";
import { MAILBOXES, type Mailbox } from "../../../domain/received/events.ts";
import type { RecipientReport, Report } from "../../../domain/received/report.ts";
import type { ReceivedRow } from "../../../projections/received.ts";
import type { CallRow } from "../../../projections/webhook-calls.ts";
import type { ReceivedHistory } from "../admin/history.ts";
import type { Page } from "../admin/queries.ts";
import { replyText, sizeText } from "../admin/wording.ts";
import { html, type Content, type Html } from "../html.ts";
import { facts, instantText, moment, page, pagesNav, table, type Column, type PageAnswer } from "./layout.ts";
import type { ReceivedMail } from "./received-mail.ts";
import { timeline } from "./timeline.ts";
import { callColumns } from "./webhook-pages.ts";

/** Where a list of mail is: all of it, or one mailbox. */
export const mailPath = (mailbox: Mailbox | undefined): string => (mailbox === undefined ? "/received" : `/mailboxes/${mailbox}`);

const mailboxLinks = (current: Mailbox | undefined): Html =>
  html`<p>
    ${[undefined, ...MAILBOXES].map((mailbox, index) => {
      const name = mailbox ?? "All";
      return html`${index > 0 && " · "}${mailbox === current ? html`<strong>${name}</strong>` : html`<a href="${mailPath(mailbox)}">${name}</a>`}`;
    })}
  </p>`;

const parties = ({ recipient, from, mailFrom, origin }: ReceivedRow): Html =>
  origin === "sent"
    ? html`<span class="soft">copy of what was sent</span><small>from ${from}</small>`
    : html`${recipient}<small>from ${from === "" ? mailFrom : from}</small>`;

const columns = (now: Instant): readonly Column<ReceivedRow>[] => [
  { label: "Received", kind: "tight", cell: (row) => moment(row.receivedAt, now) },
  {
    label: "Subject",
    cell: ({ id, subject, reportKind }) =>
      html`<a class="clip" href="/received/${id}">${subject === "" ? "(no subject)" : subject}</a
        >${reportKind !== "" && html`<small>${reportKind}</small>`}`,
  },
  { label: "To", kind: "wide", cell: parties },
  { label: "Mailbox", kind: "tight", cell: ({ mailbox, flags }) => html`${mailbox}<small>${flags.join(" ")}</small>` },
  { label: "Size", kind: "number", cell: ({ size }) => sizeText(size) },
];

/** A list of mail, of one mailbox or of all. */
export const receivedPage =
  (mailbox?: Mailbox) =>
  (list: Page<ReceivedRow>, cursor: string | undefined, now: Instant): PageAnswer =>
    page(
      "received",
      mailbox ?? "Received",
      html`<h1>${mailbox ?? "Received"}</h1>
        <p class="lead">Everything that was sent ends here, the latest first. Nothing leaves this machine.</p>
        ${mailboxLinks(mailbox)}
        ${table(
          columns(now),
          list.rows,
          mailbox === undefined
            ? html`Nothing yet. The <a href="/">first page</a> has a command that sends a message here.`
            : "This mailbox is empty.",
        )}${pagesNav(mailPath(mailbox), cursor, list.next)}`,
    );

const content = (id: number, mail: ReceivedMail): Html =>
  html` ${
      mail.html !== null &&
      html`<h2>HTML</h2>
        <iframe sandbox="" src="/received/${id}/html" title="The HTML part, without scripts and without anything from the network"></iframe>
        <details>
          <summary>source</summary>
          <pre class="wrap">${mail.html}</pre>
        </details>`
    }
    ${
      mail.text !== null &&
      html`<h2>Text</h2>
        <pre class="wrap">${mail.text}</pre>`
    }
    ${mail.html === null && mail.text === null && html`<div class="empty">It has no text.</div>`}
    ${
      mail.attachments.length > 0 &&
      html`<h2>Attachments</h2>
        ${table(
          [
            { label: "Name", cell: ({ name }) => (name === "" ? "(no name)" : name) },
            { label: "Type", cell: ({ contentType }) => contentType },
            { label: "Size", kind: "number", cell: ({ size }) => sizeText(size) },
          ],
          mail.attachments,
          "",
        )}`
    }
    ${mail.cut && html`<p class="soft">Some of it is too long to be shown here.</p>`}
    <h2>Header</h2>
    <details>
      <summary>as it came</summary>
      <pre class="wrap">${mail.header}</pre>
    </details>`;

const ORIGINS: Readonly<Record<ReceivedRow["origin"], string>> = {
  smtp: "over SMTP",
  sent: "as a copy of what the account sent",
  report: "as a report of this server to a sender",
};

const verified = (isVerified: boolean): string => (isVerified ? "verified" : "not verified");

/** What was found out about where it comes from; of no use for what was made here. */
const authentication = ({ origin, mailFromValidated, msgFromValidated, dkimVerifiedDomains }: ReceivedRow): Html | null =>
  origin === "smtp"
    ? html`envelope sender ${verified(mailFromValidated)} (SPF), From ${verified(msgFromValidated)}
      (DMARC)${dkimVerifiedDomains.length > 0 && html`, signed by ${dkimVerifiedDomains.join(", ")}`}`
    : null;

const recipientOf = ({ finalRecipient, originalRecipient }: RecipientReport): string =>
  finalRecipient !== "" ? finalRecipient : originalRecipient !== "" ? originalRecipient : "a recipient that it does not name";

/** What it reports about mail of ours. */
const reportFacts = (report: Report | null): Html | null => {
  if (report === null) return null;
  if (report.kind === "complaint")
    return html`a complaint (${report.feedbackType}) of ${report.originalRecipients.join(", ") || "nobody named"}`;
  return html`a
  DSN${report.reportingHost !== "" && html` of ${report.reportingHost}`}${report.recipients.map(
    (each) =>
      html`<div>
        ${recipientOf(each)}: ${each.action} ${replyText({ code: each.code, enhancedCode: each.enhancedCode, error: each.diagnostic })}
      </div>`,
  )}`;
};

const reportOf = (events: readonly Recorded[]): Report | null => {
  const [first] = events;
  return first?.event.type === "MessageReceived" ? first.event.report : null;
};

type Fact = readonly [name: string, value: Content];

/** What the header says. */
const headerFacts = (row: ReceivedRow, mail: ReceivedMail | undefined): readonly Fact[] => [
  ["From", mail?.from ?? row.from],
  ["To", mail?.to],
  ["Cc", mail?.cc],
  ["Reply-To", mail?.replyTo],
  ["Date", mail?.date?.toUTCString()],
  ["Message-ID", row.messageId !== "" && html`<code>${row.messageId}</code>`],
];

/** How it came, where it is, and what to think of it. */
const mailboxFacts = (row: ReceivedRow, report: Report | null, now: Instant): readonly Fact[] => [
  ["Mailbox", html`<a href="${mailPath(row.mailbox)}">${row.mailbox}</a> of account ${row.account}`],
  ["Flags", row.flags.join(" ")],
  ["Received", html`${instantText(row.receivedAt, now)} ${ORIGINS[row.origin]}${row.remoteAddress !== "" && ` from ${row.remoteAddress}`}`],
  ["For", row.recipient],
  ["Envelope sender", row.origin === "smtp" && (row.mailFrom === "" ? "(empty)" : row.mailFrom)],
  ["Authentication", authentication(row)],
  ["Automated", row.automated && "yes: sent by a program"],
  ["Report", reportFacts(report)],
  ["MsgID", html`<code>${row.id}</code>`],
  ["Kept until", row.keepUntil !== null && instantText(row.keepUntil, now)],
  ["Size", html`${sizeText(row.size)}, <a href="/received/${row.id}/raw">the raw message</a>`],
];

/** `mail` is undefined when the message could not be taken apart. */
export const receivedMessagePage = (
  { message: row, events }: ReceivedHistory,
  mail: ReceivedMail | undefined,
  calls: readonly CallRow[],
  now: Instant,
): PageAnswer => {
  const given = mail?.subject ?? row.subject;
  const subject = given === "" ? "(no subject)" : given;
  return page(
    "received",
    subject,
    html`<h1>${subject}</h1>
      ${facts([...headerFacts(row, mail), ...mailboxFacts(row, reportOf(events), now)])}
      ${mail === undefined ? html`<div class="empty">This message cannot be taken apart; the raw message is all there is.</div>` : content(row.id, mail)}
      ${
        calls.length > 0 &&
        html`<h2>Webhook calls</h2>
          ${table(callColumns(now), calls, "")}`
      }
      <h2>What happened</h2>
      ${timeline(events, now)}`,
  );
};
