/** Webhook calls: claims due calls, makes them, records what came of it. */
import { mayBegin } from "../claim.ts";
import type { Clock } from "../clock.ts";
import type { Position } from "../event-log.ts";
import type { Caller, CallOutcome } from "../webhook/caller.ts";
import type { QueuedCall } from "../webhook/events.ts";
import type { Webhooks } from "./kinds.ts";
import type { DueItem } from "./read-model.ts";

/** Told of every recorded end of a call's attempt, for metrics and logs. */
export type CallObserver = (call: QueuedCall, attempt: number, outcome: CallOutcome) => void;

/** What becomes of a claim that was acknowledged so late that others may be about to try. */
const TOO_LATE: CallOutcome = { kind: "interrupted", reason: "the claim was acknowledged too late" };

export type Calls = {
  /** Works on due items of one lane; see `perform` of the scheduler. */
  readonly perform: (items: readonly DueItem[]) => Promise<Position>;
};

export const calls = (options: {
  readonly webhooks: Webhooks;
  readonly caller: Caller;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly observe: CallObserver;
}): Calls => {
  const { webhooks, caller, clock, signal, observe } = options;

  const make = async ({ stream }: DueItem): Promise<Position> => {
    const claim = await webhooks.execute(stream, { type: "attempt", deadlineMs: caller.deadlineMs });
    // Refused: somebody else was quicker, or it was superseded or canceled.
    if (claim.kind === "refused") return claim.position;
    const [effect] = claim.effects;
    if (effect === undefined) return claim.position;
    const { call, attempt } = effect;
    const inTime = mayBegin(claim.state.context.nextAttemptAt, clock.now(), caller.deadlineMs);
    const outcome = inTime ? await caller.call({ ...call, attempt, queuedAt: call.at }, signal) : TOO_LATE;
    const recorded = await webhooks.execute(stream, { type: "record", attempt, outcome });
    observe(call, attempt, outcome);
    return recorded.position;
  };

  return {
    perform: async (items) => (signal.aborted ? 0 : Math.max(...(await Promise.all(items.map(make))))),
  };
};
