/** The core over a log in memory, views that follow it, a clock that a test moves, and a courier and caller that do as told. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Account } from "../../src/domain/account/account.ts";
import type { Courier, Delivery } from "../../src/domain/delivery.ts";
import { engine, type Engine, type EngineOptions } from "../../src/domain/runtime/engine.ts";
import type { SenderReports } from "../../src/domain/reactions/report-to-sender.ts";
import type { Submission } from "../../src/domain/submission/submission.ts";
import type { DeliveryOutcome } from "../../src/domain/smtp-result.ts";
import type { Call, Caller, CallOutcome } from "../../src/domain/webhook/caller.ts";
import { memoryLog, type MemoryLog } from "./memory-log.ts";
import { memoryReadModel, type MemoryReadModel } from "./memory-read-model.ts";
import { addressOf, anAccount, directoryOf, httpResult, smtpResult } from "./samples.ts";
import { virtualClock, type VirtualClock } from "./virtual-clock.ts";

export const succeeded: DeliveryOutcome = { kind: "delivered", result: smtpResult(250, "2.0.0") };
export const failedWith = (code: number, enhancedCode = ""): DeliveryOutcome => ({
  kind: "rejected",
  permanent: code >= 500,
  result: smtpResult(code, enhancedCode),
});
export const taken: CallOutcome = { kind: "answered", result: httpResult(200), retryAfterMs: null };
export const refusedWith = (status: number): CallOutcome => ({ kind: "answered", result: httpResult(status), retryAfterMs: null });

/** Answers every recipient as `answer` says, and remembers what was asked of it. */
export type FakeCourier = Courier & {
  readonly deliveries: Delivery[];
  answer: (address: string, delivery: Delivery, signal: AbortSignal) => DeliveryOutcome | Promise<DeliveryOutcome>;
};

export const fakeCourier = (): FakeCourier => {
  const courier: FakeCourier = {
    deliveries: [],
    answer: () => succeeded,
    deadlineMs: 5 * 60_000,
    deliver: async (delivery, signal) => {
      courier.deliveries.push(delivery);
      const entries = delivery.recipients.map(
        async ({ messageId, address }) => [messageId, await courier.answer(address, delivery, signal)] as const,
      );
      return new Map(await Promise.all(entries));
    },
    close: async () => undefined,
  };
  return courier;
};

export type FakeCaller = Caller & {
  readonly calls: Call[];
  answer: (call: Call, signal: AbortSignal) => CallOutcome | Promise<CallOutcome>;
};

export const fakeCaller = (): FakeCaller => {
  const caller: FakeCaller = {
    calls: [],
    answer: () => taken,
    deadlineMs: 60_000,
    call: async (call, signal) => {
      caller.calls.push(call);
      return caller.answer(call, signal);
    },
    close: async () => undefined,
  };
  return caller;
};

/** Reports that say their action, and whether what they are about was still there. */
export const fakeSenderReports: SenderReports = {
  compose: async ({ id, action }, original) => ({
    from: "MAILER-DAEMON@mail.here.example",
    subject: `${action}: ${original === undefined ? "gone" : original.size}`,
    messageId: `<${id}@mail.here.example>`,
    content: [Buffer.from(action)],
  }),
};

export type World = {
  readonly clock: VirtualClock;
  readonly log: MemoryLog;
  readonly views: MemoryReadModel;
  readonly courier: FakeCourier;
  readonly caller: FakeCaller;
  readonly core: Engine;
  readonly troubles: unknown[];
  readonly failures: unknown[];
  /** Starts the core and waits until it has nothing to do. */
  readonly begin: () => Promise<void>;
  /** Hands a message in, to these recipients, and answers the ids that it was queued under. */
  readonly send: (recipients: readonly string[], changes?: Partial<Submission>) => Promise<readonly number[]>;
  /** Resolves when nothing moves any more until time does. */
  readonly quiet: () => Promise<void>;
  /** Moves time and waits until all that follows has happened. */
  readonly pass: (ms: number) => Promise<void>;
};

type Changes = {
  readonly accounts?: Account[];
  readonly log?: MemoryLog;
  readonly clock?: VirtualClock;
  readonly options?: Partial<EngineOptions>;
};

/** Turns of the event loop without a change after which nothing moves. */
const STILL_TURNS = 8;

export const world = ({ accounts = [anAccount()], log = memoryLog(), clock = virtualClock(), options = {} }: Changes = {}): World => {
  const views = memoryReadModel(log);
  const courier = fakeCourier();
  const caller = fakeCaller();
  const troubles: unknown[] = [];
  const failures: unknown[] = [];
  let fromIds = 0;
  const core = engine({
    log,
    contents: log.contents,
    readModel: views,
    directory: directoryOf(accounts),
    courier,
    caller,
    senderReports: fakeSenderReports,
    clock,
    node: 0,
    random: () => 0.5,
    newFromId: () => `token${(fromIds += 1)}`,
    limits: { deliveries: { total: 8, perDomain: 4 }, calls: { total: 8, perHost: 4 } },
    seedHoldRules: [],
    observe: {
      delivery: () => undefined,
      call: () => undefined,
      trouble: (_what, error) => troubles.push(error),
      failure: (error) => failures.push(error),
    },
    ...options,
  });

  const quiet = async (): Promise<void> => {
    const picture = (): string =>
      [log.head(), views.position(), courier.deliveries.length, caller.calls.length, [...log.checkpoints.values()]].join();
    for (let still = 0, before = picture(); still < STILL_TURNS;) {
      await nextTurn();
      const now = picture();
      still = now === before ? still + 1 : 0;
      before = now;
    }
  };

  return {
    clock,
    log,
    views,
    courier,
    caller,
    core,
    troubles,
    failures,
    quiet,
    begin: async () => {
      await core.prepare();
      core.start();
      await quiet();
    },
    send: async (recipients, changes = {}) => {
      const result = await core.submit(aSubmission(recipients, { account: accounts[0] ?? anAccount(), ...changes }));
      if (!result.accepted) throw new Error(`refused: ${result.refusal.reason}`);
      return result.queued.map(({ id }) => id);
    },
    pass: async (ms) => {
      clock.advance(ms);
      await quiet();
    },
  };
};

export const aSubmission = (recipients: readonly string[], changes: Partial<Submission> = {}): Submission => ({
  source: "webapi",
  account: anAccount(),
  login: addressOf("orders@shop.example"),
  from: addressOf("orders@shop.example"),
  recipients: recipients.map(addressOf),
  content: [new TextEncoder().encode("Subject: Your order\r\n\r\nThanks.\r\n")],
  messageId: "<order-1@shop.example>",
  subject: "Your order",
  extra: { order: "1" },
  requireTls: null,
  smtpUtf8: false,
  eightBit: false,
  releaseAt: null,
  ...changes,
});
