/** Mail in mailboxes: what arrived for our addresses, copies of what was sent, and our own reports. */
import type { Instant } from "../domain/clock.ts";
import type { Recorded } from "../domain/event-log.ts";
import type { ReceivedEvent, ReceivedMessage } from "../domain/received/events.ts";
import { inOrder } from "../domain/received/flags.ts";
import { numberOf } from "./messages.ts";
import { erase, tableOf, type ColumnsOf, type Fold } from "./projection.ts";

/** One message, as it is now; fields as in {@link ReceivedMessage} unless said. */
export type ReceivedRow = Omit<ReceivedMessage, "report"> & {
  /** In the order of `inOrder`. */
  readonly flags: readonly string[];
  /** What kind of report it is about mail of ours; empty when it is none. */
  readonly reportKind: "" | "dsn" | "complaint";
  readonly receivedAt: Instant;
  /** Never stored: it is what a message's last event leaves for the schedule to delete the stream. */
  readonly deletedAt: Instant | null;
};

const COLUMNS: ColumnsOf<ReceivedRow> = {
  id: "integer",
  account: "text",
  mailFrom: "text",
  recipient: "text",
  contentId: "integer",
  size: "integer",
  from: "text",
  subject: "text",
  messageId: "text",
  remoteAddress: "text",
  mailbox: "text",
  origin: "text",
  flags: "json",
  mailFromValidated: "boolean",
  msgFromValidated: "boolean",
  dkimVerifiedDomains: "json",
  automated: "boolean",
  tag: "text",
  reportKind: "text",
  callId: "integer",
  keepUntil: "integer?",
  receivedAt: "integer",
  deletedAt: "integer?",
};

export const RECEIVED = tableOf<ReceivedRow>({
  name: "received",
  columns: COLUMNS,
  key: ["id"],
  indexes: [{ columns: ["account"] }, { columns: ["mailbox"] }, { columns: ["account", "mailbox"] }],
});

const born = (event: Extract<ReceivedEvent, { type: "MessageReceived" }>): ReceivedRow => ({
  id: event.id,
  account: event.account,
  mailFrom: event.mailFrom,
  recipient: event.recipient,
  contentId: event.contentId,
  size: event.size,
  from: event.from,
  subject: event.subject,
  messageId: event.messageId,
  remoteAddress: event.remoteAddress,
  mailbox: event.mailbox,
  origin: event.origin,
  flags: inOrder(new Set(event.flags)),
  mailFromValidated: event.mailFromValidated,
  msgFromValidated: event.msgFromValidated,
  dkimVerifiedDomains: event.dkimVerifiedDomains,
  automated: event.automated,
  tag: event.tag,
  reportKind: event.report?.kind ?? "",
  callId: event.callId,
  keepUntil: event.keepUntil,
  receivedAt: event.at,
  deletedAt: null,
});

const apply = (row: ReceivedRow | undefined, event: ReceivedEvent): ReceivedRow | undefined => {
  if (event.type === "MessageReceived") return born(event);
  if (row === undefined) return undefined;
  switch (event.type) {
    case "MessageFlagsAdded":
      return { ...row, flags: inOrder(new Set([...row.flags, ...event.flags])) };
    case "MessageFlagsRemoved":
      return { ...row, flags: row.flags.filter((flag) => !event.flags.includes(flag)) };
    case "MessageMoved":
      return { ...row, mailbox: event.mailbox };
    case "MessageDeleted":
      return { ...row, deletedAt: event.at };
  }
};

const fold: Fold<ReceivedRow> = {
  name: "received",
  tables: [RECEIVED],
  home: (row) => (row.deletedAt === null ? RECEIVED : undefined),
  types: ["MessageReceived", "MessageFlagsAdded", "MessageFlagsRemoved", "MessageMoved", "MessageDeleted"],
  keys: ({ stream }) => [[numberOf(stream)]],
  births: ({ event }) => event.type === "MessageReceived",
  fold: (row, recorded) => apply(row, (recorded as Recorded<ReceivedEvent>).event),
};

export const received = erase(fold);
