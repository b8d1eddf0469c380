/** Runs the load generators against a Posthorn. */
import type { Cleanup } from "../cleanup.ts";
import { nodeArguments, runChild } from "./child.ts";
import type { GeneratorJob, LoadResult } from "./generator.ts";
import type { LoadJob } from "./load-process.ts";
import type { Posthorn } from "./posthorn.ts";
import type { SubmissionJob } from "./submission-process.ts";

export type Load = Pick<LoadJob, "connections" | "count"> & Partial<Pick<LoadJob, "recipients" | "domains">>;

export type Sent = LoadResult & {
  /** Accepted, per second. */
  readonly rate: number;
};

/** Runs a generator. Throws when a message was refused: then the figure would mean nothing. */
const handIn = async (program: string, job: GeneratorJob, cleanup: Cleanup): Promise<Sent> => {
  const result = JSON.parse(await runChild(process.execPath, nodeArguments(program, job), cleanup)) as LoadResult;
  if (result.refused > 0) throw new Error(`${result.refused} messages were refused, the first with: ${result.firstRefusal ?? ""}`);
  return { ...result, rate: (result.accepted / result.durationMs) * 1_000 };
};

let numbered = 0;

/** Number of the first of so many messages: no two of the benchmark have the same. */
const numbers = (count: number): number => {
  numbered += count;
  return numbered - count;
};

/** Calls Send for all of it and answers how that went. */
export const send = (server: Posthorn, { connections, count, recipients = 1, domains = 1 }: Load, cleanup: Cleanup): Promise<Sent> => {
  const { port, login, password } = server;
  const job: LoadJob = { port, login, password, connections, count, recipients, domains, from: numbers(count) };
  return handIn("load-process.ts", job, cleanup);
};

/** Submits it all over SMTP, to a port for submission, and answers how that went. */
export const submit = (
  server: Pick<Posthorn, "port" | "login" | "password">,
  { connections, count }: Pick<Load, "connections" | "count">,
  cleanup: Cleanup,
): Promise<Sent> => {
  const { port, login, password } = server;
  const job: SubmissionJob = { port, login, password, connections, count, from: numbers(count) };
  return handIn("submission-process.ts", job, cleanup);
};
