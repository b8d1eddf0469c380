/** The program as users run it, with what it says and how it ends. */
import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { eventually } from "./eventually.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const LINES_KEPT = 200;

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type Program = {
  /** Resolves when it has said a line that matches; rejects when it ends without. */
  readonly said: (line: RegExp) => Promise<RegExpExecArray>;
  /** The last lines that it said. */
  readonly lines: readonly string[];
  readonly exited: Promise<Exit>;
  readonly signal: (signal: NodeJS.Signals) => void;
};

export type ProgramOptions = {
  readonly env?: Readonly<Record<string, string>>;
  /** Command that runs the program as its child and ends with it: a tracer. */
  readonly under?: readonly string[];
};

/** The program that a tracer runs; the tracer itself when there is none yet. */
const tracedBy = (pid: number): number => Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim()) || pid;

/** Starts the program with these arguments, its settings in `env` alone; whoever starts it sees to its end. */
export const program = (args: readonly string[], { env = {}, under = [] }: ProgramOptions = {}): Program => {
  const [command = "", ...rest] = [...under, process.execPath, MAIN, ...args];
  const child: ChildProcess = spawn(command, rest, { stdio: ["ignore", "pipe", "pipe"], env: { PATH: process.env["PATH"], ...env } });
  const lines: string[] = [];
  const news = eventually();
  let exit: Exit | undefined;

  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream! }).on("line", (line) => {
      lines.push(line);
      if (lines.length > LINES_KEPT) lines.shift();
      news.ring();
    });
  }
  const exited = new Promise<Exit>((resolve) => {
    // Not before everything that it said has been read.
    child.once("close", (code, signal) => {
      exit = { code, signal };
      news.ring();
      resolve(exit);
    });
  });
  const heard = (): string => `exit ${JSON.stringify(exit)}; it said:\n${lines.join("\n")}`;

  return {
    lines,
    exited,
    said: async (wanted) => {
      const look = (): RegExpExecArray | "ended" | undefined => {
        for (const line of lines) {
          const match = wanted.exec(line);
          if (match !== null) return match;
        }
        return exit === undefined ? undefined : "ended";
      };
      const found = await news.until(look, heard);
      if (found === "ended") throw new Error(`it ended without saying ${wanted}: ${heard()}`);
      return found;
    },
    signal: (signal) => {
      if (exit === undefined) process.kill(under.length === 0 ? child.pid! : tracedBy(child.pid!), signal);
    },
  };
};
