/** Building the views from the whole log, with a log that real traffic has written. */
import { join } from "node:path";
import { atLeast, type Figure } from "../figures.ts";
import { nodeArguments, runChild } from "../processes/child.ts";
import { startCounting } from "../processes/counting.ts";
import { send } from "../processes/load.ts";
import { startPosthorn, temporaryDirectory } from "../processes/posthorn.ts";
import type { RebuildJob, RebuildResult } from "../processes/rebuild-process.ts";
import { serverOptions, type Bench, type Scenario } from "../scenario.ts";
import { median } from "../statistics.ts";

const LEAST_PER_SECOND = 30_000;

const run = async (bench: Bench): Promise<readonly Figure[]> => {
  const { quick, rounds, cleanup, profileDirectory } = bench;
  const { path, remove } = temporaryDirectory(cleanup);
  const directory = join(path, "data");
  const receiver = await startCounting("webhooks", cleanup);
  const server = await startPosthorn({ ...serverOptions(bench), webhookPort: receiver.port, dataDirectory: directory });
  bench.progress("writing a log");
  const count = quick ? 2_000 : 12_000;
  await send(server, { connections: 16, count }, cleanup);
  await receiver.reached(count);
  await server.stop();
  await receiver.stop();

  bench.progress("building");
  const results: RebuildResult[] = [];
  const profiling = profileDirectory === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileDirectory}`];
  for (let round = 0; round < rounds; round += 1) {
    const job: RebuildJob = { directory };
    const output = await runChild(process.execPath, nodeArguments("rebuild-process.ts", job, profiling), cleanup);
    results.push(JSON.parse(output) as RebuildResult);
  }
  await remove();
  const value = median(results.map(({ events, durationMs }) => (events / durationMs) * 1_000));
  const events = results[0]?.events ?? 0;
  const target = atLeast(value, LEAST_PER_SECOND, "/s");
  return [{ name: "Rebuild of the views, events", value, unit: "/s", target, detail: `${events.toLocaleString("en")} events` }];
};

export const rebuild: Scenario = { name: "rebuild", about: "rebuilding the views from the log", run };
