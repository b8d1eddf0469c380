/** Deliveries: claims due messages, hands those that may share an SMTP transaction to the courier, records what came of it. */
import type { Directory } from "../account/account.ts";
import { baseAddress, parseAddress } from "../address.ts";
import { mayBegin } from "../claim.ts";
import type { Clock, Instant } from "../clock.ts";
import type { Courier, Delivery } from "../delivery.ts";
import type { Position } from "../event-log.ts";
import type { QueuedMessage } from "../message/events.ts";
import { messageStream } from "../message/events.ts";
import type { DeliveryOutcome } from "../smtp-result.ts";
import { type DestinationPace, signOf } from "./destination-pace.ts";
import type { Messages } from "./kinds.ts";
import type { DueItem, ReadModel } from "./read-model.ts";

/** A message that this process has claimed, until `endsAt`. */
type Claimed = { readonly message: QueuedMessage; readonly attempt: number; readonly endsAt: Instant };

/** What becomes of a claim that was acknowledged so late that others may be about to try. */
const TOO_LATE: DeliveryOutcome = { kind: "interrupted", reason: "the claim was acknowledged too late" };

/** Told of every recorded end of an attempt, for metrics and logs. */
export type DeliveryObserver = (message: QueuedMessage, attempt: number, outcome: DeliveryOutcome) => void;

export type Deliveries = {
  /** Works on due items of one lane; see `perform` of the scheduler. */
  readonly perform: (items: readonly DueItem[], leaveLane?: () => void) => Promise<Position>;
};

/** Address under which a recipient is compared; the address itself for one that does not parse (it was accepted once). */
export const comparable = (recipient: string): string => {
  const address = parseAddress(recipient);
  return address === undefined ? recipient.toLowerCase() : baseAddress(address);
};

/** What the recipients of one transaction have in common, as a key. */
const groupKey = ({ message, attempt }: Claimed): string =>
  JSON.stringify([message.submissionId, message.mailFrom, message.recipientDomain, attempt, message.requireTls, message.transport]);

const deliveryOf = (group: readonly [Claimed, ...Claimed[]]): Delivery => {
  const [{ message, attempt }] = group;
  return {
    account: message.account,
    attempt,
    mailFrom: message.mailFrom,
    senderDomain: message.senderDomain,
    recipientDomain: message.recipientDomain,
    recipients: group.map(({ message: { id, recipient, notify, originalRecipient } }) => ({
      messageId: id,
      address: recipient,
      notify,
      originalRecipient,
    })),
    contentId: message.contentId,
    size: message.size,
    requireTls: message.requireTls,
    smtpUtf8: message.smtpUtf8,
    eightBit: message.eightBit,
    transport: message.transport,
    envelopeId: message.envelopeId,
    returnContent: message.returnContent,
  };
};

export const deliveries = (options: {
  readonly messages: Messages;
  readonly courier: Courier;
  readonly readModel: ReadModel;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly observe: DeliveryObserver;
  /** Hears what each transaction says about its destination. */
  readonly pace?: Pick<DestinationPace, "ticket" | "learnt">;
}): Deliveries => {
  const { messages, courier, readModel, clock, signal, observe, pace } = options;

  /** Claims one message, or ends it without an attempt when its recipient is suppressed. */
  const claim = async (item: DueItem): Promise<{ readonly position: Position; readonly claimed?: Claimed }> => {
    const { message } = (await messages.load(item.stream)).state.context;
    const base = message === undefined ? "" : comparable(message.recipient);
    const suppression = message === undefined ? undefined : readModel.suppression(message.account, base);
    const turn = await messages.execute(
      item.stream,
      suppression === undefined
        ? { type: "attempt", deadlineMs: courier.deadlineMs }
        : { type: "suppress", baseAddress: base, suppression },
    );
    // Refused: somebody else was quicker, or held or ended it.
    if (turn.kind === "refused") return { position: turn.position };
    const [effect] = turn.effects;
    const { position } = turn;
    return effect === undefined ? { position } : { position, claimed: { ...effect, endsAt: turn.state.context.nextAttemptAt } };
  };

  const record = async ({ message, attempt }: Claimed, outcome: DeliveryOutcome): Promise<Position> => {
    const failuresBefore = outcome.kind === "rejected" ? readModel.failuresInARow(message.account, comparable(message.recipient)) : 0;
    const turn = await messages.execute(messageStream(message.id), { type: "record", attempt, outcome, failuresBefore });
    observe(message, attempt, outcome);
    return turn.position;
  };

  const deliverGroup = async (lane: string, group: readonly [Claimed, ...Claimed[]], transacted: () => void): Promise<Position> => {
    const ticket = pace?.ticket() ?? 0;
    const inTime = group.every(({ endsAt }) => mayBegin(endsAt, clock.now(), courier.deadlineMs));
    const outcomes = inTime
      ? await courier.deliver(deliveryOf(group), signal)
      : new Map(group.map(({ message }) => [message.id, TOO_LATE] as const));
    pace?.learnt(lane, signOf(outcomes.values()), ticket, clock.now());
    transacted();
    const missing: DeliveryOutcome = { kind: "interrupted", reason: "the courier gave no outcome for this recipient" };
    const positions = await Promise.all(group.map((claimed) => record(claimed, outcomes.get(claimed.message.id) ?? missing)));
    return Math.max(...positions);
  };

  const perform: Deliveries["perform"] = async (items, leaveLane = () => undefined) => {
    if (signal.aborted) return 0;
    const claims = await Promise.all(items.map(claim));
    const groups = new Map<string, [Claimed, ...Claimed[]]>();
    for (const { claimed } of claims) {
      if (claimed === undefined) continue;
      const group = groups.get(groupKey(claimed));
      if (group === undefined) groups.set(groupKey(claimed), [claimed]);
      else group.push(claimed);
    }
    let open = groups.size;
    // Recording what came of it is no burden to the destination.
    const transacted = (): void => {
      open -= 1;
      if (open === 0) leaveLane();
    };
    const delivered = await Promise.all([...groups.values()].map((group) => deliverGroup(items[0]?.lane ?? "", group, transacted)));
    return Math.max(0, ...claims.map(({ position }) => position), ...delivered);
  };

  return { perform };
};
