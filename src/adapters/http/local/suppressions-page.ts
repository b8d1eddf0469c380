/** Addresses that nothing is sent to any more, and why. */
import type { Instant } from "../../../domain/clock.ts";
import type { SuppressionRow } from "../../../projections/suppressions.ts";
import type { Page } from "../admin/queries.ts";
import { html, type Content } from "../html.ts";
import { moment, page, pagesNav, table, type PageAnswer } from "./layout.ts";

/** The message whose failure, or whose recipient's complaint, was the cause: it may be gone by now. */
const cause = ({ manual, causeStream }: SuppressionRow): Content => {
  const [, id] = /^message-(\d{1,16})$/u.exec(causeStream) ?? [];
  if (id !== undefined) return html`<a href="/messages/${id}">message ${id}</a>`;
  return manual ? "a person" : "the API";
};

export const suppressionsPage = (list: Page<SuppressionRow>, cursor: string | undefined, now: Instant): PageAnswer =>
  page(
    "suppressions",
    "Suppressions",
    html`<h1>Suppressions</h1>
      <p class="lead">Addresses whose messages fail without an attempt, because an earlier one failed for good.</p>
      ${table(
        [
          { label: "Since", kind: "tight", cell: (row: SuppressionRow) => moment(row.createdAt, now) },
          {
            label: "Address",
            cell: ({ baseAddress, originalAddress }) =>
              html`${baseAddress}${originalAddress !== baseAddress && html`<small>written as ${originalAddress}</small>`}`,
          },
          { label: "Account", cell: ({ account }) => account },
          { label: "Reason", cell: ({ reason }) => reason },
          { label: "Put here by", cell: cause },
        ],
        list.rows,
        html`No address is suppressed. Send to <code>permerror@localhost</code> to see one.`,
      )}${pagesNav("/suppressions", cursor, list.next)}
      <p class="soft">To take one off: <code>posthorn suppressions remove --account NAME ADDRESS</code></p>`,
  );
