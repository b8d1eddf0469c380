/** Received mail: the list, and one message to read. */
import type { Instant } from "../../../domain/clock.ts";
import type { ReceivedRow } from "../../../projections/received.ts";
import type { Page } from "../admin/queries.ts";
import { sizeText } from "../admin/wording.ts";
import { html, type Html } from "../html.ts";
import { facts, instantText, moment, page, pagesNav, table, type PageAnswer } from "./layout.ts";
import type { ReceivedMail } from "./received-mail.ts";

export const receivedPage = (list: Page<ReceivedRow>, cursor: string | undefined, now: Instant): PageAnswer =>
  page(
    "received",
    "Received",
    html`<h1>Received</h1>
      <p class="lead">Everything that was sent ends here, the latest first. Nothing leaves this machine.</p>
      ${table(
        [
          { label: "Received", kind: "tight", cell: (row: ReceivedRow) => moment(row.receivedAt, now) },
          {
            label: "Subject",
            cell: ({ id, subject }) => html`<a class="clip" href="/received/${id}">${subject === "" ? "(no subject)" : subject}</a>`,
          },
          {
            label: "To",
            kind: "wide",
            cell: ({ recipient, from, mailFrom }) => html`${recipient}<small>from ${from === "" ? mailFrom : from}</small>`,
          },
          { label: "Size", kind: "number", cell: ({ size }) => sizeText(size) },
        ],
        list.rows,
        html`Nothing yet. The <a href="/">first page</a> has a command that sends a message here.`,
      )}${pagesNav("/received", cursor, list.next)}`,
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

/** `mail` is undefined when the message could not be taken apart. */
export const receivedMessagePage = (row: ReceivedRow, mail: ReceivedMail | undefined, now: Instant): PageAnswer => {
  const subject = mail?.subject ?? row.subject;
  return page(
    "received",
    subject === "" ? "(no subject)" : subject,
    html`<h1>${subject === "" ? "(no subject)" : subject}</h1>
      ${facts([
        ["From", mail?.from ?? row.from],
        ["To", mail?.to],
        ["Cc", mail?.cc],
        ["Reply-To", mail?.replyTo],
        ["Date", mail?.date?.toUTCString()],
        ["Received", instantText(row.receivedAt, now)],
        ["For", row.recipient],
        ["Envelope sender", row.mailFrom === "" ? "(empty)" : row.mailFrom],
        ["Message-ID", row.messageId !== "" && html`<code>${row.messageId}</code>`],
        ["Size", html`${sizeText(row.size)}, <a href="/received/${row.id}/raw">the raw message</a>`],
      ])}
      ${mail === undefined ? html`<div class="empty">This message cannot be taken apart; the raw message is all there is.</div>` : content(row.id, mail)}`,
  );
};
