/** The views as the core asks for them, by folding the log in memory: slow, obvious, and as far behind as a test wants. */
import type { Instant } from "../../src/domain/clock.ts";
import type { Position, Recorded } from "../../src/domain/event-log.ts";
import type { EventReference } from "../../src/domain/identity.ts";
import { ruleMatches } from "../../src/domain/holdrule/hold-rules.ts";
import type { MessageEvent, QueuedMessage } from "../../src/domain/message/events.ts";
import { evolveMessage, unbornMessage, type MessageState } from "../../src/domain/message/machine.ts";
import type { ReceivedEvent } from "../../src/domain/received/events.ts";
import { evolveReceived, unbornReceived, type ReceivedState } from "../../src/domain/received/machine.ts";
import type { RecipientEvent } from "../../src/domain/recipient/events.ts";
import type { DueItem, ReadModel, WorkKind } from "../../src/domain/runtime/read-model.ts";
import type { WebhookEvent } from "../../src/domain/webhook/events.ts";
import { evolveWebhook, unbornWebhook, type WebhookState } from "../../src/domain/webhook/machine.ts";
import type { MemoryLog } from "./memory-log.ts";

export type MemoryReadModel = ReadModel & {
  /** Steps forward to a position, or as far as the log goes. */
  readonly catchUp: (upTo?: Position) => void;
  /** `soon`: steps forward by itself a moment after every append. `manually`: only by `catchUp`. */
  follows: "soon" | "manually";
};

type Address = { contacted: boolean; failures: number; suppression: EventReference | undefined };
type Due = DueItem & { readonly kind: WorkKind };

const DONE = new Set(["delivered", "failed", "canceled", "suppressed", "superseded", "retired", "removed"]);
const isOpen = ({ value }: { readonly value: string }): boolean => !DONE.has(value);
const numberOf = (stream: string): number => Number(stream.slice(stream.lastIndexOf("-") + 1));

/** The next step of a message or call, from its state. */
const stepOf = (stream: string, { value, context }: MessageState | WebhookState): Due | undefined => {
  const { attempts, interruptions } = context;
  const item = (kind: WorkKind, lane: string, dueAt: Instant, batch = ""): Due => ({
    kind,
    stream,
    id: numberOf(stream),
    lane,
    batch,
    dueAt,
  });
  if (value === "attempting") return item("interrupt", "interrupt", context.nextAttemptAt);
  if (value === "retired") return item("remove", "remove", context.keepUntil ?? 0);
  if (value === "removed") return item("delete", "delete", 0);
  if (value !== "queued") return undefined;
  if ("call" in context) return item("call", context.call?.host ?? "", context.nextAttemptAt);
  const batch = `${context.message?.submissionId ?? 0} ${attempts - interruptions}`;
  return item("deliver", context.message?.recipientDomain ?? "", context.nextAttemptAt, batch);
};

/** The next step of a message in a mailbox. */
const receivedStep = (stream: string, { value, context }: ReceivedState): Due | undefined => {
  const item = (kind: WorkKind, dueAt: Instant): Due => ({ kind, stream, id: numberOf(stream), lane: kind, batch: "", dueAt });
  if (value === "deleted") return item("delete", 0);
  const keepUntil = context.message?.keepUntil ?? null;
  return keepUntil === null ? undefined : item("remove", keepUntil);
};

