/**
 * A listener in a process of its own that says how much it has counted: `port=N` once, then `count=N` whenever there is
 * news, a few hundred times a second at most. Ends when whoever started it does.
 */
import { listenSmtp } from "./smtp-listener.ts";
import { listenWebhooks } from "./webhook-listener.ts";

/** Kind of listener, given as JSON. */
export type CountingJob = "smtp" | "webhooks";

const REPORT_MS = 4;

const job = JSON.parse(process.argv[2] ?? '""') as CountingJob;
let count = 0;
let reporting = false;

const counted = (): void => {
  count += 1;
  if (reporting) return;
  reporting = true;
  setTimeout(() => {
    reporting = false;
    process.stdout.write(`count=${count}\n`);
  }, REPORT_MS);
};

const { port } = job === "smtp" ? await listenSmtp(counted) : await listenWebhooks(counted);
process.stdout.write(`port=${port}\n`);
process.stdin.resume().once("close", () => process.exit());
process.once("SIGTERM", () => process.exit());
