/** What reports about a message lead to: DSNs (RFC 3464) and complaints (RFC 5965) that came back after an attempt at it. */
import { classify } from "./bounce.ts";
import type { MessageCommand, MessageTerms } from "./commands.ts";
import type { MatchedBy, MessageEvent } from "./events.ts";
import type { MessageState } from "./machine.ts";
import { suppressionDecision } from "./suppressing.ts";

type CommandOf<Type extends MessageCommand["type"]> = Extract<MessageCommand, { type: Type }>;
type Events = readonly MessageEvent[];

/** What a feedback type (RFC 5965 section 7.3, RFC 6591 section 3.1) says about whoever got the message. */
const FEEDBACK: Readonly<Record<string, "complaint" | "remark" | "nothing">> = {
  abuse: "complaint",
  fraud: "complaint",
  virus: "complaint",
  "opt-out": "complaint",
  "opt-out-list": "complaint",
  other: "remark",
  "not-spam": "nothing",
  // A receiver's report on DKIM, SPF or DMARC, which no person asked for.
  "auth-failure": "nothing",
};

const meaningOf = (feedbackType: string): "complaint" | "remark" | "nothing" =>
  Object.hasOwn(FEEDBACK, feedbackType) ? (FEEDBACK[feedbackType] ?? "remark") : "remark";

/** Whether somebody complains in a report of this type, in lower case. A type that nobody knows is read as `other`. */
export const isComplaint = (feedbackType: string): boolean => meaningOf(feedbackType) !== "nothing";

/** Whether the match cannot have been made up by somebody who only knows the address and the Message-ID. */
export const isTrusted = (matchedBy: MatchedBy): boolean => matchedBy !== "message-id";

/** One report is noted once, however often the reaction to it runs. */
const isNoted = ({ context }: MessageState, receivedId: number): boolean => context.reports.includes(receivedId);

/** The DSN as an event, with what it means for the suppression list. */
export const noteDsn = (
  { receivedId, matchedBy, news, failuresBefore, isListed }: CommandOf<"noteDsn">,
  state: MessageState,
  { now: at, callIds }: MessageTerms,
): Events => {
  if (isNoted(state, receivedId)) return [];
  const { action, code, enhancedCode, error } = news;
  const maySuppress = action === "failed" && isTrusted(matchedBy) && !isListed;
  const suppress = maySuppress ? suppressionDecision(code, enhancedCode, failuresBefore) : null;
  const bounce = action === "failed" || action === "delayed" ? classify(code, enhancedCode, error) : null;
  return [{ type: "DsnReceived", at, receivedId, matchedBy, ...news, bounce, suppress, callId: callIds[0] }];
};

/** The complaint as an event; none for a report in which nobody complains. */
export const noteComplaint = (
  { receivedId, matchedBy, feedbackType, isListed }: CommandOf<"noteComplaint">,
  state: MessageState,
  { now: at, callIds }: MessageTerms,
): Events => {
  const meaning = meaningOf(feedbackType);
  if (meaning === "nothing" || isNoted(state, receivedId)) return [];
  const suppress = meaning === "complaint" && isTrusted(matchedBy) && !isListed;
  return [{ type: "ComplaintReceived", at, receivedId, matchedBy, feedbackType, suppress, callId: callIds[0] }];
};
