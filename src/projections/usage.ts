/** What accounts used of their daily limits: messages and first contacts per minute, and summed per hour. */
import { DAY_MS, HOUR_MS, MINUTE_MS, type Instant } from "../domain/clock.ts";
import type { Recorded } from "../domain/event-log.ts";
import type { MessageEvent } from "../domain/message/events.ts";
import type { RecipientEvent } from "../domain/recipient/events.ts";
import { erase, from, tableOf, type Fold, type Tally } from "./projection.ts";

export type UsageRow = {
  readonly account: string;
  /** Minutes since the epoch. */
  readonly minute: number;
  readonly messages: number;
  readonly firstContacts: number;
  /** Last event in it: whether a minute that the window cuts still counts. */
  readonly lastAt: Instant;
};

export const USAGE = tableOf<UsageRow>({
  name: "usage",
  columns: { account: "text", minute: "integer", messages: "integer", firstContacts: "integer", lastAt: "integer" },
  key: ["account", "minute"],
  indexes: [{ columns: ["minute"] }],
});

type UsageEvent = Extract<MessageEvent, { type: "MessageQueued" }> | Extract<RecipientEvent, { type: "RecipientContacted" }>;

const apply = (row: UsageRow | undefined, event: UsageEvent): UsageRow => {
  const isMessage = event.type === "MessageQueued";
  return {
    account: event.account,
    minute: Math.floor(event.at / MINUTE_MS),
    messages: (row?.messages ?? 0) + (isMessage ? 1 : 0),
    firstContacts: (row?.firstContacts ?? 0) + (isMessage ? 0 : 1),
    lastAt: Math.max(row?.lastAt ?? event.at, event.at),
  };
};

const fold: Fold<UsageRow> = {
  name: "usage",
  tables: [USAGE],
  home: () => USAGE,
  types: ["MessageQueued", "RecipientContacted"],
  keys: ({ event }) => [[(event as UsageEvent).account, Math.floor(event.at / MINUTE_MS)]],
  births: () => false,
  fold: (row, recorded) => apply(row, (recorded as Recorded<UsageEvent>).event),
  expiry: { column: "minute", below: (newestAt) => Math.floor((newestAt - DAY_MS) / MINUTE_MS) },
};

export const usage = erase(fold);

const HOUR_MINUTES = HOUR_MS / MINUTE_MS;

export type UsageHourRow = {
  readonly account: string;
  /** Hours since the epoch. */
  readonly hour: number;
  readonly messages: number;
  readonly firstContacts: number;
};

export const USAGE_HOURS = tableOf<UsageHourRow>({
  name: "usage_hours",
  columns: { account: "text", hour: "integer", messages: "integer", firstContacts: "integer" },
  key: ["account", "hour"],
  indexes: [{ columns: ["hour"] }],
  outsideDigest: true,
});

/** So that a day's sum reads some eighty rows rather than 1,440. */
export const usageHours: Tally = {
  name: "usageHours",
  table: USAGE_HOURS,
  amounts: ["messages", "firstContacts"],
  from: [
    from("usage", ({ account, minute, messages, firstContacts }: UsageRow): readonly UsageHourRow[] => [
      { account, hour: Math.floor(minute / HOUR_MINUTES), messages, firstContacts },
    ]),
  ],
  expiry: { column: "hour", below: (newestAt) => Math.floor((newestAt - DAY_MS) / HOUR_MS) },
};
