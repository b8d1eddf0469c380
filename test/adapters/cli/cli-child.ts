/** The command line as a process of its own, for the test that starts one. */
import { parseDuration } from "../../../src/adapters/config/values.ts";
import { runCli } from "../../../src/adapters/cli/cli.ts";

const unused = (): never => {
  throw new Error("not in this test");
};

process.exitCode = await runCli(
  {
    version: "0.1.0",
    environment: process.env,
    defaults: { url: "http://localhost:1080", password: "posthorn" },
    parseDuration,
    now: Date.now,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    serve: unused,
    local: unused,
    rebuildViews: unused,
    exampleConfig: unused,
    checkConfig: unused,
    hashPassword: async (password) => `hash of ${password}`,
  },
  process.argv.slice(2),
);
