/**
 * One line for each attempt to deliver a message or to make a webhook call, with the ids that lead to its history.
 * Addresses and URLs stay out: they are in the history, for those who may see it.
 */
import type { Logger } from "pino";

import { classify } from "../../domain/message/bounce.ts";
import type { QueuedMessage } from "../../domain/message/events.ts";
import type { DeliveryOutcome } from "../../domain/smtp-result.ts";
import type { CallOutcome } from "../../domain/webhook/caller.ts";
import type { QueuedCall } from "../../domain/webhook/events.ts";

export type AttemptLog = {
  readonly delivery: (
    message: Pick<QueuedMessage, "id" | "account" | "recipientDomain">,
    attempt: number,
    outcome: DeliveryOutcome,
  ) => void;
  readonly call: (call: Pick<QueuedCall, "id" | "account" | "host" | "messageRef">, attempt: number, outcome: CallOutcome) => void;
};

const deliveryFields = (outcome: DeliveryOutcome): Readonly<Record<string, unknown>> => {
  if (outcome.kind === "interrupted") return { reason: outcome.reason };
  const { code, enhancedCode, error, durationMs, remoteHost, remoteAddress, transport, tls } = outcome.result;
  const bounceClass = outcome.kind === "rejected" ? classify(code, enhancedCode, error)?.class : undefined;
  const facts = { code, enhancedCode, error, durationMs, remoteHost, remoteAddress, transport, tls: tls?.version ?? "none" };
  return bounceClass === undefined ? facts : { ...facts, bounceClass };
};

const deliverySaid = (outcome: DeliveryOutcome): string => {
  switch (outcome.kind) {
    case "delivered":
      return "message delivered";
    case "rejected":
      return outcome.permanent || outcome.result.code >= 500 ? "message refused" : "message not delivered";
    case "uncertain":
      return "message perhaps delivered";
    case "interrupted":
      return "delivery interrupted";
  }
};

/** Logs attempts at `info`, those that are stopped with the server at `debug`, uncertain ones at `warn`. */
export const attemptLog = (log: Pick<Logger, "debug" | "info" | "warn">): AttemptLog => ({
  delivery: ({ id, account, recipientDomain }, attempt, outcome) => {
    const level = outcome.kind === "interrupted" ? "debug" : outcome.kind === "uncertain" ? "warn" : "info";
    log[level]({ messageId: id, account, recipientDomain, attempt, ...deliveryFields(outcome) }, deliverySaid(outcome));
  },
  call: ({ id, account, host, messageRef }, attempt, outcome) => {
    const ids = { callId: id, messageId: messageRef, account, host, attempt };
    if (outcome.kind === "interrupted") {
      log.debug({ ...ids, reason: outcome.reason }, "webhook call interrupted");
      return;
    }
    const { status, error, durationMs } = outcome.result;
    const isSuccess = status >= 200 && status < 300;
    log.info({ ...ids, status, error, durationMs }, isSuccess ? "webhook called" : "webhook call failed");
  },
});

/** A logger for one message. */
export const messageLogger = (log: Logger, messageId: number): Logger => log.child({ messageId });

/** A logger for one webhook call. */
export const callLogger = (log: Logger, callId: number): Logger => log.child({ callId });
