/** The copy of what an account sent, in its Sent mailbox: stored in the same append as the queued messages, or with none of them. */
import type { Directory } from "../account/account.ts";
import type { Instant } from "../clock.ts";
import { contentSize, NO_STREAM, type EventWrite, type NewContent } from "../event-log.ts";
import type { IdSource } from "../ids.ts";
import { receivedStream, type ReceivedMessage } from "../received/events.ts";
import { SEEN } from "../received/flags.ts";
import { keepUntilOf } from "../received/receive.ts";
import type { Submission } from "./submission.ts";

/** What the copy adds to an append; no content when it shares that of the queued messages. */
export type SentCopy = { readonly write: EventWrite; readonly contents: readonly NewContent[] };

/** Octets that the copy takes besides those of the queued messages; undefined when none is asked for. */
export const sentCopyOctets = ({ sentCopy, content }: Submission): number | undefined => {
  if (sentCopy === undefined) return undefined;
  return sentCopy.head.byteLength === 0 ? 0 : sentCopy.head.byteLength + contentSize(content);
};

/**
 * The copy of a submission that asks for one. `contentId` is the queued messages'. Its own content is copied: that of the
 * queued messages changes hands when it is stored.
 */
export const sentCopyOf = (
  submission: Submission,
  { at, contentId, nextId, directory }: { at: Instant; contentId: number; nextId: IdSource; directory: Pick<Directory, "account"> },
): SentCopy | undefined => {
  const { sentCopy, content, account, from, subject, messageId } = submission;
  if (sentCopy === undefined) return undefined;
  const isOwn = sentCopy.head.byteLength > 0;
  const contents = isOwn ? [{ id: nextId(), pieces: [sentCopy.head, ...content].map((piece) => new Uint8Array(piece)) }] : [];
  const message: ReceivedMessage = {
    ...{ id: nextId(), account: account.name, mailFrom: "", recipient: "" },
    contentId: contents[0]?.id ?? contentId,
    size: contentSize(content) + sentCopy.head.byteLength,
    ...{ from: from.text, subject, messageId, remoteAddress: "", mailbox: "Sent", origin: "sent", flags: [SEEN] },
    ...{ mailFromValidated: false, msgFromValidated: false, dkimVerifiedDomains: [], automated: false, tag: "", report: null },
    callId: nextId(),
    keepUntil: keepUntilOf(directory, account.name, at),
  };
  const events = [{ type: "MessageReceived", at, ...message } as const];
  return { write: { stream: receivedStream(message.id), expectedRevision: NO_STREAM, events }, contents };
};
