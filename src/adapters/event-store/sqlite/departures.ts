/**
 * When what waits for the writer is sent to it. Each message costs a commit, and while one runs all else waits for it, also
 * the client whose message is to be acknowledged. So what nobody waits for leaves in company: checkpoints and deletions with
 * the next append, and, while clients hand in one message right after the other, the steps of deliveries with the next of
 * those. Alone, such a client then meets one commit per message instead of three.
 */
import type { Operation } from "./operations.ts";
import type { PendingQueue } from "./pending-queue.ts";

/** Milliseconds and timers; tests have their own. */
export type Timing = {
  readonly now: () => number;
  /** Calls back after so many ms; the answer cancels that. */
  readonly timer: (delayMs: number, ring: () => void) => () => void;
  /** Calls back when this turn of the event loop is over. */
  readonly afterTurn: (run: () => void) => void;
};

export type Departures = {
  /** Sends all that waits. */
  readonly leave: () => void;
  /** An operation has come into the queue. */
  readonly added: (operation: Operation) => void;
  /** The writer has answered, after a commit that took so long, and may be sent the next message. */
  readonly answered: (commitMs: number) => void;
};

/** How long a checkpoint or a deletion waits for an append to go with. */
const COMPANY_MS = 20;

/** Acknowledgements follow each other closely when the time between two is at most so many commits. */
const CLOSE_COMMITS = 8;
/** The next one is waited for as long as so many usual distances. */
const PATIENCE = 2;
/** A distance counts as this at most, so that a pause is forgotten after a dozen messages, ms. */
const LONGEST_DISTANCE_MS = 50;
/** How much of an average a new value makes. */
const WEIGHT = 0.25;

/** Whether somebody may wait for this to be acknowledged: new messages bring their content, steps of what is there bring none. */
export const isUrgent = (operation: Operation): boolean => operation.kind === "append" && operation.contents.length > 0;

const SYSTEM: Timing = {
  now: () => performance.now(),
  timer: (delayMs, ring) => {
    const timer = setTimeout(ring, delayMs);
    return () => {
      clearTimeout(timer);
    };
  },
  afterTurn: setImmediate,
};

/** Says how long the next urgent operation is worth waiting for. */
const expectation = (now: () => number) => {
  let lastAt = Number.NEGATIVE_INFINITY;
  let distanceMs = LONGEST_DISTANCE_MS;
  let commitMs = 0;
  return {
    came: (): void => {
      const at = now();
      distanceMs += (Math.min(at - lastAt, LONGEST_DISTANCE_MS) - distanceMs) * WEIGHT;
      lastAt = at;
    },
    committed: (durationMs: number): void => {
      commitMs += (durationMs - commitMs) * WEIGHT;
    },
    /** 0 or less: do not wait. */
    waitMs: (): number => (distanceMs > commitMs * CLOSE_COMMITS ? 0 : lastAt + distanceMs * PATIENCE - now()),
  };
};

export const departures = (
  queue: Pick<PendingQueue, "take" | "mayGo" | "has">,
  post: (operations: readonly Operation[]) => void,
  { now, timer, afterTurn }: Timing = SYSTEM,
): Departures => {
  const next = expectation(now);
  let leaving = false; // the end of this turn of the event loop is waited for
  let patience: { readonly until: number; readonly cancel: () => void } | undefined;

  const leave = (): void => {
    patience?.cancel();
    patience = undefined;
    const operations = queue.take();
    if (operations.length > 0) post(operations);
  };

  const leaveWithin = (delayMs: number): void => {
    const until = now() + delayMs;
    if (patience !== undefined && patience.until <= until) return;
    patience?.cancel();
    patience = { until, cancel: timer(delayMs, leave) };
  };

  const leaveSoon = (): void => {
    if (leaving) return;
    leaving = true;
    afterTurn(() => {
      leaving = false;
      if (queue.mayGo()) leave();
    });
  };

  return {
    leave,
    added: (operation) => {
      if (operation.kind !== "append") {
        leaveWithin(COMPANY_MS);
        return;
      }
      const urgent = isUrgent(operation);
      if (urgent) next.came();
      if (!queue.mayGo()) return; // it goes with the others, when the answer comes
      const waitMs = urgent ? 0 : next.waitMs();
      if (waitMs > 0) leaveWithin(waitMs);
      else leaveSoon();
    },
    answered: (commitMs) => {
      next.committed(commitMs);
      if (queue.has(isUrgent)) leave();
      else if (queue.has(({ kind }) => kind === "append")) {
        const waitMs = next.waitMs();
        if (waitMs > 0) leaveWithin(waitMs);
        else leave();
      }
    },
  };
};
