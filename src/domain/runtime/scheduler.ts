/**
 * Turns what is due into work: takes due items of one kind from the views, lets lanes (destination domains, webhook
 * hosts) take turns, and bounds what runs in all and per lane. Whether an item is still due is decided by its own stream
 * when the work claims it.
 */
import type { CancelTimer, Clock, Instant } from "../clock.ts";
import { SECOND_MS } from "../clock.ts";
import type { Position } from "../event-log.ts";
import type { LanePace } from "./destination-pace.ts";
import { dueWindow, type DueWindow, type Piece, type WindowLimits } from "./due-window.ts";
import type { DueItem, ReadModel, Soonest, WorkKind } from "./read-model.ts";

export type SchedulerLimits = WindowLimits & {
  /** Pieces of work at a time, in all. */
  readonly total: number;
};

/** The views may say again that what was offered is due: this long after that they are asked, whatever it was, ms. */
const LOOK_AFTER_OFFER_MS = 20;

export type Scheduler = {
  readonly start: () => void;
  /**
   * Takes up items whose first events stand at `position` or before, without waiting for the views to show them. What
   * there is no room for is found in the views.
   */
  readonly offer: (items: readonly DueItem[], position: Position) => void;
  /** Takes nothing new and resolves when what runs has ended. */
  readonly stop: () => Promise<void>;
  /** Pieces of work running now. */
  readonly running: () => number;
};

export type SchedulerOptions = {
  readonly kind: WorkKind;
  readonly readModel: ReadModel;
  readonly clock: Clock;
  readonly limits: SchedulerLimits;
  /**
   * Does the work; resolves with the position of its last event, so that the items are not taken up again before the views
   * know. It may call `leaveLane` when nothing is left to do but to store what came of it.
   */
  readonly perform: (items: readonly DueItem[], leaveLane: () => void) => Promise<Position>;
  readonly onError: (error: unknown, items: readonly DueItem[]) => void;
  /** Asked before each piece of work; while it answers a time to wait, ms, nothing is started. Absent: never. */
  readonly holdBack?: () => number;
  /** How fast each lane may go; absent: as its limit says. */
  readonly pace?: LanePace;
  /** Told of each piece of work that is started. */
  readonly onStart?: (items: number) => void;
};

/**
 * Time that everything is left alone after work threw, for the store is in trouble, and that an item is left alone whose
 * work changed nothing, for the views may be wrong about it: hammering does not help.
 */
const TROUBLE_PAUSE_MS = SECOND_MS;

/** Calls back at an instant, the earliest asked for since the last time. */
const alarm = (clock: Clock, ring: () => void) => {
  let set: { readonly at: Instant; readonly cancel: CancelTimer } | undefined;
  const clear = (): void => {
    set?.cancel();
    set = undefined;
  };
  const at = (instant: Instant): void => {
    clear();
    const cancel = clock.timer(instant, () => {
      set = undefined;
      ring();
    });
    set = { at: instant, cancel };
  };
  return {
    clear,
    at: (instant: Instant): void => {
      if (set?.at !== instant) at(instant);
    },
    /** As `at`, unless it rings earlier anyway. */
    notAfter: (instant: Instant): void => {
      if (set === undefined || instant < set.at) at(instant);
    },
  };
};

/** Pieces of work under way, and what becomes of them when they end. */
const running = (
  { perform, onError, clock, readModel }: SchedulerOptions,
  on: {
    readonly ended: () => void;
    readonly laneLeft: () => void;
    readonly unchanged: (until: Instant) => void;
    readonly failed: () => void;
  },
) => {
  const jobs = new Set<Promise<void>>();
  const begin = ({ items, leaveLane, end }: Piece): void => {
    const seen = readModel.position();
    const ended = (position: Position): void => {
      // Nothing was stored, so the views will go on to show it as due.
      const notBefore = position > seen ? 0 : clock.now() + TROUBLE_PAUSE_MS;
      end(position, notBefore);
      if (notBefore > 0) on.unchanged(notBefore);
    };
    const failed = (error: unknown): void => {
      onError(error, items);
      end(0);
      on.failed();
    };
    const job = perform(items, () => {
      leaveLane();
      on.laneLeft();
    })
      .then(ended, failed)
      .finally(() => {
        jobs.delete(job);
        on.ended();
      });
    jobs.add(job);
  };
  return { begin, count: () => jobs.size, allEnded: () => Promise.all(jobs) };
};

