/** `posthorn webhooks …`: webhook calls that wait and those that are done. */
import { type Command, Option } from "commander";
import type { CallAttemptRow } from "../../projections/webhook-attempts.ts";
import { CALL_EVENTS, type CallRow } from "../../projections/webhook-calls.ts";
import { countArgument, idArgument, idsArgument } from "./arguments.ts";
import { factsText, tableText, timeText, type Column } from "./output.ts";
import { reportText, type Report } from "./queue-commands.ts";
import { actionFrom, withTimes, type TimeOptions } from "./schedule-options.ts";
import type { Session } from "./session.ts";
import { historyText, type ToldEvent } from "./stream-text.ts";

const DEFAULT_ROWS = 100;

const answerOf = (status: number, error: string): string =>
  [status === 0 ? "" : `${status}`, error].filter((part) => part !== "").join(" ");

const callColumns: readonly Column<CallRow>[] = [
  { title: "ID", cell: ({ id }) => id, align: "right" },
  { title: "STATE", cell: ({ state }) => state },
  { title: "EVENT", cell: ({ event }) => event },
  { title: "MESSAGE", cell: ({ messageRef }) => messageRef, align: "right" },
  { title: "URL", cell: ({ url }) => url, most: 60 },
  { title: "ATTEMPTS", cell: ({ attempts, maxAttempts }) => `${attempts}/${maxAttempts}`, align: "right" },
  {
    title: "NEXT OR LAST",
    cell: ({ state, nextAttemptAt, lastActivityAt }) => timeText(state === "queued" ? nextAttemptAt : lastActivityAt),
  },
  { title: "LAST ANSWER", cell: ({ lastStatus, lastError }) => answerOf(lastStatus, lastError), most: 60 },
];

const attemptColumns: readonly Column<CallAttemptRow>[] = [
  { title: "ATTEMPT", cell: ({ attempt }) => attempt, align: "right" },
  { title: "BEGAN", cell: ({ startedAt }) => timeText(startedAt) },
  { title: "TOOK", cell: ({ durationMs }) => (durationMs === null ? "" : `${durationMs} ms`), align: "right" },
  { title: "OUTCOME", cell: ({ outcome }) => outcome },
  { title: "ANSWER", cell: ({ status, error }) => answerOf(status, error), most: 80 },
  { title: "BODY", cell: ({ response }) => response, most: 80 },
];

type History = { readonly call: CallRow; readonly attempts: readonly CallAttemptRow[]; readonly events: readonly ToldEvent[] };

const historyOf = ({ call, attempts, events }: History): string => {
  const facts = factsText([
    ["id", call.id],
    ["state", call.state],
    ["next attempt", call.state === "queued" ? timeText(call.nextAttemptAt) : null],
    ["event", call.event],
    ["message", call.messageRef],
    ["url", call.url],
    ["account", call.account],
    ["superseded by", call.supersededBy],
    ["kept until", timeText(call.keepUntil)],
  ]);
  return [facts, ...(attempts.length > 0 ? [tableText(attemptColumns, attempts)] : []), historyText(events)].join("\n");
};

type ListOptions = {
  readonly retired?: true;
  readonly account?: string;
  readonly event?: string;
  readonly message?: number;
  readonly limit: number;
};

export const addWebhookCommands = (program: Command, session: Session): void => {
  const webhooks = program.command("webhooks").description("calls that tell applications what became of their messages, and what arrived");

  webhooks
    .command("list")
    .description("list calls that wait, the next attempt first")
    .option("--retired", "those that are done instead, the latest first")
    .option("--account <name>", "only calls for this account")
    .addOption(new Option("--event <event>", "only calls about this").choices(CALL_EVENTS))
    .option("--message <id>", "only calls about this message", idArgument)
    .option("--limit <n>", "at most so many", countArgument, DEFAULT_ROWS)
    .action(async ({ retired, limit, account, event, message }: ListOptions, command: Command) => {
      const path = retired === true ? "/webhooks/retired" : "/webhooks";
      const list = await session.client(command).list<CallRow>(path, { account, event, message }, limit);
      session.printList(command, callColumns, list, "no calls");
    });

  webhooks
    .command("show")
    .description("show one call with its attempts and events")
    .argument("<id>", "its id", idArgument)
    .action(async (id: number, _options: unknown, command: Command) => {
      session.printAnswer(command, await session.client(command).get<History>(`/webhooks/${id}`), historyOf);
    });

  const act = async (command: Command, action: object, ids: readonly number[]): Promise<void> => {
    session.printAnswer(command, await session.client(command).post<Report>("/webhooks/actions", { action, ids }), reportText);
  };

  webhooks
    .command("cancel")
    .description("do not make these calls any more")
    .argument("<id...>", "their ids", idsArgument)
    .action((ids: readonly number[], _options: unknown, command: Command) => act(command, { type: "cancel" }, ids));

  const schedule = webhooks.command("schedule").description("set the next attempt of calls").argument("<id...>", "their ids", idsArgument);
  withTimes(schedule, session, "fixed").action((ids: readonly number[], options: TimeOptions, command: Command) =>
    act(command, actionFrom(options), ids),
  );
};
