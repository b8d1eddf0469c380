/** Which webhook call, if any, tells an account about an event of its message. */
import type { MessageEvent, QueuedMessage } from "../message/events.ts";
import type { AttemptResult } from "../smtp-result.ts";
import type { OutgoingEvent, OutgoingPayload } from "../webhook/events.ts";

/** The event's own part of the call. */
export type Notification = { readonly callId: number; readonly payload: OutgoingPayload };

type Reply = Pick<AttemptResult, "code" | "enhancedCode" | "error">;

type Told = {
  readonly event: OutgoingEvent;
  readonly dsn?: boolean;
  readonly suppressing?: boolean;
  readonly result?: Reply;
  readonly error?: string;
};

const OUTCOME_UNKNOWN =
  "the connection broke after the message was sent and before it was acknowledged: whether it was delivered is unknown";

/** A status of success that came without a reply is no code for the client. */
const codesOf = (dsn: Reply): Reply => (dsn.code === 0 && dsn.enhancedCode.startsWith("2.") ? { ...dsn, enhancedCode: "" } : dsn);

const told = (event: MessageEvent): (Told & { readonly callId: number }) | undefined => {
  switch (event.type) {
    case "DeliverySucceeded":
      // The contract has codes for errors only: a client may take any code for one.
      return { event: "delivered", callId: event.callId };
    case "DeliveryDeferred":
      return { event: "delayed", callId: event.callId, result: event.result };
    case "DeliveryUncertain":
      // With "stop" the failure that follows says it all.
      return event.policy === "stop" ? undefined : { event: "delayed", callId: event.callId, result: event.result, error: OUTCOME_UNKNOWN };
    case "DeliveryFailed":
      return { event: "failed", callId: event.callId, result: event.result, suppressing: event.suppress !== null };
    case "MessageFailed":
      return { event: "failed", callId: event.callId, error: event.reason };
    case "MessageSuppressed":
      return { event: "suppressed", callId: event.callId, error: `recipient is on the suppression list as ${event.baseAddress}` };
    case "MessageCanceled":
      return { event: "canceled", callId: event.callId };
    case "DsnReceived":
      return { event: event.action, dsn: event.isDsn, callId: event.callId, result: codesOf(event), suppressing: event.suppress !== null };
    case "ComplaintReceived":
      return {
        event: "complained",
        callId: event.callId,
        error: `the recipient complained (${event.feedbackType})`,
        suppressing: event.suppress,
      };
    default:
      return undefined;
  }
};

/** The notification that an event of this message gives rise to; undefined for events that nobody is told about. */
export const notificationOf = (event: MessageEvent, message: QueuedMessage): Notification | undefined => {
  const news = told(event);
  if (news === undefined) return undefined;
  const { callId, result } = news;
  return {
    callId,
    payload: {
      event: news.event,
      dsn: news.dsn ?? false,
      suppressing: news.suppressing ?? false,
      queueMsgId: message.id,
      fromId: message.fromId,
      messageId: message.messageId,
      subject: message.subject,
      smtpCode: result?.code ?? 0,
      smtpEnhancedCode: result?.enhancedCode ?? "",
      error: news.error ?? result?.error ?? "",
      extra: message.extra,
      bounceClass: "bounce" in event ? (event.bounce?.class ?? "") : "",
    },
  };
};