/** Work that came without the views, which may bring it again. */
const offering = (window: DueWindow, readModel: Pick<ReadModel, "position">) => {
  let upTo: Position = 0;
  return {
    /** False when there is no room for it. */
    take: (items: readonly DueItem[], position: Position): boolean => {
      if (!window.hasRoom()) return false;
      window.add(items);
      upTo = Math.max(upTo, position);
      return true;
    },
    /** Whether what the views have shown until now may be nothing but what was offered. */
    explain: (): boolean => readModel.position() <= upTo,
  };
};

export const scheduler = (options: SchedulerOptions): Scheduler => {
  const { kind, readModel, clock, limits, holdBack = () => 0, onStart = () => undefined } = options;
  const window = dueWindow(limits, options.pace);
  let mayHaveMore = true;
  let paused = false;
  let stopped = true;
  let unsubscribe: () => void = () => undefined;
  /** What is due at `lookedAt` or before has been asked for; what comes later has yet to be, unless `undefined`. */
  let lookedAt: Instant | undefined;
  const offers = offering(window, readModel);

  const look = (): void => {
    if (!mayHaveMore || !window.hasRoom()) return;
    lookedAt = clock.now();
    mayHaveMore = window.add(readModel.due({ kind, at: lookedAt, ...window.wanted() })) > 0;
  };

  const wakeForNext = (): void => {
    if (lookedAt === undefined || (mayHaveMore && window.waiting() > 0)) return;
    // Not after the present: what fell due since the look would be passed over.
    const next = readModel.nextDueAt(kind, lookedAt);
    lookedAt = undefined;
    if (next === undefined) wake.clear();
    else wake.at(next);
  };

  const beginWork = (): void => {
    while (!stopped && !paused && work.count() < limits.total && window.waiting() > 0) {
      const waitMs = holdBack();
      if (waitMs > 0) {
        resume.notAfter(clock.now() + waitMs);
        return;
      }
      const piece = window.next(clock.now());
      if (piece === undefined) {
        if (window.heldBackMs() < Infinity) resume.notAfter(clock.now() + window.heldBackMs());
        return;
      }
      onStart(piece.items.length);
      work.begin(piece);
    }
  };

  const pump = (): void => {
    if (stopped || paused) return;
    if (window.settle(readModel.position(), clock.now()) > 0) mayHaveMore = true;
    look();
    beginWork();
    wakeForNext();
  };

  const lookAgain = (): void => {
    mayHaveMore = true;
    paused = false;
    pump();
  };
  const [wake, retry] = [alarm(clock, lookAgain), alarm(clock, lookAgain)];
  const resume = alarm(clock, pump); // for what is known but held back: no need to look for more

  const work = running(options, {
    ended: pump,
    laneLeft: beginWork,
    unchanged: (until) => {
      if (!stopped) retry.notAfter(until);
    },
    failed: () => {
      if (paused || stopped) return;
      paused = true;
      wake.clear();
      resume.clear();
      retry.at(clock.now() + TROUBLE_PAUSE_MS);
    },
  });

  /** A step of the views says what it brought, so that most steps need no look. */
  const advanced = (soonest?: Soonest): void => {
    const dueAt = soonest?.[kind];
    if (soonest === undefined) mayHaveMore = true;
    else if (dueAt !== undefined && dueAt <= clock.now()) {
      if (!offers.explain()) mayHaveMore = true;
      else if (!stopped && !paused) retry.notAfter(clock.now() + LOOK_AFTER_OFFER_MS);
    } else if (dueAt !== undefined && !stopped && !paused) wake.notAfter(dueAt);
    pump();
  };

  return {
    offer: (items, position) => {
      if (!stopped && !paused && offers.take(items, position)) beginWork();
    },
    start: () => {
      if (!stopped) return;
      stopped = false;
      unsubscribe = readModel.onAdvance(advanced);
      pump();
    },
    stop: async () => {
      stopped = true;
      unsubscribe();
      wake.clear();
      retry.clear();
      resume.clear();
      await work.allEnded();
    },
    running: work.count,
  };
};
