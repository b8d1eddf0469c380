/** A server as a process: starts, says so, stops on a signal, and ends with a reason when it cannot go on. */
import { pino, type Logger } from "pino";
import { systemClock } from "../adapters/clock/system-clock.ts";
import type { Config } from "../adapters/config/schema.ts";
import { logger } from "../adapters/observability/logger.ts";
import { configureGarbageCollection } from "./garbage-collection.ts";
import { startPosthorn, type Posthorn, type StartOptions } from "./start.ts";

/** Time that open attempts and requests get to end by themselves. */
const GRACE_MS = 20_000;
/** After this the process ends whatever still runs: the next start closes what was left open. */
const FORCED_EXIT_MS = GRACE_MS + 15_000;

/** Lines are written in batches; what is left is written before the process ends. */
const LOG_BUFFER_OCTETS = 4_096;
const LOG_FLUSH_MS = 200;

type LogOutput = { readonly log: Logger; readonly flush: () => void };

const openLog = (level: Config["logLevel"]): LogOutput => {
  const destination = pino.destination({ fd: 1, sync: false, minLength: LOG_BUFFER_OCTETS });
  const timer = setInterval(() => {
    destination.flush();
  }, LOG_FLUSH_MS);
  timer.unref();
  return {
    log: logger({ level, destination }),
    flush: () => {
      try {
        destination.flushSync();
      } catch {
        // Nobody reads the log any more.
      }
    },
  };
};

const exitWith = (code: number, { flush }: LogOutput): never => {
  flush();
  process.exit(code);
};

/** Ends the process on signals and on what cannot be mended; `posthorn` is undefined until it has started. */
const watch = (output: LogOutput, posthorn: () => Posthorn | undefined) => {
  const { log } = output;
  let stopping = false;

  const stop = async (code: number): Promise<void> => {
    if (stopping) return exitWith(1, output); // asked twice: at once
    stopping = true;
    setTimeout(() => exitWith(1, output), FORCED_EXIT_MS).unref();
    try {
      await posthorn()?.stop(GRACE_MS);
      log.info("stopped");
    } catch (error) {
      log.error({ err: error }, "stopping failed; the next start recovers what was left open");
      code = 1;
    }
    return exitWith(code, output);
  };

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      log.info({ signal }, "stopping");
      void stop(0);
    });
  }
  const fatal = (error: unknown): void => {
    log.fatal({ err: error }, "cannot go on");
    void stop(1);
  };
  process.on("uncaughtException", fatal);
  return fatal;
};

export type RunOptions = Pick<StartOptions, "config" | "version" | "local"> & {
  /** Said when everything runs. */
  readonly announce: (posthorn: Posthorn) => string;
};

/** Runs until the process is told to stop. Ends the process with status 1 when the server cannot start. */
export const runServer = async ({ announce, ...options }: RunOptions): Promise<void> => {
  configureGarbageCollection();
  const output = openLog(options.config.logLevel);
  let posthorn: Posthorn | undefined;
  const onFatal = watch(output, () => posthorn);
  try {
    posthorn = await startPosthorn({ ...options, clock: systemClock(), log: output.log, onFatal });
  } catch (error) {
    output.log.fatal({ err: error }, "cannot start");
    output.flush();
    process.stderr.write(`posthorn: cannot start: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
  output.flush();
  process.stdout.write(`${announce(posthorn)}\n`);
};
