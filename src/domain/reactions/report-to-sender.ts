/**
 * Senders learn in their Inbox what became of their messages: a DSN (RFC 3464) under the id that the causing event has
 * for it, so that it is there once however often this runs. It counts to what the account stores, but is never refused.
 */
import type { Directory } from "../account/account.ts";
import type { Content, ContentStore, EventLog, StoredContent } from "../event-log.ts";
import type { MessageEvent } from "../message/events.ts";
import { mayReport, senderNotice, type SenderNotice } from "../message/sender-notice.ts";
import { receivedStream } from "../received/events.ts";
import type { Receive } from "../received/receive.ts";
import type { MessageFact, Reaction } from "./facts.ts";

/** A report as a message: its header, decoded, and its content. */
export type SenderReport = {
  readonly from: string;
  readonly subject: string;
  /** With its angle brackets. */
  readonly messageId: string;
  readonly content: Content;
};

/** Writes reports. `original`: the message that it is about, to return its header or all of it; undefined when it is gone. */
export type SenderReports = {
  readonly compose: (notice: SenderNotice, original: StoredContent | undefined) => Promise<SenderReport>;
};

/** Reports that are written at the same time: each may hold a message that it returns. */
const AT_A_TIME = 16;

export const reportToSender = (options: {
  readonly log: Pick<EventLog, "read">;
  readonly contents: Pick<ContentStore, "open">;
  readonly receive: Receive;
  readonly directory: Pick<Directory, "account">;
  readonly senderReports: SenderReports;
}): Reaction => {
  const { log, contents, receive, directory, senderReports } = options;

  const noticeOf = async ({ recorded, message }: MessageFact): Promise<SenderNotice | undefined> => {
    const events = (await log.read(recorded.stream)).filter(({ revision }) => revision <= recorded.revision);
    // Every event of the stream is a message's.
    return senderNotice(
      events.map(({ event }) => event as MessageEvent),
      message,
    );
  };

  const store = async (notice: SenderNotice): Promise<void> => {
    const { account, mailFrom, contentId } = notice.message;
    const report = await senderReports.compose(notice, await contents.open(contentId));
    await receive({
      ...report,
      onceAs: notice.id,
      mailFrom: "",
      recipients: [{ address: mailFrom, account, tag: "" }],
      remoteAddress: "",
      origin: "report",
      mailFromValidated: false,
      msgFromValidated: false,
      dkimVerifiedDomains: [],
      automated: true,
      report: null,
    });
  };

  const react = async (fact: MessageFact): Promise<void> => {
    const notice = await noticeOf(fact);
    if (notice === undefined) return;
    // Written before, by a run that was cut off: the message that it returned may be gone by now.
    const written = await log.read(receivedStream(notice.id));
    if (written.length === 0) await store(notice);
  };

  return async ({ facts }) => {
    const due = facts.filter(({ event, message }) => mayReport(event, message) && directory.account(message.account) !== undefined);
    for (let at = 0; at < due.length; at += AT_A_TIME) await Promise.all(due.slice(at, at + AT_A_TIME).map(react));
    return 0;
  };
};
