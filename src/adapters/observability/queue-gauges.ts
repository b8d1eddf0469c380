/** Gauges that are looked up when somebody asks for them: how much waits, and how long the oldest has been due. */
import { Gauge, type Registry } from "prom-client";

import type { Instant } from "../../domain/clock.ts";

/** Lists whose length is shown, as the views count them. */
export type CountedRows = "queue" | "webhook_calls" | "retired" | "webhook_retired" | "suppressions" | "received";

export type QueueReadings = {
  readonly now: () => Instant;
  /** Rows of a list by state; rows of one state may come in several parts, such as one for each account. */
  readonly counts: (list: CountedRows) => readonly { readonly state: string; readonly rows: number }[];
  /** When the earliest waiting delivery or call is or was due; undefined when none waits. */
  readonly earliestDueAt: (kind: "deliver" | "call") => Instant | undefined;
  /** Events in the log that the views have not taken in yet, by position. */
  readonly viewsBehind: () => number;
};

/** Always shown, at 0 too, so that an alert on them has something to look at. */
const MESSAGE_STATES = ["queued", "held", "attempting", "uncertain"] as const;
const CALL_STATES = ["waiting", "queued", "attempting"] as const;
const KEPT_LISTS = ["retired", "webhook_retired", "suppressions", "received"] as const;

const MAX_STATES = 32;

const byState = (rows: ReturnType<QueueReadings["counts"]>, always: readonly string[]): ReadonlyMap<string, number> => {
  const sums = new Map<string, number>(always.map((state) => [state, 0]));
  for (const { state, rows: count } of rows) {
    const label = sums.has(state) || sums.size < MAX_STATES ? state : "other";
    sums.set(label, (sums.get(label) ?? 0) + count);
  }
  return sums;
};

/** Registers the gauges. A reading that fails leaves its gauge out of the answer and is told to `onError`. */
export const queueGauges = (registry: Registry, readings: QueueReadings, onError: (error: unknown) => void): void => {
  const gauge = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    read: (gauge: Gauge<Label>) => void,
  ): void => {
    new Gauge<Label>({
      name: `posthorn_${name}`,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        try {
          read(this);
        } catch (error) {
          // A gauge without labels would stand at 0, which is a value.
          if (labelNames.length === 0) this.remove();
          else this.reset();
          onError(error);
        }
      },
    });
  };

  const depth = (name: string, help: string, list: CountedRows, always: readonly string[]): void => {
    gauge(name, help, ["state"], (target) => {
      for (const [state, rows] of byState(readings.counts(list), always)) target.set({ state }, rows);
    });
  };
  depth("queue_messages", "Messages in the queue, by state", "queue", MESSAGE_STATES);
  depth("webhook_calls", "Webhook calls not done, by state", "webhook_calls", CALL_STATES);

  gauge("kept_rows", "Rows kept after the end or for good: retired messages and calls, suppressions, received mail", ["list"], (target) => {
    for (const list of KEPT_LISTS) {
      const total = readings.counts(list).reduce((sum, { rows }) => sum + rows, 0);
      target.set({ list }, total);
    }
  });
  gauge("oldest_due_age_seconds", "How long the oldest waiting delivery or webhook call has been due", ["kind"], (target) => {
    for (const kind of ["deliver", "call"] as const) {
      const dueAt = readings.earliestDueAt(kind);
      target.set({ kind }, dueAt === undefined ? 0 : Math.max(0, readings.now() - dueAt) / 1_000);
    }
  });
  gauge("views_behind_positions", "Positions of the event log that the views have not passed yet", [], (target) => {
    target.set(readings.viewsBehind());
  });
};
