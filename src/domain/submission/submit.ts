/** Queueing a submission: the account's limits, hold rules and unique MAIL FROMs, then one durable append for all recipients. */
import type { Account, Directory } from "../account/account.ts";
import { formatAddress, type Address } from "../address.ts";
import type { Clock, Instant } from "../clock.ts";
import { contentSize } from "../event-log.ts";
import { HOLD_RULES_STREAM } from "../holdrule/events.ts";
import { byRule, matchingRule } from "../holdrule/hold-rules.ts";
import type { IdSource } from "../ids.ts";
import { MAX_ATTEMPTS } from "../message/backoff.ts";
import { messageStream, type MessageEvent, type QueuedMessage } from "../message/events.ts";
import { comparable } from "../runtime/deliveries.ts";
import type { HoldRuleSet, Messages } from "../runtime/kinds.ts";
import type { Allowance } from "./allowance.ts";
import type { Submission, SubmissionRefusal, SubmissionResult, Submit } from "./submission.ts";

export type SubmitOptions = {
  readonly messages: Messages;
  readonly holdRules: HoldRuleSet;
  readonly allowance: Allowance;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly nextId: IdSource;
  /** A fresh fromid: 16 random octets, base64url without padding. */
  readonly newFromId: () => string;
};

const refuse = (reason: SubmissionRefusal["reason"], detail: string): SubmissionResult => ({
  accepted: false,
  refusal: { reason, detail },
});

/** Local part before the domain's separator: what a fromid is put behind. */
const localBase = ({ localPart }: Address, separator: string): string => {
  const at = localPart.indexOf(separator);
  return at > 0 ? localPart.slice(0, at) : localPart;
};

/** Ids taken already mean that a clock stepped back over a restart: fresh ones will do. */
const MAX_ID_COLLISIONS = 8;

export const submitter = ({ messages, holdRules, allowance, directory, clock, nextId, newFromId }: SubmitOptions): Submit => {
  const check = ({ account, from, recipients }: Submission): SubmissionResult | undefined => {
    const domain = directory.domain(from.domain);
    if (domain === undefined || directory.accountOf(from)?.name !== account.name)
      return refuse("badFrom", `${from.text} is not an address of this account`);
    if (domain.disabled) return refuse("domainDisabled", `domain ${domain.name} is disabled`);
    if (recipients.length === 0) return refuse("noRecipients", "at least one recipient is needed");
    return undefined;
  };

  const usesFromIds = (account: Account, login: Address): boolean => account.fromIdLoginAddresses.includes(login.text);

  /** One MAIL FROM per recipient, or the same for all without fromids. */
  const senderFor = ({ account, login, from }: Submission): (() => { mailFrom: string; fromId: string }) | undefined => {
    if (!usesFromIds(account, login)) return () => ({ mailFrom: from.text, fromId: "" });
    const separator = directory.domain(from.domain)?.catchAllSeparator ?? null;
    if (separator === null) return undefined;
    const base = localBase(from, separator);
    return () => {
      const fromId = newFromId();
      return { mailFrom: formatAddress(`${base}${separator}${fromId}`, from.domain), fromId };
    };
  };

  const common = (submission: Submission, now: Instant) => {
    const { account, from, content, messageId, subject, extra, requireTls, smtpUtf8, eightBit, releaseAt, source } = submission;
    return {
      submissionId: nextId(),
      account: account.name,
      from: from.text,
      senderDomain: from.domain,
      contentId: nextId(),
      size: contentSize(content),
      messageId,
      subject,
      extra,
      requireTls,
      smtpUtf8,
      eightBit,
      transport: null,
      nextAttemptAt: releaseAt === null ? now : Math.max(now, releaseAt),
      maxAttempts: MAX_ATTEMPTS,
      source,
      envelopeId: newFromId(),
      notify: null,
      returnContent: null,
      originalRecipient: "",
    };
  };

  const queue = async (submission: Submission, sender: () => { mailFrom: string; fromId: string }): Promise<SubmissionResult> => {
    const { state: rules } = await holdRules.load(HOLD_RULES_STREAM);
    for (let collisions = 0; collisions < MAX_ID_COLLISIONS; collisions += 1) {
      const at = clock.now();
      const shared = common(submission, at);
      const births = submission.recipients.map((recipient) => {
        const message: QueuedMessage = {
          ...shared,
          ...sender(),
          id: nextId(),
          recipient: recipient.text,
          recipientDomain: recipient.domain,
        };
        const rule = matchingRule(rules, message);
        const events: MessageEvent[] = [{ type: "MessageQueued", at, ...message }];
        if (rule !== undefined) events.push({ type: "MessageHeld", at, by: byRule(rule) });
        return { message, stream: messageStream(message.id), events, isWaiting: rule !== undefined || message.nextAttemptAt > at };
      });
      const position = await messages.create(births, [{ id: shared.contentId, pieces: submission.content }]);
      if (position === false) continue;
      const queued = births.map(({ message: { id, recipient, fromId } }) => ({ id, recipient, fromId }));
      return { accepted: true, submissionId: shared.submissionId, queued };
    }
    throw new Error("every new message id was taken already: is the clock far behind the log?");
  };

  return async (submission) => {
    const refusal = check(submission);
    if (refusal !== undefined) return refusal;
    const sender = senderFor(submission);
    if (sender === undefined)
      return refuse("fromIdImpossible", `domain ${submission.from.domain} has no catch-all separator, which a unique MAIL FROM needs`);
    const bases = submission.recipients.map(({ text }) => comparable(text));
    const reservation = allowance.reserve(submission.account, bases, contentSize(submission.content));
    if (!reservation.granted) return { accepted: false, refusal: reservation.refusal };
    try {
      const result = await queue(submission, sender);
      reservation.settle();
      return result;
    } catch (error) {
      reservation.release();
      throw error;
    }
  };
};
