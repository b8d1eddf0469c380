/**
 * Random logs that the state machines allow: many messages, calls, recipients and rules, their events interleaved. Made
 * from a list of numbers, so that a failing one shrinks.
 */
import type { DomainEvent, DomainEventType } from "../../../src/domain/events.ts";
import type { Recorded } from "../../../src/domain/event-log.ts";
import { DAY_MS, MINUTE_MS } from "../../../src/domain/clock.ts";
import { HOLD_RULES_STREAM } from "../../../src/domain/holdrule/events.ts";
import { messageStream, type MessageEvent, type MessageEventType } from "../../../src/domain/message/events.ts";
import { canBefallMessage, evolveMessage, unbornMessage, type MessageState } from "../../../src/domain/message/machine.ts";
import { MAILBOXES, receivedStream, type ReceivedEvent } from "../../../src/domain/received/events.ts";
import { evolveReceived, unbornReceived, type ReceivedState } from "../../../src/domain/received/machine.ts";
import { recipientStream, type RecipientEvent } from "../../../src/domain/recipient/events.ts";
import { envelopeIdOf } from "../../../src/domain/submission/envelope-id.ts";
import { canBefallWebhook, evolveWebhook, unbornWebhook, type WebhookState } from "../../../src/domain/webhook/machine.ts";
import { webhookStream, type WebhookEvent, type WebhookEventType } from "../../../src/domain/webhook/events.ts";
import {
  aCall,
  aMessage,
  aReceivedMessage,
  anIncomingCall,
  called,
  happened,
  messageSamples,
  NOON,
  operator,
  smtpResult,
  webhookSamples,
} from "../../support/samples.ts";

export const ACCOUNTS = ["shop", "club"];
export const DOMAINS = ["there.example", "elsewhere.example", "far.example"];
export const SENDERS = ["shop.example", "club.example"];
export const PEOPLE = ["ann", "bob"];
export const ENVELOPES = ["", "env-1", "env-2", "7.looks-like-our-own"];
export const MESSAGE_IDS = ["<1@shop.example>", "<2@shop.example>"];

/** A log, and everything that tests ask about. */
export type RandomLog = {
  readonly events: readonly Recorded[];
  readonly messageIds: readonly number[];
  readonly callIds: readonly number[];
  readonly contentIds: readonly number[];
};

/** Endless small decisions out of one number. */
const dice = (seed: number) => {
  let state = seed >>> 0;
  return (sides: number): number => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) % sides;
  };
};

type Roll = ReturnType<typeof dice>;

const pick = <T>(roll: Roll, from: readonly T[]): T => {
  const one = from[roll(from.length)];
  if (one === undefined) throw new Error("nothing to pick from");
  return one;
};

const ENDINGS: ReadonlySet<string> = new Set<DomainEventType>([
  "DeliverySucceeded",
  "DeliveryFailed",
  "MessageSuppressed",
  "MessageFailed",
  "MessageCanceled",
  "WebhookDelivered",
  "WebhookFailed",
  "WebhookCanceled",
]);

/** Attempts are what leads to most of the rest. */
const OFTEN: readonly string[] = ["DeliveryAttempted", "WebhookAttempted"];

/** A type out of those that are possible now; undefined when nothing is. */
const pickType = <Type extends string>(roll: Roll, possible: readonly Type[]): Type | undefined => {
  const often = possible.find((type) => OFTEN.includes(type));
  if (often !== undefined && roll(2) === 0) return often;
  return possible.length === 0 ? undefined : pick(roll, possible);
};

const MESSAGE_TYPES = Object.keys(messageSamples).filter(
  (type) => type !== "MessageQueued" && type !== "MessageRetired",
) as MessageEventType[];
const CALL_TYPES = Object.keys(webhookSamples).filter(
  (type) => type !== "WebhookQueued" && type !== "WebhookRetired",
) as WebhookEventType[];

