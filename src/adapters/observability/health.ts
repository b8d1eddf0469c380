/** Whether the server is in order, for `/healthz`: for load balancers and containers, which only ask yes or no. */

/** Null when all is well, else a few words on what is not. What it throws is told to `onError`, not to the asker. */
export type HealthCheck = () => string | null | Promise<string | null>;

export type HealthOptions = {
  readonly checks: Readonly<Record<string, HealthCheck>>;
  /** A check that takes longer has failed. */
  readonly timeoutMs?: number;
  readonly onError?: (check: string, error: unknown) => void;
};

export type HealthReport = {
  readonly ok: boolean;
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly reason?: string }>>;
};

const TIMEOUT_MS = 5_000;

const withinTime = async (check: HealthCheck, timeoutMs: number): Promise<string | null> => {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, "no answer in time");
  });
  try {
    return await Promise.race([check(), tooLate]);
  } finally {
    clearTimeout(timer);
  }
};

/**
 * Runs all checks at the same time and reports on each. Never rejects. Whoever asks while a run is under way shares its
 * answer, so that asking often costs nothing.
 */
export const health = ({ checks, timeoutMs = TIMEOUT_MS, onError = () => undefined }: HealthOptions): (() => Promise<HealthReport>) => {
  const run = async (): Promise<HealthReport> => {
    const entries = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => {
        const reason = await withinTime(async () => check(), timeoutMs).catch((error: unknown) => {
          onError(name, error);
          return "failed";
        });
        return [name, reason === null ? { ok: true } : { ok: false, reason }] as const;
      }),
    );
    return { ok: entries.every(([, { ok }]) => ok), checks: Object.fromEntries(entries) };
  };

  let running: Promise<HealthReport> | undefined;
  return () => {
    running ??= run().finally(() => (running = undefined));
    return running;
  };
};
