/**
 * The pages of local mode: read-only, rendered here, no script and nothing from elsewhere. They need no login, so they
 * answer to this machine's own names only, and a listener that has them must be bound to loopback.
 */
import Router, { type RouterMiddleware } from "@koa/router";
import type { Context, Middleware } from "koa";
import type { Clock, Instant } from "../../../domain/clock.ts";
import type { ContentStore, EventLog, StoredContent } from "../../../domain/event-log.ts";
import { MAILBOXES } from "../../../domain/received/events.ts";
import type { CountedList } from "../../../projections/counters.ts";
import type { CallRow } from "../../../projections/webhook-calls.ts";
import { callHistory, messageHistory, receivedHistory, receivedMessage } from "../admin/history.ts";
import type { AdminQueries, Page, PageRequest, ParseCursor } from "../admin/queries.ts";
import { answerContent } from "../content-body.ts";
import { localHostsOnly } from "./hosts.ts";
import { html } from "../html.ts";
import { documentOf, notFound, page, type PageAnswer, type Section, type SectionCounts } from "./layout.ts";
import { messagePage, queuePage, retiredPage } from "./message-pages.ts";
import { readMail } from "./received-mail.ts";
import { mailPath, receivedMessagePage, receivedPage } from "./received-pages.ts";
import { startPage, type LocalInfo } from "./start-page.ts";
import { STYLE } from "./style.ts";
import { suppressionsPage } from "./suppressions-page.ts";
import { callPage, retiredCallsPage, waitingCallsPage } from "./webhook-pages.ts";

export type LocalPagesOptions = {
  readonly queries: AdminQueries;
  readonly parseCursor: ParseCursor;
  readonly log: Pick<EventLog, "read">;
  readonly content: Pick<ContentStore, "open">;
  readonly clock: Pick<Clock, "now">;
  /** Asked at each view of the first page: ports are known only once the server listens. */
  readonly info: () => LocalInfo;
  /** Names besides localhost that this machine goes by, lower-case. */
  readonly alsoAllowedHosts?: readonly string[];
  readonly onError: (error: unknown) => void;
};

const PAGE_POLICY =
  "default-src 'none'; style-src 'self'; img-src data:; frame-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
/** For the HTML of a stranger, in the frame of its page: pictures that it brought along and its own style, nothing else. */
const MAIL_POLICY =
  "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

const ROWS = 50;
/** Calls shown on the page of their message: as many events as a message can have. */
const CALLS_OF_MESSAGE = 100;

const noMessage = notFound("There is no such message, or its keep period is over.");
const noCall = notFound("There is no such webhook call, or its keep period is over.");
const noMail = notFound("There is no such received message.");

const idOf = (ctx: Context): number => {
  const params = ctx["params"] as { readonly id?: string } | undefined;
  return /^\d{1,16}$/u.test(params?.id ?? "") ? Number(params?.id) : 0;
};

const cursorOf = (ctx: Context): string | undefined => {
  const cursor = ctx.query["cursor"];
  return typeof cursor === "string" && cursor.length > 0 && cursor.length <= 2_000 ? cursor : undefined;
};

const sendText = (ctx: Context, type: string, text: string | Buffer): void => {
  ctx.type = type;
  ctx.body = text;
};

const COUNTED: readonly (readonly [Section, CountedList])[] = [
  ["received", "received"],
  ["queue", "queue"],
  ["retired", "retired"],
  ["webhooks", "webhook_calls"],
  ["suppressions", "suppressions"],
];

const countsFor = (queries: AdminQueries): SectionCounts =>
  Object.fromEntries(COUNTED.map(([section, list]) => [section, queries.counts(list).reduce((sum, { rows }) => sum + rows, 0)]));

type Pages = Readonly<Record<string, (ctx: Context) => PageAnswer | Promise<PageAnswer>>>;

const noSuchPage = page(
  undefined,
  "No such page",
  html`<h1>No such page</h1>
    <p>This list has no page there. <a href="/">Back to the start</a></p>`,
  400,
);

const listPages = ({ queries, parseCursor, clock }: LocalPagesOptions): Pages => {
  /** One page of a list, from its rows to its HTML. */
  const listed =
    <Row>(
      list: (request: PageRequest) => Page<Row>,
      render: (rows: Page<Row>, cursor: string | undefined, now: Instant) => PageAnswer,
    ): Pages[string] =>
    (ctx) => {
      const cursor = cursorOf(ctx);
      const after = cursor === undefined ? undefined : parseCursor(cursor);
      if (cursor !== undefined && after === undefined) return noSuchPage;
      return render(list(after === undefined ? { limit: ROWS } : { after, limit: ROWS }), cursor, clock.now());
    };
  return {
    "/received": listed((request) => queries.received({}, request), receivedPage()),
    ...Object.fromEntries(
      MAILBOXES.map((mailbox) => [mailPath(mailbox), listed((request) => queries.received({ mailbox }, request), receivedPage(mailbox))]),
    ),
    "/queue": listed((request) => queries.queue.list({}, { sort: "nextAttemptAt", direction: "ascending" }, request), queuePage),
    "/retired": listed((request) => queries.retired({}, { sort: "lastActivityAt", direction: "descending" }, request), retiredPage),
    "/webhooks": listed((request) => queries.calls.waiting({}, { sort: "activeAt", direction: "ascending" }, request), waitingCallsPage),
    "/webhooks/retired": listed(
      (request) => queries.calls.retired({}, { sort: "activeAt", direction: "descending" }, request),
      retiredCallsPage,
    ),
    "/suppressions": listed((request) => queries.suppressionPage(null, request), suppressionsPage),
  };
};

