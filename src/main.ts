/** Where the program begins. */
import { loadConfig } from "./adapters/config/load.ts";
import { formatConfigErrors } from "./adapters/config/errors.ts";
import { runServer } from "./server/run.ts";

const path = process.argv[process.argv.indexOf("--config") + 1];
const loaded = loadConfig({ path, env: process.env });
if (!loaded.ok) {
  process.stderr.write(`${formatConfigErrors(loaded.errors)}\n`);
  process.exit(2);
}
await runServer({ config: loaded.config, version: "0.1.0", announce: ({ listeners }) => `posthorn is ready: ${JSON.stringify([...listeners])}` });
