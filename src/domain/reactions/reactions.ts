/**
 * What follows from events: webhook calls, suppressions, holds, deleted contents. Reactions read the log from their own
 * durable checkpoint, after the views have passed each batch, and append to streams whose names derive from the event
 * that caused them, or to streams that remember their causes: however often a reaction runs, it happens once.
 */
import type { Directory } from "../account/account.ts";
import type { ContentStore, EventLog, Position } from "../event-log.ts";
import type { Receive } from "../received/receive.ts";
import type { HoldRuleSet, Messages, ReceivedMessages, Recipients, Webhooks } from "../runtime/kinds.ts";
import type { ReadModel } from "../runtime/read-model.ts";
import type { QueuedCall } from "../webhook/events.ts";
import { announcing } from "./announce.ts";
import { checkpointOf } from "./checkpoint.ts";
import { discard } from "./discard.ts";
import { batchOf, REACTED_TO, type Reaction } from "./facts.ts";
import { feedback } from "./feedback.ts";
import { hold } from "./hold.ts";
import { noteRecipients } from "./note-recipients.ts";
import { EARLY_NEWS, notify } from "./notify.ts";
import { orderCalls } from "./order-calls.ts";
import { reportToSender, type SenderReports } from "./report-to-sender.ts";

/** The checkpoint under which the reactions keep their place in the log. */
export const REACTIONS_CHECKPOINT = "reactions";

export type Reactions = {
  /** Reads on until `signal` aborts; rejects when the store or the views fail. To be called once. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  /**
   * Resolves when everything up to `position` has been reacted to and that is remembered durably.
   *
   * @throws when the reactions have ended before that: a stop must not hang on them.
   */
  readonly passed: (position: Position) => Promise<void>;
};

/** A place in the log that others can wait for. */
const milestone = () => {
  let reached: Position = 0;
  let waiters: { readonly position: Position; readonly resolve: () => void; readonly reject: (reason: unknown) => void }[] = [];
  let ended: Error | undefined;
  return {
    reach: (position: Position): void => {
      reached = position;
      const due = waiters.filter((waiter) => waiter.position <= position);
      waiters = waiters.filter((waiter) => waiter.position > position);
      for (const { resolve } of due) resolve();
    },
    end: (reason: Error): void => {
      ended = reason;
      for (const { reject } of waiters.splice(0)) reject(reason);
    },
    passed: async (position: Position): Promise<void> => {
      if (position <= reached) return;
      if (ended !== undefined) throw ended;
      await new Promise<void>((resolve, reject) => waiters.push({ position, resolve, reject }));
    },
  };
};

export type ReactionsOptions = {
  readonly log: EventLog;
  readonly contents: ContentStore;
  readonly messages: Messages;
  readonly webhooks: Webhooks;
  readonly received: ReceivedMessages;
  readonly recipients: Recipients;
  readonly holdRules: HoldRuleSet;
  readonly readModel: ReadModel;
  readonly directory: Directory;
  readonly receive: Receive;
  readonly senderReports: SenderReports;
  /** Told of calls that are stored and due now. */
  readonly onDue?: (call: QueuedCall, position: Position) => void;
};

export const reactions = (options: ReactionsOptions): Reactions => {
  const { log, messages, readModel } = options;
  const { early, late } = notify(options);
  const all: readonly Reaction[] = [
    late,
    noteRecipients(options),
    feedback({ ...options, announce: announcing(options) }),
    hold(options),
    orderCalls(options),
    reportToSender(options),
  ];
  const discarding = discard(options);
  const place = milestone();

  /** Tells good news as it happens. It keeps no place: what it misses, the reader with the checkpoint does. */
  const tell = async (signal: AbortSignal): Promise<void> => {
    for await (const { events } of log.subscribe(log.head(), { types: EARLY_NEWS, signal })) {
      if (events.length > 0) await early(await batchOf(messages, events), () => undefined);
    }
  };

  const follow = async (signal: AbortSignal): Promise<void> => {
    const start = await log.loadCheckpoint(REACTIONS_CHECKPOINT);
    place.reach(start);
    const checkpoint = checkpointOf(async (position) => {
      await log.saveCheckpoint(REACTIONS_CHECKPOINT, position);
      place.reach(position);
    });
    const read = async (): Promise<void> => {
      for await (const { events, upTo } of log.subscribe(start, { types: REACTED_TO, signal })) {
        const jobs: Promise<unknown>[] = [];
        if (events.length > 0) {
          const batch = await batchOf(messages, events);
          await readModel.passed(upTo);
          const mustSee = await Promise.all(all.map((react) => react(batch, (job) => void jobs.push(job))));
          await readModel.passed(Math.max(...mustSee));
          await discarding(batch, (job) => void jobs.push(job));
        }
        checkpoint.note(upTo, jobs);
      }
      await checkpoint.saved();
    };
    await Promise.race([Promise.all([read(), tell(signal)]), checkpoint.failed]);
  };

  return {
    run: async (signal) => {
      try {
        await follow(signal);
        place.end(new Error("the reactions were stopped"));
      } catch (cause) {
        place.end(new Error("the reactions have failed", { cause }));
        throw cause;
      }
    },
    passed: place.passed,
  };
};
