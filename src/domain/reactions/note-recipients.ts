/** What deliveries, final failures, reports and first messages say about their recipients; some suppress them. */
import type { Directory } from "../account/account.ts";
import type { Position } from "../event-log.ts";
import type { MessageEvent } from "../message/events.ts";
import { isTrusted } from "../message/feedback.ts";
import { recipientStream } from "../recipient/events.ts";
import type { RecipientCommand } from "../recipient/recipient.ts";
import { comparable } from "../runtime/deliveries.ts";
import type { Recipients } from "../runtime/kinds.ts";
import type { ReadModel } from "../runtime/read-model.ts";
import { lastOf, type MessageFact, type Reaction } from "./facts.ts";

type Failure = Extract<MessageEvent, { type: "DeliveryFailed" | "DsnReceived" }>;

/** A failure that counts. Who made up a DSN from a Message-ID must not be able to count. */
const isFailure = (event: MessageEvent): event is Failure =>
  event.type === "DeliveryFailed" || (event.type === "DsnReceived" && event.action === "failed" && isTrusted(event.matchedBy));

export const noteRecipients = (options: {
  readonly recipients: Recipients;
  readonly readModel: ReadModel;
  readonly directory: Directory;
}): Reaction => {
  const { recipients, readModel, directory } = options;

  const execute = async (stream: string, command: RecipientCommand): Promise<Position> => {
    const turn = await recipients.execute(stream, command);
    return turn.kind === "done" ? turn.position : 0;
  };

  /** The command that follows; undefined when the recipient is as known. `failed`, `contacted`: what this batch has said already. */
  const commandFor = (
    { recorded, event, message }: MessageFact,
    base: string,
    said: { readonly failed: ReadonlySet<string>; readonly contacted: ReadonlySet<string> },
    stream: string,
  ): RecipientCommand | undefined => {
    const cause = { stream: recorded.stream, revision: recorded.revision };
    const address = message.recipient;
    if (isFailure(event)) return { type: "noteFailure", address, suppress: event.suppress, at: event.at, cause };
    if (event.type === "ComplaintReceived") {
      return { type: "noteComplaint", address, reason: `the recipient complained (${event.feedbackType})`, cause };
    }
    if (event.type === "DeliverySucceeded") {
      const mayRecover = said.failed.has(stream) || readModel.failuresInARow(message.account, base) > 0;
      return mayRecover ? { type: "noteDelivery", at: event.at, cause } : undefined;
    }
    const isKnown = said.contacted.has(stream) || readModel.contacted(message.account, base);
    return isKnown ? undefined : { type: "contact" };
  };

  /** First contacts matter, and are noted, only where they are limited. */
  const matters = ({ event, message }: MessageFact): boolean =>
    isFailure(event) ||
    event.type === "DeliverySucceeded" ||
    (event.type === "ComplaintReceived" && event.suppress) ||
    (event.type === "MessageQueued" && typeof directory.account(message.account)?.firstTimeRecipientsPerDay === "number");

  return ({ facts }) => {
    const said = { failed: new Set<string>(), contacted: new Set<string>() };
    const jobs: Promise<Position>[] = [];
    for (const fact of facts) {
      if (!matters(fact)) continue;
      const { account, recipient } = fact.message;
      const base = comparable(recipient);
      const stream = recipientStream(account, base);
      const command = commandFor(fact, base, said, stream);
      if (command === undefined) continue;
      if (command.type === "contact") said.contacted.add(stream);
      else if (command.type !== "noteComplaint") said.failed.add(stream);
      jobs.push(execute(stream, command));
    }
    return lastOf(jobs);
  };
};
