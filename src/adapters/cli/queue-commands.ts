/** `posthorn queue …` and `posthorn retired …`: the queue, what left it, and what can be done to messages in it. */
import { writeFileSync } from "node:fs";
import { Argument, type Command, Option } from "commander";
import type { AttemptRow } from "../../projections/attempts.ts";
import type { MessageRow } from "../../projections/messages.ts";
import { countArgument, idArgument } from "./arguments.ts";
import { CommandFailure, EXIT } from "./failure.ts";
import { factsText, tableText, timeText, type Column } from "./output.ts";
import { actionFilter, classOption, listQuery, withBulkOptions, withQueueFilter, type QueueOptions } from "./queue-options.ts";
import { actionFrom, withTimes, type TimeOptions } from "./schedule-options.ts";
import type { Session } from "./session.ts";
import { historyText, type ToldEvent } from "./stream-text.ts";

const DEFAULT_ROWS = 100;

const replyOf = ({ lastCode, lastError }: Pick<MessageRow, "lastCode" | "lastError">): string =>
  lastCode === 0 || lastError.startsWith(`${lastCode}`) ? lastError : `${lastCode} ${lastError}`;

const messageColumns: readonly Column<MessageRow>[] = [
  { title: "ID", cell: ({ id }) => id, align: "right" },
  { title: "STATE", cell: ({ state }) => state },
  { title: "ACCOUNT", cell: ({ account }) => account, most: 20 },
  { title: "FROM", cell: ({ from }) => from, most: 40 },
  { title: "TO", cell: ({ recipient }) => recipient, most: 40 },
  { title: "ATTEMPTS", cell: ({ attempts, maxAttempts }) => `${attempts}/${maxAttempts}`, align: "right" },
];

const queueColumns: readonly Column<MessageRow>[] = [
  ...messageColumns,
  { title: "NEXT ATTEMPT", cell: ({ state, nextAttemptAt }) => (state === "queued" ? timeText(nextAttemptAt) : "") },
  { title: "CLASS", cell: ({ bounceClass }) => bounceClass },
  { title: "LAST RESULT", cell: replyOf, most: 60 },
];

const retiredColumns: readonly Column<MessageRow>[] = [
  ...messageColumns,
  { title: "DONE", cell: ({ retiredAt }) => timeText(retiredAt) },
  { title: "CLASS", cell: ({ bounceClass }) => bounceClass },
  { title: "LAST RESULT", cell: replyOf, most: 60 },
];

const attemptColumns: readonly Column<AttemptRow>[] = [
  { title: "ATTEMPT", cell: ({ attempt }) => attempt, align: "right" },
  { title: "BEGAN", cell: ({ startedAt }) => timeText(startedAt) },
  { title: "TOOK", cell: ({ durationMs }) => (durationMs === null ? "" : `${durationMs} ms`), align: "right" },
  { title: "OUTCOME", cell: ({ outcome }) => outcome },
  { title: "SERVER", cell: ({ remoteHost, remoteAddress }) => (remoteHost === "" ? remoteAddress : remoteHost), most: 40 },
  { title: "CLASS", cell: ({ bounceClass }) => bounceClass },
  { title: "ANSWER", cell: ({ code, error }) => replyOf({ lastCode: code, lastError: error }), most: 100 },
];

/** Nobody knows whether it arrived, and it waits until somebody decides. */
const uncertainAdvice = ({ id }: MessageRow): string =>
  `nobody knows whether it arrived: "queue release --id ${id}" tries again (it may arrive twice), "queue fail --id ${id}" gives it up`;

type History = { readonly message: MessageRow; readonly attempts: readonly AttemptRow[]; readonly events: readonly ToldEvent[] };

const historyOf = ({ message, attempts, events }: History): string => {
  const facts = factsText([
    ["id", message.id],
    ["state", message.state],
    ["next attempt", message.state === "queued" ? timeText(message.nextAttemptAt) : null],
    ["attempts", `${message.attempts} of ${message.maxAttempts}`],
    ["came back", message.feedback === "" ? null : [message.feedback, message.feedbackCode || ""].join(" ").trim()],
    ["to", message.recipient],
    ["from", message.from],
    ["envelope sender", message.mailFrom],
    ["account", message.account],
    ["subject", message.subject],
    ["message id", message.messageId],
    ["size", message.size],
    ["transport", message.transport],
    ["envelope id", message.envelopeId],
    ["last failure", message.bounceClass === "" ? null : `${message.bounceClass}, by rule ${message.bounceRule}`],
    ["what to do", message.state === "uncertain" ? uncertainAdvice(message) : null],
    ["require tls", message.requireTls === null ? null : `${message.requireTls}`],
    ["kept until", timeText(message.keepUntil)],
    ...Object.entries(message.extra).map(([name, value]) => [`extra ${name}`, value] as const),
  ]);
  return [facts, ...(attempts.length > 0 ? [tableText(attemptColumns, attempts)] : []), historyText(events)].join("\n");
};

/** What a bulk action came to. */
export type Report = {
  readonly dryRun?: boolean;
  readonly matched: number;
  readonly changed: number;
  readonly refused: Readonly<Record<string, number>>;
};

