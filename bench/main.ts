/**
 * `npm run bench`: measures a Posthorn that runs as in earnest, in its own process, and holds the figures against their
 * targets. Only loopback and temporary directories are used, and nothing is left behind, also on Ctrl-C.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { cleanup } from "./cleanup.ts";
import { readCommandLine, USAGE, type Asked } from "./command-line.ts";
import type { Figure } from "./figures.ts";
import { startPostfix, type Postfix } from "./processes/postfix.ts";
import { startSmtpSink, type SmtpSink } from "./processes/smtp-sink.ts";
import type { Bench, Scenario } from "./scenario.ts";
import { destinations } from "./scenarios/destinations.ts";
import { hundredRecipients } from "./scenarios/hundred-recipients.ts";
import { idleLatency } from "./scenarios/idle-latency.ts";
import { receive } from "./scenarios/receive.ts";
import { largeMessage } from "./scenarios/large-message.ts";
import { rebuild } from "./scenarios/rebuild.ts";
import { sendAndDeliver } from "./scenarios/send-and-deliver.ts";
import { sendOnHold, submission } from "./scenarios/on-hold.ts";
import { waitingMessages } from "./scenarios/waiting-messages.ts";
import { webhooks } from "./scenarios/webhooks.ts";
import { table } from "./table.ts";

const SCENARIOS: readonly Scenario[] = [
  sendAndDeliver,
  sendOnHold,
  destinations,
  submission,
  webhooks,
  idleLatency,
  hundredRecipients,
  receive,
  largeMessage,
  rebuild,
  waitingMessages,
];
const ROUNDS = 3;

/** Everything is being ended before its time. */
const interruption = new AbortController();
const cautions: string[] = [];
const caution = (text: string): void => void cautions.push(text);
const progress = (text: string): void => {
  process.stderr.write(`${text}\n`);
};
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const cleaningFailed = (error: unknown): void => {
  progress(`cleaning up: ${messageOf(error)}`);
};
const everything = cleanup(cleaningFailed);

const peer = async (asked: Asked, sink: SmtpSink): Promise<Postfix | undefined> => {
  if (!asked.postfix) {
    caution("Postfix was not measured beside (--peer postfix): targets that are ratios to it are not compared");
    return undefined;
  }
  try {
    return await startPostfix(sink, everything);
  } catch (error) {
    caution(`Postfix could not be measured: ${messageOf(error)}`);
    return undefined;
  }
};

const measure = async (asked: Asked): Promise<readonly Figure[]> => {
  const { quick } = asked;
  const profileDirectory = asked.profileDirectory === undefined ? undefined : resolve(asked.profileDirectory);
  if (profileDirectory !== undefined) {
    mkdirSync(profileDirectory, { recursive: true });
    caution("servers were profiled: they are slower than in earnest");
  }
  if (quick) caution("--quick: one small round of each, figures are only roughly right");
  const sink = await startSmtpSink(everything);
  const postfix = await peer(asked, sink);
  const figures: Figure[] = [];
  for (const scenario of SCENARIOS) {
    if (asked.only.length > 0 && !asked.only.includes(scenario.name)) continue;
    if (interruption.signal.aborted) break;
    progress(`${scenario.name}: ${scenario.about}`);
    // Its own, so that what a scenario leaves when it fails does not run beside the next.
    const own = cleanup(cleaningFailed);
    const end = everything.add(own.run);
    const bench: Bench = {
      ...{ quick, rounds: quick ? 1 : ROUNDS, postfix, sink, cleanup: own, profileDirectory, caution },
      progress: (text) => {
        progress(`  ${text}`);
      },
    };
    try {
      figures.push(...(await scenario.run(bench)));
    } catch (error) {
      process.exitCode = 1;
      caution(`${scenario.name} could not be measured: ${messageOf(error)}`);
    }
    await end();
  }
  const cores = availableParallelism();
  const beside = postfix === undefined ? "" : `, Postfix ${postfix.version}`;
  console.log(`\nNode ${process.versions.node}${beside}, mail to ${sink.name}, load and servers share ${cores} cores\n`);
  return figures;
};

const report = (figures: readonly Figure[], { jsonFile }: Asked): void => {
  console.log(table(figures));
  console.log("\nRatios to Postfix must reach the number in the target; elsewhere they are measured / target.");
  for (const text of cautions) console.log(`- ${text}`);
  if (jsonFile !== undefined) writeFileSync(jsonFile, `${JSON.stringify({ figures, cautions }, undefined, 2)}\n`);
};

let asked: Asked;
try {
  asked = readCommandLine(
    process.argv.slice(2),
    SCENARIOS.map(({ name }) => name),
  );
} catch (error) {
  console.error(`${messageOf(error)}\n\n${USAGE}`);
  process.exit(2);
}

const endEarly = (why: string, code: number): void => {
  if (interruption.signal.aborted) return;
  interruption.abort();
  progress(`${why}: cleaning up`);
  void everything.run().then(() => process.exit(code));
};
for (const [signal, code] of [["SIGINT", 130] as const, ["SIGTERM", 143] as const]) {
  process.on(signal, () => {
    endEarly(signal, code);
  });
}
process.on("uncaughtException", (error) => {
  endEarly(error.stack ?? error.message, 1);
});

try {
  const figures = await measure(asked);
  if (!interruption.signal.aborted) report(figures, asked);
} catch (error) {
  process.exitCode = 1;
  console.error(messageOf(error));
} finally {
  if (!interruption.signal.aborted) await everything.run();
}
