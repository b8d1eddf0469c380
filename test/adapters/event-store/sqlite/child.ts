/** Runs the appending child and listens to what it says. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const APPENDING_CHILD = fileURLToPath(new URL("appending-child.ts", import.meta.url));

export type AppendingChild = {
  /** The next line that it prints; undefined at its end. */
  readonly nextLine: () => Promise<string | undefined>;
  /** Kills it like a power switch would, and waits until it is gone. What it had printed can still be read. */
  readonly kill: () => Promise<void>;
};

export const appendingChild = (directory: string, concurrency: number): AppendingChild => {
  const child: ChildProcess = spawn(process.execPath, [APPENDING_CHILD, directory, String(concurrency), "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  return {
    nextLine: async () => {
      const { done, value } = await lines.next();
      return done === true ? undefined : value;
    },
    kill: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
};