/** `5 matched, 4 changed, 1 could not be (attempting: 1)` */
export const reportText = ({ dryRun = false, matched, changed, refused }: Report): string => {
  if (dryRun) return `${matched} matched, nothing was changed\n`;
  const states = Object.entries(refused);
  const count = states.reduce((sum, [, messages]) => sum + messages, 0);
  const why = states.map(([state, messages]) => `${state}: ${messages}`).join(", ");
  return `${matched} matched, ${changed} changed${count === 0 ? "" : `, ${count} could not be (${why})`}\n`;
};

/** Commands on messages by filter, each with what it asks for. */
const bulkCommands = (queue: Command, session: Session): void => {
  const act = async (command: Command, action: object, options: QueueOptions): Promise<void> => {
    const body = { action, filter: actionFilter(options), limit: options.limit, dryRun: options.dryRun };
    session.printAnswer(command, await session.client(command).post<Report>("/queue/actions", body), reportText);
  };
  const simple = [
    ["hold", "keep messages from being attempted until they are released"],
    ["release", "let messages on hold go on"],
    ["fail", "give messages up, as if delivery had failed for good"],
    ["drop", "take messages out of the queue without a failure"],
  ] as const;
  for (const [type, description] of simple) {
    withBulkOptions(queue.command(type).description(description), session).action((options: QueueOptions, command: Command) =>
      act(command, { type }, options),
    );
  }
  withTimes(withBulkOptions(queue.command("schedule").description("set or move the next attempt"), session), session, "movable").action(
    (options: QueueOptions & TimeOptions, command: Command) => act(command, actionFrom(options), options),
  );
  const transport = queue
    .command("transport")
    .description("set the transport of messages")
    .argument("<name>", 'its name, or "-" for what the routes say');
  withBulkOptions(transport, session).action((name: string, options: QueueOptions, command: Command) =>
    act(command, { type: "setTransport", transport: name === "-" ? null : name }, options),
  );
  const requirement = new Argument("<requirement>", "policy: what the recipient's domain says").choices(["yes", "no", "policy"]);
  const requireTls = queue.command("requiretls").description("set whether messages need verified TLS").addArgument(requirement);
  withBulkOptions(requireTls, session).action((asked: string, options: QueueOptions, command: Command) =>
    act(command, { type: "setRequireTls", requireTls: asked === "policy" ? null : asked === "yes" }, options),
  );
};

type ListOptions = QueueOptions & { readonly sort: string; readonly reverse?: true; readonly limit: number };

export const addQueueCommands = (program: Command, session: Session): void => {
  const queue = program.command("queue").description("messages that wait to be delivered");

  withQueueFilter(queue.command("list").description("list messages, by default the next attempt first"), session)
    .addOption(new Option("--sort <by>", "what to sort by").choices(["next", "queued"]).default("next"))
    .option("--reverse", "the last first")
    .option("--limit <n>", "at most so many", countArgument, DEFAULT_ROWS)
    .action(async (options: ListOptions, command: Command) => {
      const sort = options.sort === "next" ? "nextAttemptAt" : "queuedAt";
      const query = { ...listQuery(options), sort, direction: options.reverse === true ? "descending" : "ascending" };
      const list = await session.client(command).list<MessageRow>("/queue", query, options.limit);
      session.printList(command, queueColumns, list, "no messages");
    });

  queue
    .command("show")
    .description("show one message, queued or retired, with its attempts and events")
    .argument("<id>", "its id", idArgument)
    .action(async (id: number, _options: unknown, command: Command) => {
      session.printAnswer(command, await session.client(command).get<History>(`/messages/${id}`), historyOf);
    });

  queue
    .command("dump")
    .description("write the content of a queued message")
    .argument("<id>", "its id", idArgument)
    .option("--output <file>", "into this file rather than to standard output")
    .action(async (id: number, { output }: { readonly output?: string }, command: Command) => {
      const content = await session.client(command).download(`/messages/${id}/content`);
      if (output === undefined) {
        session.stdout.write(content);
        return;
      }
      try {
        // It is somebody's mail.
        writeFileSync(output, content, { mode: 0o600 });
      } catch (error) {
        throw new CommandFailure(EXIT.usage, `${JSON.stringify(output)} cannot be written`, { cause: error });
      }
    });

  bulkCommands(queue, session);
};

type RetiredOptions = {
  readonly account?: string;
  readonly to?: string;
  readonly state?: string;
  readonly class?: string;
  readonly limit: number;
};

export const addRetiredCommands = (program: Command, session: Session): void => {
  program
    .command("retired")
    .description("messages that are done")
    .command("list")
    .description("list messages that are done, the latest first")
    .option("--account <name>", "only messages of this account")
    .option("--to <address>", "only to user@domain or @domain")
    .addOption(new Option("--state <outcome>", "only with this outcome").choices(["delivered", "failed", "suppressed", "canceled"]))
    .addOption(classOption())
    .option("--limit <n>", "at most so many", countArgument, DEFAULT_ROWS)
    .action(async ({ limit, account, to, state, class: bounceClass }: RetiredOptions, command: Command) => {
      const list = await session.client(command).list<MessageRow>("/retired", { account, to, state, bounceClass }, limit);
      session.printList(command, retiredColumns, list, "no messages");
    });
};
