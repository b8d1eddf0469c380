/** The operations that wait for the writer, and those that it has: answers come in the order of asking. */
import { StoreUnavailable } from "../store-unavailable.ts";
import type { Operation, Outcome } from "./operations.ts";

/** Messages under way at a time. A second would keep the writer busy without a pause, but with fewer in each commit. */
const PACKETS_UNDER_WAY = 1;

type Pending = {
  readonly operation: Operation;
  readonly resolve: (outcome: number | string) => void;
  readonly reject: (error: Error) => void;
};

/** Who waits for what, in the order of handing in. */
export type PendingQueue = {
  readonly add: (pending: Pending) => void;
  /** Whether a message may be sent now. */
  readonly mayGo: () => boolean;
  /** Whether such an operation is among what waits. */
  readonly has: (such: (operation: Operation) => boolean) => boolean;
  /** Everything that was added since the last message, as the next one; empty when there is nothing. */
  readonly take: () => readonly Operation[];
  /** Tells the operations of the oldest `packets` messages what they came to. */
  readonly answer: (packets: number, outcomes: readonly Outcome[]) => void;
  readonly rejectAll: (error: StoreUnavailable) => void;
};

/** An empty queue. `onStored` is told of each stored operation before whoever waits for it. */
export const pendingQueue = (onStored: (operation: Operation, outcome: number) => void): PendingQueue => {
  let waiting: Pending[] = [];
  let underWay: (readonly Pending[])[] = [];

  const settle = ({ operation, resolve, reject }: Pending, outcome: Outcome): void => {
    if (typeof outcome === "number") onStored(operation, outcome);
    if (typeof outcome !== "object") resolve(outcome);
    else reject(outcome.reason === null ? new Error(outcome.message) : new StoreUnavailable(outcome.reason, outcome.message));
  };

  return {
    add: (pending) => void waiting.push(pending),
    has: (such) => waiting.some(({ operation }) => such(operation)),
    mayGo: () => underWay.length < PACKETS_UNDER_WAY,
    take: () => {
      if (waiting.length === 0) return [];
      underWay.push(waiting);
      const operations = waiting.map(({ operation }) => operation);
      waiting = [];
      return operations;
    },
    answer: (packets, outcomes) => {
      const answered = underWay.splice(0, packets).flat();
      outcomes.forEach((outcome, index) => {
        const pending = answered[index];
        if (pending !== undefined) settle(pending, outcome);
      });
    },
    rejectAll: (error) => {
      const all = [...underWay.flat(), ...waiting];
      underWay = [];
      waiting = [];
      for (const { reject } of all) reject(error);
    },
  };
};
