/** Starts listeners that count in processes of their own: receivers of webhooks, and a sink where there is no smtp-sink. */
import type { Cleanup } from "../cleanup.ts";
import { nodeArguments, startChild } from "./child.ts";
import { counter, type Counter } from "./counter.ts";
import type { CountingJob } from "./counting-process.ts";

export type CountingListener = Counter & { readonly port: number; readonly stop: () => Promise<void> };

/** The last number that a pattern finds in a text; its first group holds it. */
export const lastNumber = (text: string, pattern: RegExp): number | undefined => {
  const last = [...text.matchAll(pattern)].at(-1)?.[1];
  return last === undefined ? undefined : Number(last);
};

/** Starts one and waits until it listens. */
export const startCounting = async (job: CountingJob, cleanup: Cleanup): Promise<CountingListener> => {
  const counts = counter(job === "smtp" ? "the SMTP sink" : "the receiver of webhooks");
  const { promise: port, resolve } = Promise.withResolvers<number>();
  let rest = "";
  const child = startChild(process.execPath, nodeArguments("counting-process.ts", job), {
    cleanup,
    onOutput: (text) => {
      const lines = rest + text;
      rest = lines.slice(lines.lastIndexOf("\n") + 1);
      const listening = lastNumber(lines, /port=(\d+)\n/g);
      if (listening !== undefined) resolve(listening);
      const count = lastNumber(lines, /count=(\d+)\n/g);
      if (count !== undefined) counts.set(count);
    },
  });
  const failed = child.ended.then(({ complaint }) => {
    throw new Error(`a listener of the benchmark did not start: ${complaint}`);
  });
  failed.catch(() => undefined);
  return { ...counts, port: await Promise.race([port, failed]), stop: child.stop };
};
