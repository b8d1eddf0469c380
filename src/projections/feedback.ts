/** What came back about messages after attempts at them: DSNs and complaints, the other half of a delivery's history. */
import type { Instant } from "../domain/clock.ts";
import type { Recorded } from "../domain/event-log.ts";
import type { DsnAction, MatchedBy, MessageEvent } from "../domain/message/events.ts";
import { numberOf } from "./messages.ts";
import { erase, tableOf, type Fold } from "./projection.ts";

/** One report about one message. */
export type FeedbackRow = {
  readonly messageRef: number;
  /** The received message that the report came in. */
  readonly receivedId: number;
  readonly at: Instant;
  readonly matchedBy: MatchedBy;
  /** The action of a DSN, or `complained`. */
  readonly said: DsnAction | "complained";
  /** Of a complaint (RFC 5965), such as `abuse`; empty for a DSN. */
  readonly feedbackType: string;
  /** Reply that the DSN tells of; 0 and empty where it does not. */
  readonly code: number;
  readonly enhancedCode: string;
  readonly error: string;
  readonly remoteHost: string;
  /** Class of the refusal; empty without one. */
  readonly bounceClass: string;
  /** Whether it put the recipient on the suppression list, unless that was there already. */
  readonly suppressing: boolean;
};

export const FEEDBACK = tableOf<FeedbackRow>({
  name: "feedback",
  columns: {
    messageRef: "integer",
    receivedId: "integer",
    at: "integer",
    matchedBy: "text",
    said: "text",
    feedbackType: "text",
    code: "integer",
    enhancedCode: "text",
    error: "text",
    remoteHost: "text",
    bounceClass: "text",
    suppressing: "boolean",
  },
  key: ["messageRef", "receivedId"],
  indexes: [],
});

type FeedbackEvent = Extract<MessageEvent, { type: "DsnReceived" | "ComplaintReceived" }>;

const born = ({ stream, event }: Recorded<FeedbackEvent>): FeedbackRow => {
  const { receivedId, at, matchedBy } = event;
  const common = { messageRef: numberOf(stream), receivedId, at, matchedBy };
  if (event.type === "ComplaintReceived") {
    const { feedbackType, suppress } = event;
    const noReply = { code: 0, enhancedCode: "", error: "", remoteHost: "", bounceClass: "" };
    return { ...common, said: "complained", feedbackType, ...noReply, suppressing: suppress };
  }
  const { action, code, enhancedCode, error, remoteHost, bounce, suppress } = event;
  return {
    ...common,
    said: action,
    feedbackType: "",
    ...{ code, enhancedCode, error, remoteHost },
    bounceClass: bounce?.class ?? "",
    suppressing: suppress !== null,
  };
};

const fold: Fold<FeedbackRow> = {
  name: "feedback",
  tables: [FEEDBACK],
  home: () => FEEDBACK,
  types: ["DsnReceived", "ComplaintReceived"],
  keys: ({ stream, event }) => [[numberOf(stream), (event as FeedbackEvent).receivedId]],
  births: () => true,
  fold: (_row, recorded) => born(recorded as Recorded<FeedbackEvent>),
  belongsTo: "messages",
};

export const feedback = erase(fold);
