/** Reports that came back are noted on the messages that they are about; what matches none is ordinary mail, and announced. */
import type { Directory } from "../account/account.ts";
import type { Position } from "../event-log.ts";
import type { DsnNews } from "../message/commands.ts";
import { messageStream, type QueuedMessage } from "../message/events.ts";
import { isComplaint } from "../message/feedback.ts";
import { recipientStream } from "../recipient/events.ts";
import { failuresBefore, type RecipientState } from "../recipient/recipient.ts";
import type { RecipientReport, Report } from "../received/report.ts";
import { comparable } from "../runtime/deliveries.ts";
import type { Messages, Recipients } from "../runtime/kinds.ts";
import type { ReadModel } from "../runtime/read-model.ts";
import { receivedIn, type Reaction, type ReceivedFact } from "./facts.ts";
import { matching, type DsnMatch, type Match } from "./matching.ts";

type Arrived = ReceivedFact["event"];

/** Something came to a unique MAIL FROM that is no DSN, or a DSN that says too little or too much. */
const unrecognized = (error: string, isDsn: boolean): DsnNews => ({
  ...{ isDsn, action: "unrecognized", code: 0, enhancedCode: "", error, remoteHost: "" },
});

const newsOf = (report: Report | null, block: RecipientReport | undefined): DsnNews => {
  if (report?.kind !== "dsn") return unrecognized("a message came back that is no delivery report", false);
  if (block === undefined) {
    return unrecognized(`a delivery report came back with ${report.recipients.length} recipients instead of one`, true);
  }
  const { action, code, enhancedCode, diagnostic, remoteHost } = block;
  return { isDsn: true, action, code, enhancedCode, error: diagnostic, remoteHost: remoteHost === "" ? report.reportingHost : remoteHost };
};

export const feedback = (options: {
  readonly messages: Messages;
  readonly recipients: Recipients;
  readonly readModel: ReadModel;
  readonly directory: Directory;
  /** Tells the account about ordinary mail that arrived for it. */
  readonly announce: (fact: ReceivedFact) => Promise<Position>;
}): Reaction => {
  const { messages, recipients, announce } = options;
  const matches = matching(options);

  /** Asked of the recipient itself, which knows a delivery that a DSN takes back. */
  const recipientOf = async ({ account, recipient }: QueuedMessage): Promise<RecipientState> =>
    (await recipients.load(recipientStream(account, comparable(recipient)))).state;

  const noteDsn = async ({ message, matchedBy, block }: DsnMatch, { id, report }: Arrived): Promise<void> => {
    const stream = messageStream(message.id);
    const news = newsOf(report, block);
    const recipient = await recipientOf(message);
    const before = news.action === "failed" ? failuresBefore(recipient, stream) : 0;
    const isListed = recipient.suppressionId !== undefined;
    await messages.execute(stream, { type: "noteDsn", receivedId: id, matchedBy, news, failuresBefore: before, isListed });
  };

  const noteComplaint = async ({ message, matchedBy }: Match, { id }: Arrived, feedbackType: string): Promise<void> => {
    const isListed = (await recipientOf(message)).suppressionId !== undefined;
    await messages.execute(messageStream(message.id), { type: "noteComplaint", receivedId: id, matchedBy, feedbackType, isListed });
  };

  /** Whether it was about messages of ours. Those that have had too many reports refuse it, and nobody hears of it again. */
  const note = async (arrived: Arrived): Promise<boolean> => {
    const { report } = arrived;
    if (report?.kind !== "complaint") {
      const found = await matches.dsn(arrived);
      await Promise.all(found.map((match) => noteDsn(match, arrived)));
      return found.length > 0;
    }
    const { feedbackType } = report;
    if (!isComplaint(feedbackType)) return false;
    const found = await matches.complaint(report, arrived);
    await Promise.all(found.map((match) => noteComplaint(match, arrived, feedbackType)));
    return found.length > 0;
  };

  const reactTo = async (fact: ReceivedFact): Promise<Position> => {
    // Copies of what was sent, and reports of this server, are news to nobody.
    if (fact.event.origin !== "smtp") return 0;
    return (await note(fact.event)) ? 0 : announce(fact);
  };

  return async (batch) => Math.max(0, ...(await Promise.all(receivedIn(batch).map(reactTo))));
};
