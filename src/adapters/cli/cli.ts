/** The command line: all commands put together, and the way from arguments to an exit code. */
import type { Readable, Writable } from "node:stream";
import { Command, CommanderError } from "commander";
import type { ParseDuration } from "./arguments.ts";
import type { ConnectionDefaults, Environment } from "./connection.ts";
import { addEventCommands, addViewsStatus } from "./event-commands.ts";
import { CommandFailure, EXIT } from "./failure.ts";
import { addHoldRuleCommands, addSuppressionCommands } from "./list-commands.ts";
import { addQueueCommands, addRetiredCommands } from "./queue-commands.ts";
import { addConfigCommands, addServerCommands, addViewsRebuild, type ServerCommands } from "./server-commands.ts";
import { session } from "./session.ts";
import { addWebhookCommands } from "./webhook-commands.ts";

export type CliOptions = ServerCommands & {
  readonly version: string;
  readonly environment: Environment;
  /** Where local mode listens, and its admin password. */
  readonly defaults: ConnectionDefaults;
  /** Milliseconds of `15m` or `1d 12h`; undefined when it is no duration. */
  readonly parseDuration: ParseDuration;
  readonly now: () => number;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable;
  readonly stderr: Writable;
};

const EXIT_CODES = `
Exit codes: 0 done, ${EXIT.refused} refused or not found, ${EXIT.usage} bad command line, ${EXIT.unreachable} no server, ${EXIT.unauthorized} wrong password.`;

const build = (options: CliOptions, signal: AbortSignal): Command => {
  const { version, stdout, stderr } = options;
  const program = new Command("posthorn")
    .description("A mail server for applications.")
    .version(version)
    .option("--url <url>", `where the server is (POSTHORN_URL; default ${options.defaults.url})`)
    .option("--password-file <file>", "file with the admin password (or POSTHORN_ADMIN_PASSWORD)")
    .option("--json", "print JSON")
    .addHelpText("after", EXIT_CODES)
    .showHelpAfterError("(--help says more)")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      outputError: (text, write) => {
        write(text.replace(/^error: /u, "posthorn: "));
      },
    });
  const asking = session({ ...options, signal });
  addServerCommands(program, options);
  addQueueCommands(program, asking);
  addRetiredCommands(program, asking);
  addWebhookCommands(program, asking);
  addHoldRuleCommands(program, asking);
  addSuppressionCommands(program, asking);
  addEventCommands(program, asking);
  const views = program.command("views").description("what is shown of the log, in tables");
  addViewsStatus(views, asking);
  addViewsRebuild(views, options, options);
  addConfigCommands(program, options, options);
  return program;
};

/** All commands. Errors are thrown: {@link runCli} makes exit codes of them. */
export const createCli = (options: CliOptions): Command => build(options, new AbortController().signal);

/**
 * Runs a command line (without the program's own name) and answers the exit code; see {@link EXIT}. What went wrong has
 * been said on standard error. Throws only for bugs, and for what `serve` and its like throw.
 */
export const runCli = async (options: CliOptions, words: readonly string[]): Promise<number> => {
  const { stdout, stderr } = options;
  const unread = new AbortController();
  const onPipeError = (): void => {
    unread.abort(); // `… | head` has seen enough
  };
  stdout.on("error", onPipeError);
  try {
    await build(options, unread.signal).parseAsync(words, { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage;
    if (unread.signal.aborted) return 0;
    if (!(error instanceof CommandFailure)) throw error;
    // Lines that a configuration check found keep their breaks; nothing else a terminal would obey comes through.
    stderr.write(`posthorn: ${error.message.replace(/(?!\n)\p{Cc}/gu, "\u{FFFD}")}\n`);
    return error.exitCode;
  } finally {
    stdout.off("error", onPipeError);
  }
};
