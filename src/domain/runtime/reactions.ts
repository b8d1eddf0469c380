/**
 * What follows from events: webhook calls, suppressions, holds, deleted contents. Reactions read the log from their own
 * durable checkpoint, after the views have passed each batch, and append to streams whose names derive from the event
 * that caused them, or to streams that remember their causes: however often a reaction runs, it happens once.
 */
import type { Directory } from "../account/account.ts";
import { NO_STREAM, type ContentStore, type EventLog, type Position, type Recorded } from "../event-log.ts";
import type { DomainEvent, DomainEventType } from "../events.ts";
import type { HoldRule, HoldRuleEvent } from "../holdrule/events.ts";
import { HOLD_RULES_STREAM } from "../holdrule/events.ts";
import { byRule, matchingRule } from "../holdrule/hold-rules.ts";
import type { MessageEvent, QueuedMessage } from "../message/events.ts";
import { messageStream } from "../message/events.ts";
import { recipientStream } from "../recipient/events.ts";
import { MAX_CALL_ATTEMPTS } from "../webhook/backoff.ts";
import type { QueuedCall, WebhookEvent } from "../webhook/events.ts";
import { webhookStream } from "../webhook/events.ts";
import { comparable } from "./deliveries.ts";
import type { HoldRuleSet, Messages, Recipients, Webhooks } from "./kinds.ts";
import { notificationOf } from "./notifications.ts";
import type { ReadModel } from "./read-model.ts";

/** The checkpoint under which the reactions keep their place in the log. */
export const REACTIONS_CHECKPOINT = "reactions";

const TYPES: ReadonlySet<DomainEventType> = new Set([
  "MessageQueued",
  "DeliverySucceeded",
  "DeliveryDeferred",
  "DeliveryFailed",
  "DeliveryUncertain",
  "MessageSuppressed",
  "MessageFailed",
  "MessageCanceled",
  "MessageRetired",
  "WebhookQueued",
  "WebhookRetired",
  "HoldRuleAdded",
] as const);

/** Messages put on hold at a time when a rule is added. */
const HOLD_PAGE = 200;

/** A message's event with the message it is about. */
type MessageFact = { readonly recorded: Recorded; readonly event: MessageEvent; readonly message: QueuedMessage; readonly revision: number };

export type Reactions = {
  /** Reads on until `signal` aborts; rejects when the store or the views fail. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** Resolves when everything up to `position` has been reacted to and that is remembered durably; rejects when that will not be. */
  readonly passed: (position: Position) => Promise<void>;
};

const isMessageEvent = (event: DomainEvent): event is MessageEvent => event.type.startsWith("Message") || event.type.startsWith("Delivery");

