/**
 * What an account may still send today, and whether a copy of it may be kept. The views know what was sent; what was granted
 * in the last moments, which they have not seen yet, is remembered here, so that a burst cannot slip past the limit.
 */
import type { Account } from "../account/account.ts";
import type { Clock, Instant } from "../clock.ts";
import { DAY_MS } from "../clock.ts";
import type { EventLog, Position } from "../event-log.ts";
import type { ReadModel } from "../runtime/read-model.ts";
import type { SubmissionRefusal } from "./submission.ts";

export type Reservation =
  | {
      readonly granted: true;
      /** Whether the account's storage has room for the copy that is asked for; true when none is. */
      readonly copyFits: boolean;
      /** The submission is stored: the views will count it. */
      readonly settle: () => void;
      /** It was not stored. */
      readonly release: () => void;
    }
  | { readonly granted: false; readonly refusal: SubmissionRefusal };

/** What a submission stores, octets. */
export type Octets = {
  readonly message: number;
  /** What its copy in the Sent mailbox takes besides; undefined when none is asked for. */
  readonly copy?: number | undefined;
};

export type Allowance = {
  /**
   * Grants a submission to these recipients (base addresses) or says which limit stands against it. The storage quota is
   * none of these: it is for what an account keeps, and a full mailbox stops nobody from sending.
   */
  readonly reserve: (account: Account, recipients: readonly string[], octets: Octets) => Reservation;
};

/** A grant that the views may not show yet; `storedAt` is a position at or after its events, once stored. */
type Grant = {
  readonly at: Instant;
  readonly messages: number;
  readonly octets: number;
  readonly newRecipients: readonly string[];
  storedAt: Position | undefined;
};

const ALWAYS: Reservation = { granted: true, copyFits: true, settle: () => undefined, release: () => undefined };

const isUnlimited = ({ messagesPerDay, firstTimeRecipientsPerDay, storageQuota }: Account): boolean =>
  messagesPerDay === null && firstTimeRecipientsPerDay === null && storageQuota === null;

export const allowance = (options: { readonly log: EventLog; readonly readModel: ReadModel; readonly clock: Clock }): Allowance => {
  const { log, readModel, clock } = options;
  const grants = new Map<string, Set<Grant>>();

  /** Grants still unseen: a first contact is noted by a reaction, so its grant stays until the views show it. */
  const unseen = (account: string): Set<Grant> => {
    const mine = grants.get(account) ?? new Set<Grant>();
    for (const grant of mine) {
      const counted = grant.storedAt !== undefined && grant.storedAt <= readModel.position();
      const shown = counted && grant.newRecipients.every((base) => readModel.contacted(account, base));
      if (shown || grant.at <= clock.now() - DAY_MS) mine.delete(grant);
    }
    grants.set(account, mine);
    return mine;
  };

  const reserve: Allowance["reserve"] = (account, recipients, octets) => {
    if (isUnlimited(account)) return ALWAYS;
    const { name, messagesPerDay, firstTimeRecipientsPerDay, storageQuota } = account;
    const mine = unseen(name);
    const used = readModel.usage(name, clock.now() - DAY_MS);
    const pending = [...mine].filter(({ storedAt }) => storedAt === undefined || storedAt > readModel.position());
    const refusal = (reason: SubmissionRefusal["reason"], detail: string): Reservation => ({ granted: false, refusal: { reason, detail } });

    const messages = used.messages + pending.reduce((sum, grant) => sum + grant.messages, 0);
    if (messagesPerDay !== null && messages + recipients.length > messagesPerDay) {
      return refusal("messageLimitReached", `the limit of ${messagesPerDay} messages in 24 hours is reached`);
    }
    const promised = new Set([...mine].flatMap(({ newRecipients }) => newRecipients).filter((base) => !readModel.contacted(name, base)));
    const limitsRecipients = firstTimeRecipientsPerDay !== null;
    const newRecipients = limitsRecipients
      ? [...new Set(recipients)].filter((base) => !promised.has(base) && !readModel.contacted(name, base))
      : [];
    if (
      limitsRecipients &&
      newRecipients.length > 0 &&
      used.firstContacts + promised.size + newRecipients.length > firstTimeRecipientsPerDay
    ) {
      return refusal("recipientLimitReached", `the limit of ${firstTimeRecipientsPerDay} first-time recipients in 24 hours is reached`);
    }
    const { message, copy } = octets;
    const stored = (): number => readModel.storedOctets(name) + pending.reduce((sum, grant) => sum + grant.octets, 0);
    const copyFits = copy === undefined || storageQuota === null || stored() + message + copy <= storageQuota;

    const grant: Grant = {
      at: clock.now(),
      messages: recipients.length,
      octets: message + (copyFits ? (copy ?? 0) : 0),
      newRecipients,
      storedAt: undefined,
    };
    mine.add(grant);
    return {
      granted: true,
      copyFits,
      settle: () => {
        grant.storedAt = log.head();
      },
      release: () => void mine.delete(grant),
    };
  };

  return { reserve };
};
