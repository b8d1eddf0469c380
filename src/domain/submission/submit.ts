/** Queueing a submission: the account's limits, hold rules and unique MAIL FROMs, then one durable append for all recipients. */
import type { Directory } from "../account/account.ts";
import { needsSmtpUtf8, type Address } from "../address.ts";
import type { Clock, Instant } from "../clock.ts";
import { contentSize, type Position } from "../event-log.ts";
import { HOLD_RULES_STREAM } from "../holdrule/events.ts";
import { byRule, matchingRule } from "../holdrule/hold-rules.ts";
import type { IdSource } from "../ids.ts";
import { MAX_ATTEMPTS } from "../message/backoff.ts";
import { messageStream, type MessageEvent, type QueuedMessage } from "../message/events.ts";
import { comparable } from "../runtime/deliveries.ts";
import type { HoldRuleSet, Messages } from "../runtime/kinds.ts";
import type { Allowance } from "./allowance.ts";
import type { ChosenFromIds, FromIdClaim } from "./chosen-from-ids.ts";
import { envelopeIdOf } from "./envelope-id.ts";
import { senderPlan, type Sender } from "./sender.ts";
import { sentCopyOctets, sentCopyOf } from "./sent-copy.ts";
import type { Submission, SubmissionRefusal, SubmissionResult, Submit } from "./submission.ts";

export type SubmitOptions = {
  readonly messages: Messages;
  readonly holdRules: HoldRuleSet;
  readonly allowance: Allowance;
  readonly chosenFromIds: ChosenFromIds;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly nextId: IdSource;
  /** A fresh fromid: 16 random octets, base64url without padding. */
  readonly newFromId: () => string;
  /** Told of messages that are stored and due now. */
  readonly onDue?: (messages: readonly QueuedMessage[], position: Position) => void;
};

const refuse = (reason: SubmissionRefusal["reason"], detail: string): SubmissionResult => ({
  accepted: false,
  refusal: { reason, detail },
});

type QueuedEvent = Extract<MessageEvent, { type: "MessageQueued" }>;

const NO_WISH = { notify: null, originalRecipient: "" } as const;

/** Ids taken already mean that a clock stepped back over a restart: fresh ones will do. */
const MAX_ID_COLLISIONS = 8;

/** What the messages of a submission have in common. */
const common = (submission: Submission, at: Instant, { nextId, newFromId }: Pick<SubmitOptions, "nextId" | "newFromId">) => {
  const { content, releaseAt, envelope } = submission;
  const submissionId = nextId();
  return {
    at,
    submissionId,
    contentId: nextId(),
    size: contentSize(content),
    nextAttemptAt: releaseAt === null ? at : Math.max(at, releaseAt),
    envelopeId: envelope === undefined || envelope.envelopeId === "" ? envelopeIdOf(submissionId, newFromId()) : envelope.envelopeId,
    returnContent: envelope?.returnContent ?? null,
  };
};

/** The first event of a message. Its fields are written out: spreading objects costs several times as much, for each recipient. */
const queuedFor = (
  recipient: Address,
  index: number,
  own: { readonly id: number; readonly sender: Sender },
  submission: Submission,
  shared: ReturnType<typeof common>,
): QueuedEvent => {
  const { notify, originalRecipient } = submission.envelope?.wishes[index] ?? NO_WISH;
  return {
    type: "MessageQueued",
    at: shared.at,
    id: own.id,
    submissionId: shared.submissionId,
    account: submission.account.name,
    mailFrom: own.sender.mailFrom,
    from: submission.from.text,
    recipient: recipient.text,
    recipientDomain: recipient.domain,
    senderDomain: submission.from.domain,
    fromId: own.sender.fromId,
    contentId: shared.contentId,
    size: shared.size,
    messageId: submission.messageId,
    subject: submission.subject,
    extra: submission.extra,
    requireTls: submission.requireTls,
    smtpUtf8: submission.smtpUtf8 || needsSmtpUtf8(recipient),
    eightBit: submission.eightBit,
    transport: null,
    nextAttemptAt: shared.nextAttemptAt,
    maxAttempts: MAX_ATTEMPTS,
    source: submission.source,
    envelopeId: shared.envelopeId,
    notify,
    returnContent: shared.returnContent,
    originalRecipient,
  };
};

