/** Where all mail of the benchmark ends: Postfix's smtp-sink where it is installed, else a small one in Node. */
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { Cleanup } from "../cleanup.ts";
import { findTool, startChild } from "./child.ts";
import { counter, type Counter } from "./counter.ts";
import { lastNumber, startCounting } from "./counting.ts";
import { freePort } from "./ports.ts";

export type SmtpSink = Counter & { readonly port: number; readonly name: string };

const BACKLOG = "1000";
const START_MS = 5_000;
const POLL_MS = 20;

/** Resolves when something listens on a loopback port. */
export const listening = async (port: number, withinMs: number): Promise<void> => {
  const giveUpAt = performance.now() + withinMs;
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    try {
      await once(socket, "connect");
      return;
    } catch (error) {
      if (performance.now() > giveUpAt) throw new Error(`nothing listens on port ${port}`, { cause: error });
    } finally {
      socket.destroy();
    }
    await pause(POLL_MS);
  }
};

/** Starts the sink. */
export const startSmtpSink = async (cleanup: Cleanup): Promise<SmtpSink> => {
  const tool = findTool("smtp-sink");
  if (tool === undefined) return { ...(await startCounting("smtp", cleanup)), name: "a sink in Node (smtp-sink is not installed)" };
  const port = await freePort();
  const counts = counter("smtp-sink");
  // It refuses to run as root.
  const user = process.getuid?.() === 0 ? ["-u", "postfix"] : [];
  let rest = "";
  startChild(tool, [...user, "-c", `127.0.0.1:${port}`, BACKLOG], {
    cleanup,
    onOutput: (text) => {
      // "sess=1 quit=0 mesg=2\r", for each message anew; a number may come in two pieces.
      const counters = rest + text;
      rest = counters.slice(counters.lastIndexOf("\r") + 1);
      const count = lastNumber(counters.slice(-200), /mesg=(\d+)\s*\r/g);
      if (count !== undefined) counts.set(count);
    },
  });
  await listening(port, START_MS);
  return { ...counts, port, name: "smtp-sink" };
};
