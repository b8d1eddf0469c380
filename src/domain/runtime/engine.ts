/** The running core: actors, schedulers, reactions and the services on top of them, put together over the ports. */
import type { Directory } from "../account/account.ts";
import type { Clock } from "../clock.ts";
import type { Courier } from "../delivery.ts";
import type { ContentStore, EventLog, Position } from "../event-log.ts";
import { idSource, type IdSource } from "../ids.ts";
import type { HoldRule } from "../holdrule/events.ts";
import { callOperations, holdRuleOperations, queueOperations, suppressionList } from "../operations/operations.ts";
import { mailboxes } from "../received/mailboxes.ts";
import { receiving } from "../received/receive.ts";
import { reactions } from "../reactions/reactions.ts";
import type { SenderReports } from "../reactions/report-to-sender.ts";
import { allowance } from "../submission/allowance.ts";
import { chosenFromIds } from "../submission/chosen-from-ids.ts";
import type { Submission } from "../submission/submission.ts";
import { submitter } from "../submission/submit.ts";
import type { Caller } from "../webhook/caller.ts";
import type { QueuedCall } from "../webhook/events.ts";
import { actors } from "./actors.ts";
import { calls, type CallObserver } from "./calls.ts";
import { dueCall, dueMessage } from "./due-item.ts";
import { deliveries, type DeliveryObserver } from "./deliveries.ts";
import { destinationPace } from "./destination-pace.ts";
import { housekeeping } from "./housekeeping.ts";
import { intakePriority } from "./intake-priority.ts";
import type { ReadModel } from "./read-model.ts";
import { work, type WorkLimits } from "./work.ts";

export type EngineOptions = {
  readonly log: EventLog;
  readonly contents: ContentStore;
  readonly readModel: ReadModel;
  readonly directory: Directory;
  readonly courier: Courier;
  readonly caller: Caller;
  readonly senderReports: SenderReports;
  readonly clock: Clock;
  /** Number of this node among those that share the log. */
  readonly node: number;
  /** A number in [0, 1), for spreading retries. */
  readonly random: () => number;
  readonly newFromId: () => string;
  readonly limits: WorkLimits;
  /** Hold rules of the configuration: each is added once, under its name. */
  readonly seedHoldRules: readonly { readonly seed: string; readonly rule: Omit<HoldRule, "id"> }[];
  readonly observe: {
    readonly delivery: DeliveryObserver;
    readonly call: CallObserver;
    /** Work failed because the store or the views are out of order; it is tried again. */
    readonly trouble: (what: string, error: unknown) => void;
    /** The reactions cannot go on: the process should stop and say why. */
    readonly failure: (error: unknown) => void;
  };
};

export type Engine = ReturnType<typeof engine>;

/** Builds the core; nothing runs before `prepare` and `start`. */
export const engine = (options: EngineOptions) => {
  const { log, contents, readModel, directory, courier, caller, clock, observe } = options;
  const inFlight = new AbortController();
  const reading = new AbortController();
  let ids: IdSource = idSource(options.node, clock.now);
  const nextId: IdSource = () => ids();

  const all = actors({ log, directory, clock, nextId, random: options.random });
  const { messages, webhooks, received, recipients, holdRules } = all;
  const receive = receiving({ log, clock, nextId, directory });
  const onDue = (call: QueuedCall, position: Position): void => {
    working.offer("call", [dueCall(call)], position);
  };
  const { senderReports } = options;
  const reacting = reactions({ log, contents, readModel, directory, receive, senderReports, onDue, ...all });
  const keeping = housekeeping({ log, messages, webhooks, received, readModel, reacted: reacting.passed });
  const intake = intakePriority(clock);
  const { perDomain, perDomainPerMinute = null } = options.limits.deliveries;
  const pace = destinationPace({ atOnce: perDomain, perMinute: perDomainPerMinute });
  const working = work({
    readModel,
    clock,
    limits: options.limits,
    deliveries: deliveries({ messages, courier, readModel, directory, clock, signal: inFlight.signal, observe: observe.delivery, pace }),
    calls: calls({ webhooks, caller, clock, signal: inFlight.signal, observe: observe.call }),
    housekeeping: keeping,
    intake,
    pace,
    trouble: observe.trouble,
  });

  const submit = submitter({
    messages,
    holdRules,
    allowance: allowance({ log, readModel, clock }),
    chosenFromIds: chosenFromIds({ log, readModel }),
    directory,
    clock,
    nextId,
    newFromId: options.newFromId,
    onDue: (queued, position) => {
      working.offer("deliver", queued.map(dueMessage), position);
    },
  });
  const holdRuleService = holdRuleOperations({ holdRules, readModel });
  const system = { kind: "system", name: "configuration" } as const;
  let reactionsEnd: Promise<void> = Promise.resolve();

  /** Brings everything to where work can begin; resolves with the number of attempts that a crash had left open. */
  const prepare = async (): Promise<number> => {
    await readModel.passed(log.head());
    ids = idSource(options.node, clock.now, readModel.newestId());
    const recovered = log.exclusive ? await keeping.recover() : 0;
    for (const { seed, rule } of options.seedHoldRules) await holdRuleService.add(rule, system, seed);
    return recovered;
  };

  /** Takes up work. To be called once, after `prepare`. */
  const start = (): void => {
    reactionsEnd = reacting.run(reading.signal).catch((error: unknown) => {
      if (!reading.signal.aborted) observe.failure(error);
    });
    working.start();
  };

  /** What has happened by now has its consequences stored, unless that takes longer than it may. */
  const reacted = async (graceMs: number): Promise<void> => {
    const patience = Promise.withResolvers<undefined>();
    const cancelTimer = clock.timer(clock.now() + graceMs, () => {
      patience.resolve(undefined);
    });
    // Reactions that have failed will not get there; that has been told.
    await Promise.race([reacting.passed(log.head()).catch(() => undefined), patience.promise]);
    cancelTimer();
  };

  /** Takes up nothing new, gives what runs `graceMs` to end, then has it abandoned; every end is recorded. */
  const stop = async (graceMs: number): Promise<void> => {
    const cancelTimer = clock.timer(clock.now() + graceMs, () => {
      inFlight.abort();
    });
    await working.stop();
    cancelTimer();
    await reacted(graceMs);
    reading.abort();
    await reactionsEnd;
    await Promise.all([courier.close(), caller.close()]);
  };

  return {
    prepare,
    start,
    stop,
    nextId,
    messages,
    webhooks,
    received,
    submit: (submission: Submission) => intake.during(() => submit(submission)),
    queue: queueOperations({ log, messages, readModel }),
    calls: callOperations({ webhooks, readModel }),
    holdRules: holdRuleService,
    mailboxes: mailboxes({ received, readModel }),
    receive,
    suppressions: suppressionList({ recipients, readModel }),
  };
};
