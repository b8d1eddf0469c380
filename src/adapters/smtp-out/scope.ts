/** The bounds of one delivery attempt: its deadline and the wish of the process to stop. Both must reach an open socket. */

/** `aborted`: the process stops. `deadline`: the attempt took too long. */
export type StopReason = "aborted" | "deadline";

export type Scope = {
  readonly stopped: () => StopReason | undefined;
  /** Runs `run` once when the attempt is stopped (soon, if it is already), unless the returned function was called. */
  readonly onStop: (run: () => void) => () => void;
  /** Frees the timer and the signal: for when the attempt is over. */
  readonly end: () => void;
};

const nothing = (): void => undefined;

/** A scope that stops when `signal` aborts or after `deadlineMs`, whichever is first. */
export const scopeOf = (signal: AbortSignal, deadlineMs: number): Scope => {
  let reason: StopReason | undefined;
  const listeners = new Set<() => void>();
  const stop = (why: StopReason): void => {
    if (reason !== undefined) return;
    reason = why;
    end();
    for (const run of listeners) run();
    listeners.clear();
  };
  const abort = (): void => {
    stop("aborted");
  };
  const timer = setTimeout(() => {
    stop("deadline");
  }, deadlineMs);
  const end = (): void => {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  };
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  return {
    stopped: () => reason,
    onStop: (run) => {
      if (reason !== undefined) {
        queueMicrotask(run);
        return nothing;
      }
      listeners.add(run);
      return () => void listeners.delete(run);
    },
    end,
  };
};

/** Resolves with what `promise` comes to, or with undefined as soon as the attempt is stopped. */
export const unlessStopped = async <T>(scope: Scope, promise: Promise<T>): Promise<T | undefined> => {
  let forget = nothing;
  const stopped = new Promise<undefined>((resolve) => {
    forget = scope.onStop(() => {
      resolve(undefined);
    });
  });
  try {
    return await Promise.race([promise, stopped]);
  } finally {
    forget();
  }
};
