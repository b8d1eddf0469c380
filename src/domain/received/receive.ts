/** Storing mail that arrived: one received message for each recipient, sharing the content, all or none. */
import type { Clock } from "../clock.ts";
import { NO_STREAM, type EventLog } from "../event-log.ts";
import type { IdSource } from "../ids.ts";
import { receivedStream, type ReceivedMessage } from "./events.ts";

/** A message as it came in, after the protocol's own checks. */
export type Arrival = Omit<
  ReceivedMessage,
  "id" | "contentId" | "size" | "account" | "recipient" | "mailbox" | "origin" | "flags" | "tag" | "callId"
> & {
  readonly content: Uint8Array;
  /** Whose mailbox each recipient is. */
  readonly recipients: readonly { readonly address: string; readonly account: string; readonly tag: string }[];
};

/** Resolves when the message is stored durably, with the ids of the received messages. */
export type Receive = (arrival: Arrival) => Promise<readonly number[]>;

/** Fresh ids that were all taken: see the same bound for submissions. */
const MAX_ID_COLLISIONS = 8;

export const receiving = ({
  log,
  clock,
  nextId,
}: {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly nextId: IdSource;
}): Receive => {
  return async ({ content, recipients, ...message }) => {
    for (let collisions = 0; collisions < MAX_ID_COLLISIONS; collisions += 1) {
      const contentId = nextId();
      const at = clock.now();
      const received = recipients.map(({ address, account, tag }): ReceivedMessage => ({
        ...message,
        id: nextId(),
        account,
        recipient: address,
        contentId,
        size: content.byteLength,
        mailbox: "Inbox",
        origin: "smtp",
        flags: [],
        tag,
        callId: nextId(),
      }));
      const writes = received.map((each) => ({
        stream: receivedStream(each.id),
        expectedRevision: NO_STREAM,
        events: [{ type: "MessageReceived", at, ...each } as const],
      }));
      const result = await log.append(writes, [{ id: contentId, bytes: content }]);
      if (result.appended) return received.map(({ id }) => id);
    }
    throw new Error("every new id was taken already: is the clock far behind the log?");
  };
};
