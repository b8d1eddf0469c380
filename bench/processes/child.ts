/** Child processes that are ended with the benchmark, and whose words are kept for when they fail. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Cleanup } from "../cleanup.ts";

/** Octets of a child's error output that are kept. */
const KEPT_OCTETS = 8_192;
const STOP_GRACE_MS = 15_000;

export type Child = {
  readonly pid: number;
  readonly process: ChildProcess;
  /** Asks it to end and waits, then makes it. */
  readonly stop: () => Promise<void>;
  /** Resolves with the exit code (or the signal's name) and what it said on stderr. */
  readonly ended: Promise<{ readonly code: number | string; readonly complaint: string }>;
};

/** Folders where system tools are that are not on everybody's path. */
const TOOL_FOLDERS = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];

/** Full path of an installed program; undefined when there is none. */
export const findTool = (name: string): string | undefined =>
  TOOL_FOLDERS.map((folder) => join(folder, name)).find((path) => existsSync(path));

export type ChildOptions = { readonly cleanup: Cleanup; readonly onOutput?: (text: string) => void };

/** Starts a program. */
export const startChild = (command: string, args: readonly string[], { cleanup, onOutput }: ChildOptions): Child => {
  const stop = cleanup.add(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_GRACE_MS);
    await ended;
    clearTimeout(timer);
  });
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
  let complaint = "";
  child.stdout.setEncoding("latin1").on("data", (text: string) => onOutput?.(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(-KEPT_OCTETS);
  });
  child.stdin.on("error", () => undefined);
  const ended = new Promise<{ code: number | string; complaint: string }>((resolve) => {
    child.once("error", (error) => {
      resolve({ code: error.message, complaint });
    });
    child.once("close", (code, signal) => {
      resolve({ code: code ?? signal ?? "unknown", complaint });
    });
  });
  return { pid: child.pid ?? 0, process: child, stop, ended };
};

/** Runs a program to its end and answers what it wrote; throws when it fails, with its complaint. */
export const runChild = async (command: string, args: readonly string[], cleanup: Cleanup): Promise<string> => {
  let output = "";
  const child = startChild(command, args, {
    cleanup,
    onOutput: (text) => {
      output += text;
    },
  });
  const { code, complaint } = await child.ended;
  await child.stop();
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${complaint.trim() === "" ? output.trim() : complaint.trim()}`);
  return output;
};

/** Arguments for a TypeScript file beside this one, in this same Node. */
export const nodeArguments = (file: string, job: unknown, options: readonly string[] = []): readonly string[] => [
  ...options,
  join(import.meta.dirname, file),
  JSON.stringify(job),
];