/** Calls about a message, of ours or received, in their order. */
const callsAboutIn =
  ({ calls }: AdminQueries) =>
  (messageRef: number): readonly CallRow[] =>
    [calls.retired, calls.waiting].flatMap(
      (list) => list({ messageRef }, { sort: "queuedAt", direction: "ascending" }, { limit: CALLS_OF_MESSAGE }).rows,
    );

const detailPages = ({ queries, log, content, clock, info }: LocalPagesOptions): Pages => {
  const callsAbout = callsAboutIn(queries);
  return {
    "/": (ctx) => startPage(info(), { host: ctx.host, secure: ctx.secure }),
    "/messages/:id": async (ctx) => {
      const history = await messageHistory(log, idOf(ctx));
      if (history === undefined) return noMessage;
      return messagePage(history, callsAbout(history.message.id), clock.now());
    },
    "/webhooks/:id": async (ctx) => {
      const history = await callHistory(log, idOf(ctx));
      return history === undefined ? noCall : callPage(history, clock.now());
    },
    "/received/:id": async (ctx) => {
      const history = await receivedHistory(log, idOf(ctx));
      const stored = history === undefined ? undefined : await content.open(history.message.contentId);
      if (history === undefined || stored === undefined) return noMail;
      return receivedMessagePage(history, await readMail(stored), callsAbout(history.message.id), clock.now());
    },
  };
};

/** A stored message as text, whatever it says that it is. */
const showRaw = (ctx: Context, stored: StoredContent): void => {
  ctx.type = "text/plain; charset=utf-8";
  answerContent(ctx, stored);
};

/** The middleware that answers the pages' paths, and passes on everything else. */
export const localPages = (options: LocalPagesOptions): Middleware => {
  const { queries, log, content, info, onError } = options;
  const router = new Router({ sensitive: true, strict: true });

  const show = (ctx: Context, answer: PageAnswer): void => {
    ctx.status = answer.status;
    sendText(ctx, "text/html; charset=utf-8", documentOf(answer, countsFor(queries), info().version));
  };

  const protect = localHostsOnly(options.alsoAllowedHosts);

  router.use(protect as unknown as RouterMiddleware);
  router.use(async (ctx, next) => {
    ctx.set({
      "Cache-Control": "no-store",
      "Content-Security-Policy": PAGE_POLICY,
      "Cross-Origin-Resource-Policy": "same-origin",
      "Referrer-Policy": "no-referrer",
      "X-Content-Type-Options": "nosniff",
    });
    try {
      await next();
    } catch (error) {
      onError(error);
      ctx.status = 500;
      sendText(ctx, "text/plain", "Something went wrong here; the server's log says what.\n");
    }
  });

  for (const [path, render] of Object.entries({ ...listPages(options), ...detailPages(options) })) {
    router.get(path, async (ctx) => {
      show(ctx, await render(ctx));
    });
  }

  router.get("/posthorn.css", (ctx) => {
    ctx.set("Cache-Control", "max-age=31536000, immutable");
    sendText(ctx, "text/css; charset=utf-8", STYLE);
  });

  router.get("/messages/:id/raw", async (ctx) => {
    const history = await messageHistory(log, idOf(ctx));
    const stored = history === undefined ? undefined : await content.open(history.message.contentId);
    if (stored === undefined) show(ctx, notFound("The content of this message is gone: it is kept while the message is queued."));
    else showRaw(ctx, stored);
  });

  router.get("/received/:id/raw", async (ctx) => {
    const row = await receivedMessage(log, idOf(ctx));
    const stored = row === undefined ? undefined : await content.open(row.contentId);
    if (stored === undefined) show(ctx, noMail);
    else showRaw(ctx, stored);
  });

  router.get("/received/:id/html", async (ctx) => {
    const row = await receivedMessage(log, idOf(ctx));
    const stored = row === undefined ? undefined : await content.open(row.contentId);
    const mail = stored === undefined ? undefined : await readMail(stored);
    if (mail === undefined || mail.html === null) {
      show(ctx, noMail);
      return;
    }
    ctx.set("Content-Security-Policy", MAIL_POLICY);
    sendText(ctx, "text/html; charset=utf-8", mail.html);
  });

  return router.routes() as unknown as Middleware;
};