export const reactions = (options: {
  readonly log: EventLog;
  readonly contents: ContentStore;
  readonly messages: Messages;
  readonly webhooks: Webhooks;
  readonly recipients: Recipients;
  readonly holdRules: HoldRuleSet;
  readonly readModel: ReadModel;
  readonly directory: Directory;
}): Reactions => {
  const { log, contents, messages, webhooks, recipients, holdRules, readModel, directory } = options;
  /** Durable place, and who waits for it. */
  let saved: Position = 0;
  let waiters: { readonly position: Position; readonly resolve: () => void; readonly reject: (reason: unknown) => void }[] = [];
  /** Why nothing will be reacted to any more. */
  let ended: Error | undefined;

  /** Appends of this batch that the next one must see in the views. */
  type Progress = { mustSee: Position };

  const queueCall = async ({ recorded, event, message }: MessageFact, last: Map<number, number>, progress: Progress): Promise<void> => {
    const account = directory.account(message.account);
    const webhook = account?.outgoingWebhook;
    const notification = notificationOf(event, message);
    if (webhook === null || webhook === undefined || notification === undefined) return;
    const { callId: id, payload } = notification;
    if (webhook.events !== null && !webhook.events.has(payload.event)) return;
    const inOrder = webhook.mode === "every";
    const after = inOrder ? (last.get(message.id) ?? readModel.unfinishedCalls(message.id).findLast((other) => other < id) ?? null) : null;
    last.set(message.id, id);
    const call: QueuedCall = {
      id,
      account: message.account,
      kind: "outgoing",
      url: webhook.url,
      host: new URL(webhook.url).host.toLowerCase(),
      messageRef: message.id,
      payload,
      nextAttemptAt: event.at,
      maxAttempts: MAX_CALL_ATTEMPTS,
      after,
      cause: { stream: recorded.stream, revision: recorded.revision },
    };
    // Not new: this reaction ran before and was cut off before its checkpoint.
    const position = await webhooks.create([{ stream: webhookStream(id), events: [{ type: "WebhookQueued", at: event.at, ...call }] }], []);
    if (inOrder) progress.mustSee = Math.max(progress.mustSee, position === false ? log.head() : position);
  };

  /** What a delivery or a final failure says about the recipient. `touched`: what this batch has said of recipients already. */
  const noteRecipient = async ({ recorded, event, message }: MessageFact, touched: Set<string>, progress: Progress): Promise<void> => {
    const base = comparable(message.recipient);
    const stream = recipientStream(message.account, base);
    const cause = { stream: recorded.stream, revision: recorded.revision };
    const execute = async (command: Parameters<Recipients["execute"]>[1]): Promise<void> => {
      touched.add(stream);
      const turn = await recipients.execute(stream, command);
      if (turn.kind === "done") progress.mustSee = Math.max(progress.mustSee, turn.position);
    };
    if (event.type === "DeliveryFailed") {
      await execute({ type: "noteFailure", address: message.recipient, suppress: event.suppress, at: event.at, cause });
    } else if (event.type === "DeliverySucceeded" && (touched.has(stream) || readModel.failuresInARow(message.account, base) > 0)) {
      await execute({ type: "noteDelivery", at: event.at, cause });
    } else if (event.type === "MessageQueued" && typeof directory.account(message.account)?.firstTimeRecipientsPerDay === "number") {
      const contact = `contact ${stream}`;
      if (touched.has(contact) || readModel.contacted(message.account, base)) return;
      touched.add(contact);
      await execute({ type: "contact" });
    }
  };

  /** A message queued while a rule was being added: it was checked against the rules before. */
  const holdLate = async ({ event, message, revision }: MessageFact): Promise<void> => {
    if (event.type !== "MessageQueued" || revision > 0) return;
    const { state } = await holdRules.load(HOLD_RULES_STREAM);
    const rule = matchingRule(state, message);
    if (rule !== undefined) await messages.execute(messageStream(message.id), { type: "hold", by: byRule(rule) });
  };

  const holdMatching = async (rule: HoldRule): Promise<void> => {
    let after = 0;
    for (;;) {
      const ids = readModel.matching(rule, after, HOLD_PAGE);
      await Promise.all(ids.map((id) => messages.execute(messageStream(id), { type: "hold", by: byRule(rule) })));
      const last = ids.at(-1);
      if (last === undefined) return;
      after = last;
    }
  };

  const reactToWebhook = async (event: WebhookEvent, stream: string): Promise<void> => {
    if (event.type === "WebhookQueued" && event.after === null) {
      const older = readModel.unfinishedCalls(event.messageRef).filter((id) => id < event.id);
      await Promise.all(older.map((id) => webhooks.execute(webhookStream(id), { type: "supersede", supersededBy: event.id })));
    } else if (event.type === "WebhookQueued" && event.after !== null) {
      // The call to wait for may have ended before this one was stored.
      const { state } = await webhooks.load(webhookStream(event.after));
      if (state.value === "retired" || state.value === "removed" || state.value === "unborn") await webhooks.execute(stream, { type: "unblock" });
    } else if (event.type === "WebhookRetired") {
      const id = Number(stream.slice("webhook-".length));
      await Promise.all(readModel.callsAfter(id).map((next) => webhooks.execute(webhookStream(next), { type: "unblock" })));
    }
  };

  const discard = async (facts: readonly MessageFact[]): Promise<void> => {
    const ids = new Set(facts.flatMap(({ event, message }) => (event.type === "MessageRetired" ? [message.contentId] : [])));
    const free = readModel.unreferenced([...ids]);
    if (free.length > 0) await contents.delete(free);
  };

  /** Messages of these events; one whose stream is gone has been reacted to before, for nothing is removed earlier. */
  const factsOf = async (batch: readonly Recorded[]): Promise<readonly MessageFact[]> => {
    const loaded = await Promise.all(
      batch.map(async (recorded): Promise<MessageFact | undefined> => {
        const { event, stream } = recorded;
        if (!isMessageEvent(event)) return undefined;
        const { state, revision } = await messages.load(stream);
        const { message } = state.context;
        return message === undefined || revision === NO_STREAM ? undefined : { recorded, event, message, revision };
      }),
    );
    return loaded.filter((fact) => fact !== undefined);
  };

  const react = async (batch: readonly Recorded[]): Promise<Position> => {
    const progress: Progress = { mustSee: 0 };
    const facts = await factsOf(batch);
    const lastCalls = new Map<number, number>();
    const touched = new Set<string>();
    // Started in the order of the log: turns of one stream keep that order.
    const jobs: Promise<void>[] = facts.flatMap((fact) => [
      queueCall(fact, lastCalls, progress),
      noteRecipient(fact, touched, progress),
      holdLate(fact),
    ]);
    for (const { event, stream } of batch) {
      if (stream.startsWith("webhook-")) jobs.push(reactToWebhook(event as WebhookEvent, stream));
      if (event.type === "HoldRuleAdded") jobs.push(holdMatching(event satisfies HoldRuleEvent));
    }
    jobs.push(discard(facts));
    await Promise.all(jobs);
    return progress.mustSee;
  };

  const reached = (position: Position): void => {
    saved = position;
    const due = waiters.filter((waiter) => waiter.position <= position);
    waiters = waiters.filter((waiter) => waiter.position > position);
    for (const { resolve } of due) resolve();
  };

  const follow = async (signal: AbortSignal): Promise<void> => {
    reached(await log.loadCheckpoint(REACTIONS_CHECKPOINT));
    for await (const { events, upTo } of log.subscribe(saved, { types: TYPES, signal })) {
      await readModel.passed(upTo);
      const mustSee = await react(events);
      if (mustSee > 0) await readModel.passed(mustSee);
      await log.saveCheckpoint(REACTIONS_CHECKPOINT, upTo);
      reached(upTo);
    }
  };

  /** Lets go of whoever waits: a stop must not hang on reactions that have ended. */
  const end = (reason: Error): void => {
    ended = reason;
    for (const { reject } of waiters.splice(0)) reject(reason);
  };

  return {
    run: async (signal) => {
      try {
        await follow(signal);
        end(new Error("the reactions were stopped"));
      } catch (cause) {
        end(new Error("the reactions have failed", { cause }));
        throw cause;
      }
    },
    passed: async (position) => {
      if (position <= saved) return;
      if (ended !== undefined) throw ended;
      await new Promise<void>((resolve, reject) => waiters.push({ position, resolve, reject }));
    },
  };
};
