/** A Postfix of its own beside Posthorn, and smtp-source, which loads it. */
import { execFile, execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Cleanup } from "../cleanup.ts";
import { findTool, runChild } from "./child.ts";
import { monotonicMs } from "./counter.ts";
import type { Load } from "./load.ts";
import { freePort } from "./ports.ts";
import { mainCf, masterCf, type PostfixPlaces } from "./postfix-files.ts";
import { temporaryDirectory } from "./posthorn.ts";
import { listening, type SmtpSink } from "./smtp-sink.ts";

/** `startedAt` is by the machine's monotonic clock; `rate` is accepted per second. */
export type PeerSent = { readonly startedAt: number; readonly durationMs: number; readonly rate: number };

export type Postfix = {
  readonly version: string;
  /** Where it takes mail and puts it on hold. */
  readonly holdPort: number;
  /** Hands in messages of about 1 KB with smtp-source, and answers how fast they were taken. */
  readonly send: (load: Load & { readonly hold?: boolean }) => Promise<PeerSent>;
};

const START_MS = 10_000;
/** Octets of a message's body, which has the size of Posthorn's. */
const BODY_OCTETS = "1024";

const idOf = (option: "-u" | "-g", user: string): number => Number(execFileSync("id", [option, user], { encoding: "utf8" }));

/** Lays out the directories with the owners and rights that Postfix asks for. */
const layOut = (root: string, places: PostfixPlaces): void => {
  chmodSync(root, 0o755); // its processes run as another user
  for (const directory of [places.configDirectory, places.queueDirectory, places.dataDirectory]) mkdirSync(directory, { mode: 0o755 });
  chownSync(places.dataDirectory, idOf("-u", "postfix"), idOf("-g", "postfix"));
  writeFileSync(join(places.configDirectory, "main.cf"), mainCf(places));
  writeFileSync(join(places.configDirectory, "master.cf"), masterCf(places));
};

/** Starts one whose mail goes to the sink. Throws, saying why, where that is not possible. */
export const startPostfix = async (sink: SmtpSink, cleanup: Cleanup): Promise<Postfix> => {
  const postfix = findTool("postfix");
  const source = findTool("smtp-source");
  const postconf = findTool("postconf");
  if (postfix === undefined || source === undefined || postconf === undefined) throw new Error("Postfix is not installed");
  if (process.getuid?.() !== 0) throw new Error("Postfix can only be started by root");
  const { path: root } = temporaryDirectory(cleanup);
  const places: PostfixPlaces = {
    configDirectory: join(root, "etc"),
    queueDirectory: join(root, "queue"),
    dataDirectory: join(root, "lib"),
    port: await freePort(),
    holdPort: await freePort(),
    sinkPort: sink.port,
  };
  layOut(root, places);
  const order = (what: "start" | "stop") => promisify(execFile)(postfix, ["-c", places.configDirectory, what]);
  let isStarted = false;
  cleanup.add(async () => {
    if (isStarted) await order("stop");
  });
  isStarted = true;
  await order("start");
  await listening(places.port, START_MS);
  const version = execFileSync(postconf, ["-dh", "mail_version"], { encoding: "utf8" }).trim();

  const send: Postfix["send"] = async ({ connections, count, recipients = 1, hold = false }) => {
    const shape = ["-s", String(connections), "-m", String(count), "-r", String(recipients), "-l", BODY_OCTETS];
    const addresses = ["-f", "bench@bench.example", "-t", "user@sink.example", "-M", "source.bench.example"];
    const startedAt = monotonicMs();
    await runChild(source, ["-d", ...shape, ...addresses, `127.0.0.1:${hold ? places.holdPort : places.port}`], cleanup);
    const durationMs = monotonicMs() - startedAt;
    return { startedAt, durationMs, rate: (count / durationMs) * 1_000 };
  };
  return { version, holdPort: places.holdPort, send };
};