export const submitter = (options: SubmitOptions): Submit => {
  const { messages, holdRules, allowance, directory, clock, nextId, newFromId, onDue } = options;

  const check = ({ account, from, recipients }: Submission): SubmissionResult | undefined => {
    const domain = directory.domain(from.domain);
    if (domain === undefined || directory.accountOf(from)?.name !== account.name)
      return refuse("badFrom", `${from.text} is not an address of this account`);
    if (domain.disabled) return refuse("domainDisabled", `domain ${domain.name} is disabled`);
    if (recipients.length === 0) return refuse("noRecipients", "at least one recipient is needed");
    return undefined;
  };

  const queue = async (submission: Submission, nextSender: () => Sender): Promise<SubmissionResult> => {
    const { state: rules } = await holdRules.load(HOLD_RULES_STREAM);
    for (let collisions = 0; collisions < MAX_ID_COLLISIONS; collisions += 1) {
      const at = clock.now();
      const shared = common(submission, at, options);
      const births = submission.recipients.map((recipient, index) => {
        const message = queuedFor(recipient, index, { id: nextId(), sender: nextSender() }, submission, shared);
        const rule = matchingRule(rules, message);
        const events: MessageEvent[] = rule === undefined ? [message] : [message, { type: "MessageHeld", at, by: byRule(rule) }];
        return { message, stream: messageStream(message.id), events, isWaiting: rule !== undefined || message.nextAttemptAt > at };
      });
      const copy = sentCopyOf(submission, { at, contentId: shared.contentId, nextId, directory });
      const contents = [{ id: shared.contentId, pieces: submission.content }, ...(copy?.contents ?? [])];
      const position = await messages.create(births, contents, copy === undefined ? [] : [copy.write]);
      if (position === false) continue;
      onDue?.(
        births.flatMap(({ message, isWaiting }) => (isWaiting ? [] : [message])),
        position,
      );
      const queued = births.map(({ message: { id, recipient, fromId } }) => ({ id, recipient, fromId }));
      return { accepted: true, submissionId: shared.submissionId, queued };
    }
    throw new Error("every new message id was taken already: is the clock far behind the log?");
  };

  /** A fromid that the submitter chose stands for one message, and nobody else may have it. */
  const claimFor = (chosen: string, { recipients }: Submission): FromIdClaim | SubmissionResult | undefined => {
    if (chosen === "") return undefined;
    if (recipients.length > 1) return refuse("fromIdImpossible", "a MAIL FROM with a fromid is for one recipient");
    return options.chosenFromIds.claim(chosen) ?? refuse("fromIdImpossible", `the fromid ${chosen} is another message's`);
  };

  return async (submission) => {
    const refusal = check(submission);
    if (refusal !== undefined) return refusal;
    const plan = senderPlan(submission, directory, newFromId);
    if (!plan.possible) return refuse("fromIdImpossible", plan.detail);
    const claim = claimFor(plan.chosen, submission);
    if (claim !== undefined && "accepted" in claim) return claim;
    const bases = submission.recipients.map(({ text }) => comparable(text));
    const octets = { message: contentSize(submission.content), copy: sentCopyOctets(submission) };
    const reservation = allowance.reserve(submission.account, bases, octets);
    if (!reservation.granted) {
      claim?.release();
      return { accepted: false, refusal: reservation.refusal };
    }
    try {
      const { copyFits } = reservation;
      const result = await queue(copyFits ? submission : { ...submission, sentCopy: undefined }, plan.next);
      reservation.settle();
      claim?.settle();
      return !copyFits && result.accepted ? { ...result, copyLeftOut: true } : result;
    } catch (error) {
      reservation.release();
      claim?.release();
      throw error;
    }
  };
};
