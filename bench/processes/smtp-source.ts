/** Postfix's smtp-source as the load on any SMTP port: the same for both sides. */
import type { Cleanup } from "../cleanup.ts";
import { findTool, runChild } from "./child.ts";
import { monotonicMs } from "./counter.ts";

export type SourceLoad = {
  readonly port: number;
  readonly connections: number;
  readonly count: number;
  readonly from: string;
  readonly to: string;
  /** Every message is what this file holds. */
  readonly messageFile: string;
};

/** Whether it can be used here. */
export const hasSmtpSource = (): boolean => findTool("smtp-source") !== undefined;

/** Hands them all in over connections that are kept, and answers how many were taken per second. Throws when one was refused. */
export const smtpSource = async ({ port, connections, count, from, to, messageFile }: SourceLoad, cleanup: Cleanup): Promise<number> => {
  const tool = findTool("smtp-source");
  if (tool === undefined) throw new Error("smtp-source, a part of Postfix, is not installed");
  const shape = ["-s", String(connections), "-m", String(count), "-F", messageFile];
  const startedAt = monotonicMs();
  await runChild(tool, ["-d", ...shape, "-f", from, "-t", to, "-M", "source.bench.example", `127.0.0.1:${port}`], cleanup);
  return (count / (monotonicMs() - startedAt)) * 1_000;
};