export const randomLog = (seeds: readonly number[]): RandomLog => {
  const events: Recorded[] = [];
  const revisions = new Map<string, number>();
  const messages = new Map<number, MessageState>();
  const calls = new Map<number, WebhookState>();
  const mail = new Map<number, ReceivedState>();
  const recipients = new Map<string, { failures: number; suppressed: boolean }>();
  const rules = new Set<number>();
  const contentIds: number[] = [];
  let nextId = 1;
  let at = NOON;

  const record = (stream: string, event: DomainEvent): void => {
    const revision = (revisions.get(stream) ?? -1) + 1;
    revisions.set(stream, revision);
    // Positions have gaps, as the port allows.
    events.push({ position: (events.at(-1)?.position ?? 0) + 1 + (events.length % 3 === 0 ? 2 : 0), stream, revision, event });
  };

  const message = (id: number, event: MessageEvent): void => {
    messages.set(id, evolveMessage(messages.get(id) ?? unbornMessage, event));
    record(messageStream(id), event);
    if (ENDINGS.has(event.type)) message(id, happened("MessageRetired", { at, keepUntil: at + DAY_MS }));
  };

  const call = (id: number, event: WebhookEvent): void => {
    const state = evolveWebhook(calls.get(id) ?? unbornWebhook, event);
    calls.set(id, state);
    record(webhookStream(id), event);
    if (ENDINGS.has(event.type) || state.value === "superseded") call(id, called("WebhookRetired", { at, keepUntil: at + DAY_MS }));
  };

  const queueMessage = (roll: Roll): void => {
    const shared = [...messages.values()].at(-1)?.context.message;
    const contentId = shared !== undefined && roll(3) === 0 ? shared.contentId : nextId++;
    contentIds.push(contentId);
    const [account, size] = shared?.contentId === contentId ? [shared.account, shared.size] : [pick(roll, ACCOUNTS), 100 + roll(50)];
    const recipientDomain = pick(roll, DOMAINS);
    const senderDomain = pick(roll, SENDERS);
    const submissionId = shared !== undefined && roll(2) === 0 ? shared.submissionId : nextId++;
    const id = nextId++;
    const changes = {
      submissionId,
      id,
      contentId,
      account,
      size,
      recipientDomain,
      senderDomain,
      recipient: `${pick(roll, PEOPLE)}@${recipientDomain}`,
      from: `${pick(roll, PEOPLE)}@${senderDomain}`,
      transport: roll(4) === 0 ? "relay" : null,
      nextAttemptAt: at + roll(3) * MINUTE_MS,
      fromId: roll(2) === 0 ? "" : `from-${id}`,
      envelopeId: roll(2) === 0 ? pick(roll, ENVELOPES) : envelopeIdOf(submissionId, "nobody-knows-this"),
      messageId: pick(roll, MESSAGE_IDS),
    };
    message(id, { type: "MessageQueued", at, ...aMessage(changes) });
  };

  const queueCall = (roll: Roll): void => {
    const messageRef = pick(roll, [...messages.keys()]);
    const open = [...calls].filter(([, { context }]) => context.call?.messageRef === messageRef).map(([id]) => id);
    const after = roll(2) === 0 ? (open.at(-1) ?? null) : null;
    const id = nextId++;
    call(id, { type: "WebhookQueued", at, ...aCall({ id, messageRef, after, account: pick(roll, ACCOUNTS), host: pick(roll, DOMAINS) }) });
  };

  /** What varies in an event: the attempt it is about, and when the next one is. */
  const details = (roll: Roll, sample: object, attempts: number) => ({
    at,
    ...("attempt" in sample && { attempt: attempts }),
    ...("receivedId" in sample && { receivedId: nextId++ }),
    ...("nextAttemptAt" in sample && { nextAttemptAt: at + roll(5) * MINUTE_MS }),
  });

  /** Something new about a message or call, if its chart allows anything. */
  const goOn = (roll: Roll): void => {
    if (roll(3) > 0 || calls.size === 0) {
      const [id, state] = pick(roll, [...messages]);
      const type = pickType(
        roll,
        MESSAGE_TYPES.filter((each) => canBefallMessage(state, happened(each))),
      );
      if (type === undefined) return;
      const attempts = state.context.attempts + (type === "DeliveryAttempted" ? 1 : 0);
      message(id, { ...happened(type), ...details(roll, messageSamples[type], attempts) });
    } else {
      const [id, state] = pick(roll, [...calls]);
      const type = pickType(
        roll,
        CALL_TYPES.filter((each) => canBefallWebhook(state, called(each))),
      );
      if (type === undefined) return;
      const attempts = state.context.attempts + (type === "WebhookAttempted" ? 1 : 0);
      call(id, { ...called(type), ...details(roll, webhookSamples[type], attempts) });
    }
  };

  const learn = (roll: Roll): void => {
    const account = pick(roll, ACCOUNTS);
    const baseAddress = `${pick(roll, PEOPLE)}@${pick(roll, DOMAINS)}`;
    const stream = recipientStream(account, baseAddress);
    const known = recipients.get(stream);
    const state = known ?? { failures: 0, suppressed: false };
    recipients.set(stream, state);
    const cause = { stream: messageStream(1), revision: roll(9) };
    const common = { at, account, baseAddress };
    const add = { originalAddress: baseAddress, reason: smtpResult(550).error, by: operator };
    const possible: RecipientEvent[] = [{ type: "RecipientDeliveryFailed", ...common, failures: state.failures + 1, cause }];
    if (known === undefined) possible.push({ type: "RecipientContacted", ...common });
    if (state.failures > 0) possible.push({ type: "RecipientDeliveryRecovered", ...common, cause });
    if (state.suppressed) possible.push({ type: "SuppressionRemoved", ...common, id: 1, by: operator });
    else
      possible.push({
        type: "SuppressionAdded",
        ...common,
        ...add,
        id: nextId++,
        manual: roll(2) === 0,
        cause: roll(2) === 0 ? null : cause,
      });
    const event = pick(roll, possible);
    if (event.type === "RecipientDeliveryFailed") state.failures += 1;
    else if (event.type === "SuppressionAdded") state.suppressed = true;
    else if (event.type !== "RecipientContacted") state.failures = 0;
    if (event.type === "SuppressionRemoved") state.suppressed = false;
    record(stream, event);
  };

  const keep = (id: number, event: ReceivedEvent): void => {
    mail.set(id, evolveReceived(mail.get(id) ?? unbornReceived, event));
    record(receivedStream(id), event);
  };

  /** Mail that arrives, perhaps with a call that will tell about it; a copy of what was sent shares its content. */
  const receive = (roll: Roll): void => {
    const sent = roll(4) === 0 ? [...messages.values()].at(-1)?.context.message : undefined;
    const { account, contentId, size } = sent ?? { account: pick(roll, ACCOUNTS), contentId: nextId++, size: 7 };
    contentIds.push(contentId);
    const id = nextId++;
    const place = sent === undefined ? {} : ({ mailbox: "Sent", origin: "sent", flags: ["\\seen"] } as const);
    const keepUntil = roll(2) === 0 ? at + DAY_MS : null;
    keep(id, { type: "MessageReceived", at, ...aReceivedMessage({ id, account, contentId, size, keepUntil, callId: nextId++, ...place }) });
    if (roll(2) === 0) return;
    const { callId } = mail.get(id)?.context.message ?? { callId: 0 };
    call(callId, { type: "WebhookQueued", at, ...anIncomingCall({ id: callId, account, messageRef: id }, { receivedId: id, contentId }) });
  };

  /** What an account does with its mail. */
  const tidy = (roll: Roll): void => {
    const [id, { value }] = pick(roll, [...mail]);
    if (value !== "kept") return;
    const flags = [pick(roll, ["\\seen", "\\flagged", "$forwarded", "later"])];
    const possible: readonly ReceivedEvent[] = [
      { type: "MessageFlagsAdded", at, flags, by: operator },
      { type: "MessageFlagsRemoved", at, flags, by: operator },
      { type: "MessageMoved", at, mailbox: pick(roll, MAILBOXES), by: operator },
      { type: "MessageDeleted", at, by: operator },
    ];
    keep(id, pick(roll, possible));
  };

  const rest = (roll: Roll): void => {
    const [rule] = rules;
    if (rule !== undefined && roll(2) === 0) {
      rules.delete(rule);
      record(HOLD_RULES_STREAM, { type: "HoldRuleRemoved", at, id: rule, by: operator });
    } else if (roll(4) === 0) {
      const id = nextId++;
      rules.add(id);
      record(HOLD_RULES_STREAM, {
        type: "HoldRuleAdded",
        at,
        id,
        account: pick(roll, ACCOUNTS),
        senderDomain: null,
        recipientDomain: null,
        seed: "",
        by: operator,
      });
    } else if (mail.size === 0 || roll(3) === 0) receive(roll);
    else tidy(roll);
  };

  for (const seed of seeds) {
    const roll = dice(seed);
    at += [0, 0, 0, 1, 1, 90][roll(6)]! * MINUTE_MS;
    const what = roll(14);
    if (messages.size === 0 || what < 2) queueMessage(roll);
    else if (what < 3) queueCall(roll);
    else if (what < 10) goOn(roll);
    else if (what < 11) learn(roll);
    else rest(roll);
  }
  return { events, messageIds: [...messages.keys()], callIds: [...calls.keys()], contentIds };
};
