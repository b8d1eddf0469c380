/** What all of local mode's pages share: the frame around them, tables, times, paging. */
import type { Instant } from "../../../domain/clock.ts";
import { localTimeText, relativeText } from "../admin/wording.ts";
import { html, type Content, type Html } from "../html.ts";
import { STYLE_VERSION } from "./style.ts";

/** A page: its HTML and the status that it comes with. */
export type PageAnswer = { readonly status: number; readonly title: string; readonly section: Section | undefined; readonly body: Html };

const SECTIONS = {
  start: { path: "/", name: "Start" },
  received: { path: "/received", name: "Received" },
  queue: { path: "/queue", name: "Queue" },
  retired: { path: "/retired", name: "Retired" },
  webhooks: { path: "/webhooks", name: "Webhook calls" },
  suppressions: { path: "/suppressions", name: "Suppressions" },
} as const;

export type Section = keyof typeof SECTIONS;

export const page = (section: Section | undefined, title: string, body: Html, status = 200): PageAnswer => ({
  status,
  title,
  section,
  body,
});

export const notFound = (message: string): PageAnswer =>
  page(
    undefined,
    "Not found",
    html`<h1>Not found</h1>
      <p>${message}</p>
      <p><a href="/">Back to the start</a></p>`,
    404,
  );

/** How many rows the lists have, for the navigation. */
export type SectionCounts = Partial<Readonly<Record<Section, number>>>;

const navigation = (current: Section | undefined, counts: SectionCounts): Html =>
  html`<nav aria-label="Pages">
    ${Object.entries(SECTIONS).map(([section, { path, name }]) => {
      const count = counts[section as Section];
      return html`<a href="${path}" ${section === current && html` aria-current="page"`}
        >${name}${count !== undefined && html` <b>${count}</b>`}</a
      >`;
    })}
  </nav>`;

/** The whole document. */
export const documentOf = ({ title, section, body }: PageAnswer, counts: SectionCounts, version: string): string =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title === "Posthorn" ? title : `${title} · Posthorn`}</title>
        <link rel="stylesheet" href="/posthorn.css?${STYLE_VERSION}" />
        <link rel="icon" href="data:," />
      </head>
      <body>
        <header class="top">
          <div>
            <a class="brand" href="/">Post<span>horn</span></a
            >${navigation(section, counts)}
          </div>
        </header>
        <main>${body}</main>
        <footer>Posthorn ${version}, local mode</footer>
      </body>
    </html> `.html;

/** An instant: how far away, and when exactly. */
export const moment = (at: Instant, now: Instant): Html =>
  html`<time datetime="${new Date(at).toISOString()}" title="${new Date(at).toISOString()}">${localTimeText(at, now)}</time
    ><small>${relativeText(at, now)}</small>`;

/** An instant on one line. */
export const instantText = (at: Instant, now: Instant): Html =>
  html`<time datetime="${new Date(at).toISOString()}" title="${new Date(at).toISOString()}"
    >${localTimeText(at, now)} (${relativeText(at, now)})</time
  >`;

/** When an attempt that is due at an instant will be. */
export const dueText = (at: Instant, now: Instant): Html => (at <= now ? html`is due now` : instantText(at, now));

export type Column<Row> = {
  readonly label: string;
  readonly cell: (row: Row) => Content;
  readonly kind?: "number" | "keep" | "tight" | "wide";
};

/** A table, or what to say when there is nothing in it. */
export const table = <Row>(columns: readonly Column<Row>[], rows: readonly Row[], empty: Content): Html =>
  rows.length === 0
    ? html`<div class="empty">${empty}</div>`
    : html`<div class="table">
        <table class="rows">
          <thead>
            <tr>
              ${columns.map(({ label, kind }) => html`<th scope="col" class="${kind ?? ""}">${label}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${rows.map(
              (row) =>
                html` <tr>
                  ${columns.map(({ label, kind, cell }) => html`<td class="${kind ?? ""}" data-label="${label}"><div>${cell(row)}</div></td>`)}
                </tr>`,
            )}
          </tbody>
        </table>
      </div>`;

/** Links to the first and to the next page of a list. */
export const pagesNav = (path: string, cursor: string | undefined, next: string | null): Html | null =>
  cursor === undefined && next === null
    ? null
    : html`<div class="pages">
        ${cursor !== undefined && html`<a href="${path}">First page</a>`}${
          next !== null && html`<a href="${path}?cursor=${encodeURIComponent(next)}" rel="next">Next page</a>`
        }
      </div>`;

/** Names and values, leaving out what has none. */
export const facts = (pairs: readonly (readonly [string, Content])[]): Html =>
  html`<dl class="facts">
    ${pairs
      .filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== false)
      .map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd>${value}</dd>`,
      )}
  </dl>`;

const TONES: Readonly<Record<string, string>> = {
  delivered: "good",
  queued: "wait",
  attempting: "wait",
  waiting: "wait",
  deferred: "wait",
  uncertain: "bad",
  failed: "bad",
  suppressed: "bad",
  delayed: "wait",
  unrecognized: "wait",
  complained: "bad",
};

/** A state as a coloured word. */
export const badge = (state: string): Html =>
  html`<span class="badge ${TONES[state] ?? ""}">${state === "held" ? "on hold" : state}</span>`;
