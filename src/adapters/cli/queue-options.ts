/** The options that say which queued messages a command means. */
import { type Command, Option } from "commander";
import { BOUNCE_CLASSES } from "../../domain/message/bounce-class.ts";
import { countArgument, idsArgument, timeArgument } from "./arguments.ts";
import type { Query } from "./client.ts";
import { CommandFailure, EXIT } from "./failure.ts";
import type { Session } from "./session.ts";

export type QueueOptions = {
  readonly id?: readonly number[];
  readonly account?: string;
  readonly from?: string;
  readonly to?: string;
  readonly held?: true;
  readonly notHeld?: true;
  readonly submittedAfter?: string;
  readonly submittedBefore?: string;
  readonly nextAfter?: string;
  readonly nextBefore?: string;
  readonly transport?: string;
  readonly state?: string;
  readonly class?: string;
  readonly all?: true;
  readonly limit?: number;
  readonly dryRun?: true;
};

/** Narrows a list to a class of refusals. */
export const classOption = (): Option => new Option("--class <class>", "only last refused for this kind of reason").choices(BOUNCE_CLASSES);

/** Adds the options to a command. */
export const withQueueFilter = (command: Command, { parseDuration, now }: Session): Command => {
  const time = timeArgument(parseDuration, now);
  return command
    .option("--id <id...>", "only these messages, by id", idsArgument)
    .option("--account <name>", "only messages of this account")
    .option("--from <address>", "only from user@domain or @domain")
    .option("--to <address>", "only to user@domain or @domain")
    .option("--held", "only messages on hold")
    .addOption(new Option("--not-held", "only messages not on hold").conflicts("held"))
    .option("--submitted-after <time>", "only queued after a time (2026-06-01T12:00Z, now, -2h)", time)
    .option("--submitted-before <time>", "only queued before a time", time)
    .option("--next-after <time>", "only with the next attempt after a time", time)
    .option("--next-before <time>", "only with the next attempt before a time (+1h)", time)
    .option("--transport <name>", "only with this transport set")
    .addOption(new Option("--state <state>", "only in this state").choices(["queued", "held", "attempting", "uncertain"]))
    .addOption(classOption());
};

/** Adds what bulk commands have besides a filter. */
export const withBulkOptions = (command: Command, session: Session): Command =>
  withQueueFilter(command, session)
    .option("--all", "every message in the queue: instead of a filter")
    .option("--limit <n>", "at most so many messages, the oldest first", countArgument)
    .option("--dry-run", "only count what matches");

const holdOf = ({ held, notHeld }: QueueOptions): boolean | undefined => (held === true ? true : notHeld === true ? false : undefined);

const conditionsOf = (options: QueueOptions) => ({
  account: options.account,
  from: options.from,
  to: options.to,
  hold: holdOf(options),
  submittedAfter: options.submittedAfter,
  submittedBefore: options.submittedBefore,
  nextAttemptAfter: options.nextAfter,
  nextAttemptBefore: options.nextBefore,
  transport: options.transport,
  state: options.state,
  bounceClass: options.class,
});

/** The filter of a list. */
export const listQuery = (options: QueueOptions): Query => ({ ...conditionsOf(options), ids: options.id?.join(",") });

/** The filter of an action. The server has the same rule; said here, it can name the option. */
export const actionFilter = (options: QueueOptions): Readonly<Record<string, unknown>> => {
  const conditions = Object.entries({ ...conditionsOf(options), ids: options.id }).filter(([, value]) => value !== undefined);
  if (conditions.length === 0 && options.all !== true) {
    throw new CommandFailure(EXIT.usage, "which messages? give a filter such as --to @example.org, or --all");
  }
  if (conditions.length > 0 && options.all === true) throw new CommandFailure(EXIT.usage, "--all stands beside a filter: keep one of them");
  return options.all === true ? { all: true } : Object.fromEntries(conditions);
};
