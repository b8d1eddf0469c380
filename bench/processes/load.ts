/** Runs the load generator against a Posthorn. */
import type { Cleanup } from "../cleanup.ts";
import { nodeArguments, runChild } from "./child.ts";
import type { LoadResult } from "./generator.ts";
import type { LoadJob } from "./load-process.ts";
import type { Posthorn } from "./posthorn.ts";

export type Load = Pick<LoadJob, "connections" | "count"> & Partial<Pick<LoadJob, "recipients" | "domains">>;

export type Sent = LoadResult & {
  /** Accepted, per second. */
  readonly rate: number;
};

let numbered = 0;

/** Sends it all and answers how that went. Throws when a message was refused: then the figure would mean nothing. */
export const send = async (
  server: Posthorn,
  { connections, count, recipients = 1, domains = 1 }: Load,
  cleanup: Cleanup,
): Promise<Sent> => {
  const { port, login, password } = server;
  const job: LoadJob = { port, login, password, connections, count, recipients, domains, from: numbered };
  numbered += count;
  const result = JSON.parse(await runChild(process.execPath, nodeArguments("load-process.ts", job), cleanup)) as LoadResult;
  if (result.refused > 0) throw new Error(`${result.refused} messages were refused, the first with: ${result.firstRefusal ?? ""}`);
  return { ...result, rate: (result.accepted / result.durationMs) * 1_000 };
};