/** Views over `log`. */
export const memoryReadModel = (log: MemoryLog, follows: MemoryReadModel["follows"] = "soon"): MemoryReadModel => {
  const messages = new Map<string, MessageState>();
  const calls = new Map<string, WebhookState>();
  const mail = new Map<string, ReceivedState>();
  const addresses = new Map<string, Address>();
  const facts: { readonly account: string; readonly at: Instant; readonly contact: boolean }[] = [];
  const listeners = new Set<() => void>();
  let waiters: { readonly position: Position; readonly resolve: () => void }[] = [];
  let position: Position = 0;
  let due = false;

  const addressOf = (account: string, base: string): Address => {
    const key = `${account} ${base}`;
    const address = addresses.get(key) ?? { contacted: false, failures: 0, suppression: undefined };
    addresses.set(key, address);
    return address;
  };

  const foldRecipient = (event: RecipientEvent, cause: EventReference): void => {
    const address = addressOf(event.account, event.baseAddress);
    if (event.type === "RecipientContacted") {
      address.contacted = true;
      facts.push({ account: event.account, at: event.at, contact: true });
    } else if (event.type === "RecipientDeliveryFailed") address.failures = event.failures;
    else if (event.type === "SuppressionAdded") address.suppression = cause;
    else {
      address.failures = 0;
      if (event.type === "SuppressionRemoved") address.suppression = undefined;
    }
  };

  const fold = ({ stream, revision, event }: Recorded): void => {
    if (stream.startsWith("message-")) messages.set(stream, evolveMessage(messages.get(stream) ?? unbornMessage, event as MessageEvent));
    if (stream.startsWith("webhook-")) calls.set(stream, evolveWebhook(calls.get(stream) ?? unbornWebhook, event as WebhookEvent));
    if (stream.startsWith("received-")) mail.set(stream, evolveReceived(mail.get(stream) ?? unbornReceived, event as ReceivedEvent));
    if (stream.startsWith("recipient-")) foldRecipient(event as RecipientEvent, { stream, revision });
    if (event.type === "MessageQueued") facts.push({ account: event.account, at: event.at, contact: false });
  };

  const catchUp = (upTo: Position = log.head()): void => {
    if (upTo <= position) return;
    for (const recorded of log.all()) if (recorded.position > position && recorded.position <= upTo) fold(recorded);
    position = upTo;
    const ready = waiters.filter((waiter) => waiter.position <= position);
    waiters = waiters.filter((waiter) => waiter.position > position);
    for (const { resolve } of ready) resolve();
    for (const listener of [...listeners]) listener();
  };

  const steps = (kind: WorkKind): readonly Due[] =>
    [
      ...[...messages, ...calls].flatMap(([stream, state]) => stepOf(stream, state) ?? []),
      ...[...mail].flatMap(([stream, state]) => receivedStep(stream, state) ?? []),
    ]
      .filter((step) => step.kind === kind)
      .sort((a, b) => a.dueAt - b.dueAt || a.id - b.id);

  const openMessages = (): readonly MessageState[] => [...messages.values()].filter(isOpen);
  const keptMail = (): readonly ReceivedState[] => [...mail.values()].filter(({ value }) => value === "kept");
  /** Contents that messages hold, and their sizes. */
  const contentOf = (account?: string): ReadonlyMap<number, number> =>
    new Map(
      [...openMessages(), ...keptMail()].flatMap(({ context: { message } }) =>
        message === undefined || (account !== undefined && account !== message.account) ? [] : [[message.contentId, message.size] as const],
      ),
    );
  const toldLater = (): readonly number[] =>
    [...calls.values()].flatMap((state) => {
      const { call } = state.context;
      return isOpen(state) && call?.kind === "incoming" ? [call.payload.contentId] : [];
    });

  const known = (): readonly MessageState[] => [...messages.values()].filter(({ value }) => value !== "removed");
  const reported = (account: string, agrees: (message: QueuedMessage) => boolean) =>
    known()
      .flatMap(({ value, context: { message, attempts } }) =>
        // The first attempt has ended.
        message?.account === account && attempts > (value === "attempting" ? 1 : 0) && agrees(message)
          ? [{ id: message.id, recipient: message.recipient }]
          : [],
      )
      .sort((a, b) => b.id - a.id);

  const model: MemoryReadModel = {
    follows,
    catchUp,
    position: () => position,
    passed: async (wanted) => {
      if (wanted > position) await new Promise<void>((resolve) => waiters.push({ position: wanted, resolve }));
    },
    onAdvance: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    due: ({ kind, at, perLane, limit }) => {
      const taken = new Map<string, number>();
      return steps(kind)
        .filter(({ dueAt, lane }) => {
          const count = (taken.get(lane) ?? 0) + 1;
          if (dueAt > at || count > perLane) return false;
          taken.set(lane, count);
          return true;
        })
        .slice(0, limit);
    },
    nextDueAt: (kind, at) => steps(kind).find(({ dueAt }) => dueAt > at)?.dueAt,
    openAttempts: (limit) => steps("interrupt").slice(0, limit),
    forget: async (stream) => {
      messages.delete(stream);
      calls.delete(stream);
      mail.delete(stream);
    },
    newestId: () => Math.max(0, ...[...messages.keys(), ...calls.keys(), ...mail.keys()].map(numberOf)),
    suppression: (account, base) => addressOf(account, base).suppression,
    failuresInARow: (account, base) => addressOf(account, base).failures,
    contacted: (account, base) => addressOf(account, base).contacted,
    usage: (account, after) => {
      const mine = facts.filter((fact) => fact.account === account && fact.at > after);
      return { messages: mine.filter(({ contact }) => !contact).length, firstContacts: mine.filter(({ contact }) => contact).length };
    },
    storedOctets: (account) => [...contentOf(account).values()].reduce((sum, size) => sum + size, 0),
    messageOfFromId: (fromId) =>
      (fromId === "" ? undefined : known().find(({ context: { message } }) => message?.fromId === fromId))?.context.message?.id,
    messagesOfEnvelope: (account, envelopeId) => reported(account, (message) => message.envelopeId === envelopeId),
    messagesOfMessageId: (account, messageId) => reported(account, (message) => message.messageId === messageId),
    unreferenced: (contentIds) => {
      const used = new Set([...contentOf().keys(), ...toldLater()]);
      return contentIds.filter((id) => !used.has(id));
    },
    unfinishedCalls: (messageId) =>
      [...calls]
        .filter(([, state]) => isOpen(state) && state.context.call?.messageRef === messageId)
        .map(([stream]) => numberOf(stream))
        .sort((a, b) => a - b),
    callsAfter: (callId) =>
      [...calls]
        .filter(([, { value, context }]) => value === "waiting" && context.call?.after === callId)
        .map(([stream]) => numberOf(stream)),
    matching: (rule, afterId, limit) =>
      openMessages()
        .flatMap(({ context: { message, hold } }) =>
          message !== undefined && !hold && ruleMatches({ id: 0, ...rule }, message) ? [message.id] : [],
        )
        .filter((id) => id > afterId)
        .sort((a, b) => a - b)
        .slice(0, limit),
  };

  const followSoon = (): void => {
    if (model.follows === "manually" || due) return;
    due = true;
    setImmediate(() => {
      due = false;
      if (model.follows === "soon") catchUp();
    });
  };
  log.onChange(followSoon);
  followSoon();
  return model;
};
