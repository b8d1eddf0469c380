/** Runs the generator of SMTP submissions against a Posthorn. */
import type { Cleanup } from "../cleanup.ts";
import { nodeArguments, runChild } from "./child.ts";
import type { Load, Sent } from "./load.ts";
import type { LoadResult } from "./generator.ts";
import type { Posthorn } from "./posthorn.ts";
import type { SubmissionJob } from "./submission-process.ts";

let numbered = 0;

/** Submits it all to a port for submission and answers how that went. Throws when a message was refused: then the figure would mean nothing. */
export const submit = async (
  server: Pick<Posthorn, "port" | "login" | "password">,
  { connections, count }: Pick<Load, "connections" | "count">,
  cleanup: Cleanup,
): Promise<Sent> => {
  const { port, login, password } = server;
  const job: SubmissionJob = { port, login, password, connections, count, from: numbered };
  numbered += count;
  const result = JSON.parse(await runChild(process.execPath, nodeArguments("submission-process.ts", job), cleanup)) as LoadResult;
  if (result.refused > 0) throw new Error(`${result.refused} messages were refused, the first with: ${result.firstRefusal ?? ""}`);
  return { ...result, rate: (result.accepted / result.durationMs) * 1_000 };
};
