/** What the admin API and the local pages ask of the views: a narrow port, so that they can be tried without any. */
import type { Instant } from "../../../domain/clock.ts";
import type { Position } from "../../../domain/event-log.ts";
import type { BounceClass } from "../../../domain/message/bounce-class.ts";
import type { Mailbox } from "../../../domain/received/events.ts";
import type { CountedList, CounterRow } from "../../../projections/counters.ts";
import type { HoldRuleRow } from "../../../projections/hold-rules.ts";
import type { MessageRow, MessageState } from "../../../projections/messages.ts";
import type { ReceivedRow } from "../../../projections/received.ts";
import type { SuppressionRow } from "../../../projections/suppressions.ts";
import type { CallEvent, CallRow } from "../../../projections/webhook-calls.ts";

/** Where a page ended. */
export type Cursor = { readonly sort: number; readonly id: number };

/** A run of rows in the order asked for; `next` is the text of the cursor for those that follow, null at the end. */
export type Page<Row> = { readonly rows: readonly Row[]; readonly next: string | null };

export type PageRequest = { readonly after?: Cursor; readonly limit: number };

export type Direction = "ascending" | "descending";

/** A stretch of time, both ends outside; absent = open. */
export type Span = { readonly after?: Instant | undefined; readonly before?: Instant | undefined };

/** Queued messages that agree with all that is set. */
export type QueueFilter = {
  readonly ids?: readonly number[] | undefined;
  readonly account?: string | undefined;
  /** `user@domain` or `@domain`, compared with the From address. */
  readonly from?: string | undefined;
  /** `user@domain` or `@domain`, compared with the recipient. */
  readonly to?: string | undefined;
  readonly hold?: boolean | undefined;
  readonly submitted?: Span | undefined;
  readonly nextAttempt?: Span | undefined;
  readonly transport?: string | undefined;
  readonly state?: MessageState | undefined;
  /** Class of the last refusal. */
  readonly bounceClass?: BounceClass | undefined;
};

export type RetiredFilter = {
  readonly account?: string | undefined;
  /** `user@domain` or `@domain`, compared with the recipient. */
  readonly to?: string | undefined;
  readonly outcome?: MessageState | undefined;
  readonly bounceClass?: BounceClass | undefined;
};

export type CallFilter = {
  readonly account?: string | undefined;
  readonly event?: CallEvent | undefined;
  readonly messageRef?: number | undefined;
};

/** Mail in mailboxes that agrees with all that is set. */
export type ReceivedFilter = { readonly account?: string | undefined; readonly mailbox?: Mailbox | undefined };

type CallPage = (
  filter: CallFilter,
  order: { readonly sort: "activeAt" | "queuedAt"; readonly direction: Direction },
  request: PageRequest,
) => Page<CallRow>;

/** The lists. Their pages cost the same however long they are. */
export type AdminQueries = {
  readonly queue: {
    readonly list: (
      filter: QueueFilter,
      order: { readonly sort: "nextAttemptAt" | "queuedAt"; readonly direction: Direction },
      request: PageRequest,
    ) => Page<MessageRow>;
    /** Ids that match, ascending, above `afterId`, at most `limit`: what bulk actions walk along. */
    readonly matchingIds: (filter: QueueFilter, afterId: number, limit: number) => readonly number[];
  };
  readonly retired: (
    filter: RetiredFilter,
    order: { readonly sort: "lastActivityAt" | "queuedAt"; readonly direction: Direction },
    request: PageRequest,
  ) => Page<MessageRow>;
  /** `activeAt`: next attempt, or for retired calls last activity. */
  readonly calls: { readonly waiting: CallPage; readonly retired: CallPage };
  /** Newest first; null = of all accounts. */
  readonly suppressionPage: (account: string | null, request: PageRequest) => Page<SuppressionRow>;
  /** Oldest first: few by nature. */
  readonly holdRules: () => readonly HoldRuleRow[];
  /** Newest first. */
  readonly received: (filter: ReceivedFilter, request: PageRequest) => Page<ReceivedRow>;
  readonly counts: (list: CountedList) => readonly CounterRow[];
};

/** Reads the text of a cursor; undefined when no list made it. */
export type ParseCursor = (text: string) => Cursor | undefined;

/** How the views stand. */
export type ViewsState = {
  /** How far they are in the log. */
  readonly position: () => Position;
  /** Digest over everything in them, the same for views that say the same. Reads them whole. */
  readonly digest: () => Promise<string>;
};

/** The lists that are counted. */
export const COUNTED_LISTS: readonly CountedList[] = ["queue", "retired", "webhook_calls", "webhook_retired", "suppressions", "received"];
