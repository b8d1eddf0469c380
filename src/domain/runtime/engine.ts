/** The running core: actors, schedulers, reactions and the services on top of them, put together over the ports. */
import type { Directory } from "../account/account.ts";
import type { Clock } from "../clock.ts";
import type { Courier } from "../delivery.ts";
import type { ContentStore, EventLog } from "../event-log.ts";
import { idSource, type IdSource } from "../ids.ts";
import type { HoldRule } from "../holdrule/events.ts";
import { callOperations, holdRuleOperations, queueOperations, suppressionList } from "../operations/operations.ts";
import { parseRecipientStream } from "../recipient/events.ts";
import { allowance } from "../submission/allowance.ts";
import { submitter } from "../submission/submit.ts";
import type { Caller } from "../webhook/caller.ts";
import { actorRuntime } from "./actor.ts";
import { calls, type CallObserver } from "./calls.ts";
import { deliveries, type DeliveryObserver } from "./deliveries.ts";
import { housekeeping } from "./housekeeping.ts";
import { holdRulesKind, messageKind, recipientKind, webhookKind } from "./kinds.ts";
import { reactions } from "../reactions/reactions.ts";
import type { DueItem, ReadModel } from "./read-model.ts";
import { scheduler, type Scheduler, type SchedulerLimits } from "./scheduler.ts";

export type EngineOptions = {
  readonly log: EventLog;
  readonly contents: ContentStore;
  readonly readModel: ReadModel;
  readonly directory: Directory;
  readonly courier: Courier;
  readonly caller: Caller;
  readonly clock: Clock;
  /** Number of this node among those that share the log. */
  readonly node: number;
  /** A number in [0, 1), for spreading retries. */
  readonly random: () => number;
  readonly newFromId: () => string;
  readonly limits: {
    readonly deliveries: { readonly total: number; readonly perDomain: number };
    readonly calls: { readonly total: number; readonly perHost: number };
  };
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

/** Actor states kept in memory, per kind: what is being worked on, not what waits. */
const REMEMBERED = { messages: 10_000, webhooks: 10_000, recipients: 1_000, holdRules: 1 } as const;

/** Recipients in one SMTP transaction: what every server must take (RFC 5321 section 4.5.3.1.8). */
const MAX_RECIPIENTS_PER_TRANSACTION = 100;

/** Housekeeping never needs more at a time. */
const HOUSEKEEPING_LIMITS: SchedulerLimits = { total: 64, perLane: 64, window: 512, batch: 1 };

const windowFor = (total: number): number => Math.max(512, total * 4);

export type Engine = ReturnType<typeof engine>;

/** Builds the core; nothing runs before `prepare` and `start`. */
export const engine = (options: EngineOptions) => {
  const { log, contents, readModel, directory, courier, caller, clock, observe } = options;
  const inFlight = new AbortController();
  const reading = new AbortController();
  let ids: IdSource = idSource(options.node, clock.now);
  const nextId: IdSource = () => ids();
  const spread = (): number => options.random() * 2 - 1;

  const messages = actorRuntime({
    log,
    kind: messageKind,
    remember: REMEMBERED.messages,
    terms: (_stream, _command, { context: { message } }) => {
      const account = message && directory.account(message.account);
      // A message of an account that is gone is treated with the least surprise: tried again, not kept.
      const policy = { keepRetiredMs: account?.keepRetiredMessageMs ?? 0, uncertainDelivery: account?.uncertainDelivery ?? ("retry" as const) };
      return { now: clock.now(), spread: spread(), callIds: [nextId(), nextId()] as const, policy };
    },
  });
  const webhooks = actorRuntime({
    log,
    kind: webhookKind,
    remember: REMEMBERED.webhooks,
    terms: (_stream, _command, { context: { call } }) => ({
      now: clock.now(),
      spread: spread(),
      keepRetiredMs: (call && directory.account(call.account)?.keepRetiredWebhookMs) ?? 0,
    }),
  });
  const recipients = actorRuntime({
    log,
    kind: recipientKind,
    remember: REMEMBERED.recipients,
    terms: (stream) => ({ now: clock.now(), id: nextId(), ...parseRecipientStream(stream) }),
  });
  const holdRules = actorRuntime({ log, kind: holdRulesKind, remember: REMEMBERED.holdRules, terms: () => ({ now: clock.now(), id: nextId() }) });

  const reacting = reactions({ log, contents, messages, webhooks, recipients, holdRules, readModel, directory });
  const keeping = housekeeping({ log, messages, webhooks, readModel, reacted: reacting.passed });
  const delivering = deliveries({ messages, courier, readModel, directory, signal: inFlight.signal, observe: observe.delivery });
  const calling = calls({ webhooks, caller, signal: inFlight.signal, observe: observe.call });

  const schedule = (kind: Parameters<typeof scheduler>[0]["kind"], limits: SchedulerLimits, perform: (items: readonly DueItem[]) => Promise<number>): Scheduler =>
    scheduler({ kind, readModel, clock, limits, perform, onError: (error) => observe.trouble(kind, error) });

  const { deliveries: deliveryLimits, calls: callLimits } = options.limits;
  const schedulers: readonly Scheduler[] = [
    schedule(
      "deliver",
      { total: deliveryLimits.total, perLane: deliveryLimits.perDomain, window: windowFor(deliveryLimits.total), batch: MAX_RECIPIENTS_PER_TRANSACTION },
      delivering.perform,
    ),
    schedule("call", { total: callLimits.total, perLane: callLimits.perHost, window: windowFor(callLimits.total), batch: 1 }, calling.perform),
    schedule("interrupt", HOUSEKEEPING_LIMITS, keeping.interrupt),
    schedule("remove", HOUSEKEEPING_LIMITS, keeping.remove),
    schedule("delete", HOUSEKEEPING_LIMITS, keeping.delete),
  ];

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
    for (const each of schedulers) each.start();
  };

  /** Takes up nothing new, gives what runs `graceMs` to end, then has it abandoned; every end is recorded. */
  const stop = async (graceMs: number): Promise<void> => {
    const cancelTimer = clock.timer(clock.now() + graceMs, () => {
      inFlight.abort();
    });
    await Promise.all(schedulers.map((each) => each.stop()));
    cancelTimer();
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
    submit: submitter({
      messages,
      holdRules,
      allowance: allowance({ log, readModel, clock }),
      directory,
      clock,
      nextId,
      newFromId: options.newFromId,
    }),
    queue: queueOperations({ messages, readModel }),
    calls: callOperations({ webhooks, readModel }),
    holdRules: holdRuleService,
    suppressions: suppressionList({ recipients, readModel }),
  };
};
