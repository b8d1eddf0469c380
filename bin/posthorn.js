#!/usr/bin/env node
/**
 * The `posthorn` command. Runs src/main.ts with a Node that knows TypeScript: this one if it is new enough, else the one
 * that the npm package "node" installed. Plain JavaScript, since any Node may be asked to run it.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

const NODE_FOR_TYPESCRIPT = 24;

const main = new URL("../src/main.ts", import.meta.url);

/** Runs main in another Node as if it were this process: its arguments, streams, signals and end. */
const runWith = (node) => {
  const child = spawn(node, ["--max-semi-space-size=16", fileURLToPath(main), ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  const forward = (signal) => child.kill(signal);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR2"]) process.on(signal, forward);
  child.on("error", (error) => {
    console.error(`posthorn: ${node} could not be started: ${error.message}`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
};

if (Number.parseInt(process.versions.node, 10) >= NODE_FOR_TYPESCRIPT) {
  process.argv[1] = fileURLToPath(main);
  await import(main.href);
} else {
  const node = fileURLToPath(new URL("../node_modules/.bin/node", import.meta.url));
  if (existsSync(node)) {
    runWith(node);
  } else {
    console.error(
      `posthorn: this is Node ${process.versions.node}; Node ${NODE_FOR_TYPESCRIPT} is needed. \`npm ci\` in Posthorn's folder installs it.`,
    );
    process.exitCode = 1;
  }
}
