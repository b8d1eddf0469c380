/** Storing mail that arrived: one received message for each recipient, sharing the content, all or none. */
import type { Directory } from "../account/account.ts";
import type { Clock, Instant } from "../clock.ts";
import { contentSize, NO_STREAM, type Content, type EventLog } from "../event-log.ts";
import type { IdSource } from "../ids.ts";
import { receivedStream, type ReceivedMessage } from "./events.ts";

/** What each recipient's message gets here. */
type Given = "id" | "account" | "recipient" | "contentId" | "size" | "tag" | "callId" | "keepUntil";

/** Where it goes and how it came: into the Inbox, over SMTP, unless something else is said. */
type Place = Pick<ReceivedMessage, "mailbox" | "origin" | "flags">;

/** A message as it came in, after the protocol's own checks. */
export type Arrival = Omit<ReceivedMessage, Given | keyof Place> &
  Partial<Place> & {
    readonly content: Content;
    /** Whose mailbox each recipient is, and what followed the separator in the local part; empty without. */
    readonly recipients: readonly { readonly address: string; readonly account: string; readonly tag: string }[];
    /**
     * For a message to one recipient that must be stored once however often it arrives: the id that it gets, and its
     * content alike. When there is a message of that id already, nothing is stored and the id is answered.
     */
    readonly onceAs?: number;
  };

/** Resolves when the message is stored durably, with the ids of the received messages. */
export type Receive = (arrival: Arrival) => Promise<readonly number[]>;

/** Fresh ids that were all taken: see the same bound for submissions. */
const MAX_ID_COLLISIONS = 8;

/** When a message that this account gets now is deleted by itself; null = never. */
export const keepUntilOf = (directory: Pick<Directory, "account">, account: string, now: Instant): Instant | null => {
  const keepMs = directory.account(account)?.keepReceivedMs ?? null;
  return keepMs === null ? null : now + keepMs;
};

export const receiving = ({
  log,
  clock,
  nextId,
  directory,
}: {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly nextId: IdSource;
  readonly directory: Pick<Directory, "account">;
}): Receive => {
  return async ({ content, recipients, onceAs, ...message }) => {
    const size = contentSize(content);
    if (onceAs !== undefined && recipients.length !== 1) throw new Error("a message with an id of its own has one recipient");
    for (let collisions = 0; collisions < MAX_ID_COLLISIONS; collisions += 1) {
      const contentId = onceAs ?? nextId();
      const at = clock.now();
      const received = recipients.map(({ address, account, tag }): ReceivedMessage => ({
        mailbox: "Inbox",
        origin: "smtp",
        flags: [],
        ...message,
        id: onceAs ?? nextId(),
        account,
        recipient: address,
        contentId,
        size,
        tag,
        callId: nextId(),
        keepUntil: keepUntilOf(directory, account, at),
      }));
      const writes = received.map((each) => ({
        stream: receivedStream(each.id),
        expectedRevision: NO_STREAM,
        events: [{ type: "MessageReceived", at, ...each } as const],
      }));
      const result = await log.append(writes, [{ id: contentId, pieces: content }]);
      if (result.appended || onceAs !== undefined) return received.map(({ id }) => id);
    }
    throw new Error("every new id was taken already: is the clock far behind the log?");
  };
};
