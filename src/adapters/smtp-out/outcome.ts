/** Turns what happened to a transaction into one outcome for each of its recipients. */
import type { DeliveryRecipient } from "../../domain/delivery.ts";
import type { Instant } from "../../domain/clock.ts";
import type { AttemptResult, DeliveryOutcome } from "../../domain/smtp-result.ts";
import type { Carried } from "./carry.ts";
import type { Reply } from "./reply.ts";
import type { StopReason } from "./scope.ts";
import type { Remote } from "./session.ts";
import type { Trouble } from "./trouble.ts";

/** What all results of an attempt have in common. */
export type AttemptFacts = { readonly startedAt: Instant; readonly endedAt: Instant; readonly transport: string };

const NOWHERE: Remote = { host: "", address: "" };
const OK = 250;

const resultOf = (
  { startedAt, endedAt, transport }: AttemptFacts,
  remote: Remote,
  { code, enhancedCode }: Reply,
  error: string,
): AttemptResult => ({
  startedAt,
  // The machine's clock may have been set back meanwhile.
  durationMs: Math.max(0, endedAt - startedAt),
  code,
  enhancedCode,
  error,
  remoteHost: remote.address === "" ? "" : remote.host,
  remoteAddress: remote.address,
  ...(remote.tls === undefined ? {} : { tls: remote.tls }),
  transport,
});

/** Refused, here or there. */
export const rejectedBy = (trouble: Trouble, facts: AttemptFacts, remote: Remote = NOWHERE): DeliveryOutcome => ({
  kind: "rejected",
  permanent: trouble.permanent,
  result: resultOf(facts, remote, trouble, trouble.text),
});

export const INTERRUPTED: DeliveryOutcome = { kind: "interrupted", reason: "the server stopped before the message was handed over" };

const commonOutcome = ({ end, remote }: Carried, facts: AttemptFacts, stopped: StopReason | undefined): DeliveryOutcome => {
  switch (end.kind) {
    case "accepted":
      return { kind: "delivered", result: resultOf(facts, remote, end.reply.code === 0 ? { ...end.reply, code: OK } : end.reply, "") };
    case "refused":
      return rejectedBy(end.trouble, facts, remote);
    case "broken":
      if (end.dotSent) return { kind: "uncertain", result: resultOf(facts, remote, end.trouble, end.trouble.text) };
      return stopped === "aborted" ? INTERRUPTED : rejectedBy(end.trouble, facts, remote);
    case "failed":
      return stopped === "aborted" ? INTERRUPTED : rejectedBy(end.trouble, facts, remote);
  }
};

/** Adds the outcomes of a transaction to `outcomes`, by message id. */
export const recordOutcomes = (
  outcomes: Map<number, DeliveryOutcome>,
  recipients: readonly DeliveryRecipient[],
  carried: Carried,
  facts: AttemptFacts,
  stopped: StopReason | undefined,
): void => {
  const common = commonOutcome(carried, facts, stopped);
  for (const { messageId, address } of recipients) {
    const refused = carried.refused.get(address);
    outcomes.set(messageId, refused === undefined ? common : rejectedBy(refused, facts, carried.remote));
  }
};
