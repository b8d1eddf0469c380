/** Messages that arrived for our addresses. */
import type { Instant } from "../domain/clock.ts";
import type { Recorded } from "../domain/event-log.ts";
import type { ReceivedEvent, ReceivedMessage } from "../domain/received/events.ts";
import { erase, tableOf, type Fold } from "./projection.ts";

export type ReceivedRow = Pick<
  ReceivedMessage,
  "id" | "account" | "mailFrom" | "recipient" | "contentId" | "size" | "from" | "subject" | "messageId" | "remoteAddress" | "mailbox"
> & { readonly receivedAt: Instant };

export const RECEIVED = tableOf<ReceivedRow>({
  name: "received",
  columns: {
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
    receivedAt: "integer",
  },
  key: ["id"],
  indexes: [{ columns: ["account"] }],
});

type Arrived = Extract<ReceivedEvent, { type: "MessageReceived" }>;

const born = (event: Arrived): ReceivedRow => ({
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
  receivedAt: event.at,
});

const fold: Fold<ReceivedRow> = {
  name: "received",
  tables: [RECEIVED],
  home: () => RECEIVED,
  types: ["MessageReceived"],
  keys: ({ event }) => [[(event as Arrived).id]],
  births: () => true,
  fold: (_row, recorded) => born((recorded as Recorded<Arrived>).event),
};

export const received = erase(fold);
