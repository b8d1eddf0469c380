/** Everything that happens because its time has come: deliveries, webhook calls, housekeeping, each with its limits. */
import type { Clock } from "../clock.ts";
import type { Position } from "../event-log.ts";
import type { Calls } from "./calls.ts";
import type { Deliveries } from "./deliveries.ts";
import type { LanePace } from "./destination-pace.ts";
import type { Housekeeping } from "./housekeeping.ts";
import type { DueItem, ReadModel, WorkKind } from "./read-model.ts";
import type { IntakePriority } from "./intake-priority.ts";
import { scheduler, type SchedulerLimits, type SchedulerOptions } from "./scheduler.ts";

export type WorkLimits = {
  /** SMTP transactions at a time. */
  readonly deliveries: { readonly total: number; readonly perDomain: number; readonly perDomainPerMinute?: number | null };
  /** Webhook calls at a time. */
  readonly calls: { readonly total: number; readonly perHost: number };
};

export type Work = {
  readonly start: () => void;
  /** Work of this process's own making, due at once; see {@link Scheduler.offer}. */
  readonly offer: (kind: "deliver" | "call", items: readonly DueItem[], position: Position) => void;
  /** Takes up nothing new; resolves when what runs has ended. */
  readonly stop: () => Promise<void>;
};

/** Recipients in one SMTP transaction: what every server must take (RFC 5321 section 4.5.3.1.8). */
const MAX_RECIPIENTS_PER_TRANSACTION = 100;

/** Housekeeping never needs more at a time. */
const HOUSEKEEPING: SchedulerLimits = { total: 64, perLane: 64, window: 512, batch: 1 };

const windowFor = (total: number): number => Math.max(512, total * 4);

export const work = (options: {
  readonly readModel: ReadModel;
  readonly clock: Clock;
  readonly limits: WorkLimits;
  readonly deliveries: Deliveries;
  readonly calls: Calls;
  readonly housekeeping: Housekeeping;
  readonly intake: Pick<IntakePriority, "holdBack" | "started">;
  /** How fast each destination is written to. */
  readonly pace: LanePace;
  readonly trouble: (kind: WorkKind, error: unknown) => void;
}): Work => {
  const { readModel, clock, limits, deliveries, calls, housekeeping, intake, pace, trouble } = options;

  type Perform = SchedulerOptions["perform"];
  type Extra = Pick<SchedulerOptions, "holdBack" | "onStart" | "pace">;
  const schedule = (kind: WorkKind, of: SchedulerLimits, perform: Perform, extra: Extra = {}) =>
    scheduler({
      ...extra,
      kind,
      readModel,
      clock,
      limits: of,
      perform,
      onError: (error) => {
        trouble(kind, error);
      },
    });

  const forDeliveries: SchedulerLimits = {
    total: limits.deliveries.total,
    perLane: limits.deliveries.perDomain,
    window: windowFor(limits.deliveries.total),
    batch: MAX_RECIPIENTS_PER_TRANSACTION,
  };
  const forCalls: SchedulerLimits = {
    total: limits.calls.total,
    perLane: limits.calls.perHost,
    window: windowFor(limits.calls.total),
    batch: 1,
  };
  const offered = {
    deliver: schedule("deliver", forDeliveries, deliveries.perform, { holdBack: intake.holdBack, onStart: intake.started, pace }),
    call: schedule("call", forCalls, calls.perform),
  };
  const all = [
    offered.deliver,
    offered.call,
    schedule("interrupt", HOUSEKEEPING, housekeeping.interrupt),
    schedule("remove", HOUSEKEEPING, housekeeping.remove),
    schedule("delete", HOUSEKEEPING, housekeeping.delete),
  ];

  return {
    offer: (kind, items, position) => {
      offered[kind].offer(items, position);
    },
    start: () => {
      for (const each of all) each.start();
    },
    stop: async () => {
      await Promise.all(all.map((each) => each.stop()));
    },
  };
};
