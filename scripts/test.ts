/**
 * Runs the tests. Node's own runner passes when no file matches, and bounds single tests but not the run; and nobody
 * notices a process that a test leaves behind. This does. `npm test -- test/domain` runs a part, options are handed on.
 */
import { spawn } from "node:child_process";
import { globSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const root = dirname(import.meta.dirname);

/** Two at a time: what a small machine has, and journeys that wait for each other's sockets gain nothing from more. */
const CONCURRENCY = 2;
/** Against what hangs, on the slowest machine: a test takes seconds, the whole some minutes. */
const ONE_TEST_LIMIT_MS = 5 * 60_000;
const WHOLE_RUN_LIMIT_MS = 40 * 60_000;
/** From asking the runner to stop (it then names what was running) to making it. */
const STOP_GRACE_MS = 5_000;

const filesOf = (path: string): readonly string[] => {
  const folder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  return globSync(folder ? join(path, "**/*.test.ts") : path, { cwd: root });
};

/** Processes of a process group that still run (zombies do not), as "pid command"; none where there is no /proc. */
const stillRunning = (group: number): readonly string[] => {
  let pids: string[];
  try {
    pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
  return pids.flatMap((pid) => {
    try {
      // After the command in parentheses: state, parent, process group.
      const [state, , pgrp] = readFileSync(`/proc/${pid}/stat`, "latin1")
        .replace(/^.*\) /s, "")
        .split(" ");
      if (Number(pgrp) !== group || state === "Z" || state === "X") return [];
      return [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ").trim()}`];
    } catch {
      return []; // ended meanwhile
    }
  });
};

const options = process.argv.slice(2).filter((argument) => argument.startsWith("-"));
const asked = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const paths = asked.length === 0 ? [join(root, "test")] : asked;
const empty = paths.find((path) => filesOf(path).length === 0);
if (empty !== undefined) {
  console.error(`no test file matches ${relative(process.cwd(), empty) || empty}`);
  process.exit(1);
}

const files = [...new Set(paths.flatMap(filesOf))].sort();
const limits = [`--test-concurrency=${CONCURRENCY}`, `--test-timeout=${ONE_TEST_LIMIT_MS}`];
const runner = spawn(process.execPath, ["--test", ...limits, ...options, ...files], {
  cwd: root,
  stdio: ["ignore", "inherit", "inherit"],
  detached: true,
});
const group = runner.pid;
if (group === undefined) throw new Error("the test runner could not be started");

const signalGroup = (signal: NodeJS.Signals): void => {
  try {
    process.kill(-group, signal);
  } catch {
    // nobody there any more
  }
};

let outOfTime = false;
const limit = setTimeout(() => {
  outOfTime = true;
  runner.kill("SIGINT");
  setTimeout(signalGroup, STOP_GRACE_MS, "SIGKILL").unref();
}, WHOLE_RUN_LIMIT_MS);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => runner.kill(signal));

runner.on("exit", (code) => {
  clearTimeout(limit);
  const left = outOfTime ? [] : stillRunning(group);
  signalGroup("SIGKILL");
  if (outOfTime) console.error(`the tests were stopped after ${WHOLE_RUN_LIMIT_MS / 60_000} minutes; the ones named above were running`);
  if (left.length > 0) console.error(`left running by the tests, killed:\n  ${left.join("\n  ")}`);
  process.exitCode = outOfTime || left.length > 0 ? 1 : (code ?? 1);
});
