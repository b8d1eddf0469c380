/** Turns what happened to a transaction into one outcome for each of its recipients. */
import type { DeliveryRecipient } from "../../domain/delivery.ts";
import type { Instant } from "../../domain/clock.ts";
import type { AttemptResult, DeliveryOutcome } from "../../domain/smtp-result.ts";
import type { Carried } from "./carry.ts";
import type { Reply } from "./reply.ts";
import type { StopReason } from "./scope.ts";
import type { Remote } from "./session.ts";
import type { Said } from "./transcript.ts";
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
  ...(remote.policy === undefined ? {} : { policy: remote.policy }),
  transport,
});

/** What an attempt that did not deliver adds: what was said, without what was said about other recipients. */
const transcript = (said: Said | undefined, recipient?: string): Pick<AttemptResult, "transcript"> =>
  said === undefined ? {} : { transcript: said(recipient) };

/** Refused, here or there. */
export const rejectedBy = (trouble: Trouble, facts: AttemptFacts, remote: Remote = NOWHERE, said?: Said, to?: string): DeliveryOutcome => ({
  kind: "rejected",
  permanent: trouble.permanent,
  result: { ...resultOf(facts, remote, trouble, trouble.text), ...transcript(said, to) },
});

export const INTERRUPTED: DeliveryOutcome = { kind: "interrupted", reason: "the server stopped before the message was handed over" };

const outcomeFor = (to: string, carried: Carried, facts: AttemptFacts, stopped: StopReason | undefined): DeliveryOutcome => {
  const { end, remote, refused, said, offersDsn } = carried;
  const own = refused.get(to);
  if (own !== undefined) return rejectedBy(own, facts, remote, said, to);
  switch (end.kind) {
    case "accepted": {
      const result = resultOf(facts, remote, end.reply.code === 0 ? { ...end.reply, code: OK } : end.reply, "");
      return { kind: "delivered", result: offersDsn === true ? { ...result, dsnPassedOn: true } : result };
    }
    case "refused":
      return rejectedBy(end.trouble, facts, remote, said, to);
    case "broken":
      if (end.dotSent) {
        const result = resultOf(facts, remote, end.trouble, end.trouble.text);
        return { kind: "uncertain", result: { ...result, ...transcript(said, to) } };
      }
      return stopped === "aborted" ? INTERRUPTED : rejectedBy(end.trouble, facts, remote, said, to);
    case "failed":
      return stopped === "aborted" ? INTERRUPTED : rejectedBy(end.trouble, facts, remote, said, to);
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
  for (const { messageId, address } of recipients) outcomes.set(messageId, outcomeFor(address, carried, facts, stopped));
};
