/** `posthorn holdrules …` and `posthorn suppressions …`: the lists that decide about messages before they are sent. */
import type { Command } from "commander";
import type { HoldRule } from "../../domain/holdrule/events.ts";
import type { HoldRuleRow } from "../../projections/hold-rules.ts";
import type { SuppressionRow } from "../../projections/suppressions.ts";
import { countArgument, idArgument } from "./arguments.ts";
import { CommandFailure, EXIT } from "./failure.ts";
import { plain, timeText, type Column } from "./output.ts";
import type { Session } from "./session.ts";

const ruleColumns: readonly Column<HoldRuleRow>[] = [
  { title: "ID", cell: ({ id }) => id, align: "right" },
  { title: "ACCOUNT", cell: ({ account }) => account ?? "any" },
  { title: "SENDER DOMAIN", cell: ({ senderDomain }) => senderDomain ?? "any" },
  { title: "RECIPIENT DOMAIN", cell: ({ recipientDomain }) => recipientDomain ?? "any" },
  { title: "SINCE", cell: ({ addedAt }) => timeText(addedAt) },
];

type RuleOptions = { readonly account?: string; readonly senderDomain?: string; readonly recipientDomain?: string; readonly all?: true };

const ruleFrom = ({ account, senderDomain, recipientDomain, all }: RuleOptions): object => {
  const isEmpty = account === undefined && senderDomain === undefined && recipientDomain === undefined;
  if (isEmpty && all !== true) throw new CommandFailure(EXIT.usage, "what is to be held? give --recipient-domain or the like, or --all");
  if (!isEmpty && all === true) throw new CommandFailure(EXIT.usage, "--all stands beside a condition: keep one of them");
  return { account, senderDomain, recipientDomain, all };
};

export const addHoldRuleCommands = (program: Command, session: Session): void => {
  const rules = program.command("holdrules").description("rules that put messages on hold");

  rules
    .command("list")
    .description("list rules, the oldest first")
    .action(async (_options: unknown, command: Command) => {
      session.printList(
        command,
        ruleColumns,
        await session.client(command).get<{ readonly items: readonly HoldRuleRow[] }>("/holdrules"),
        "no rules",
      );
    });

  rules
    .command("add")
    .description("hold what matches all conditions, also what is in the queue already")
    .option("--account <name>", "messages of this account")
    .option("--sender-domain <domain>", "messages from this domain")
    .option("--recipient-domain <domain>", "messages to this domain")
    .option("--all", "every message")
    .action(async (options: RuleOptions, command: Command) => {
      const answer = await session.client(command).post<{ readonly rule: HoldRule }>("/holdrules", ruleFrom(options));
      session.printAnswer(command, answer, ({ rule }) => `hold rule ${rule.id} added\n`);
    });

  rules
    .command("remove")
    .description("remove a rule; what it holds stays on hold")
    .argument("<id>", "its id", idArgument)
    .action(async (id: number, _options: unknown, command: Command) => {
      const answer = await session.client(command).remove(`/holdrules/${id}`);
      session.printAnswer(command, answer, () => `hold rule ${id} removed\n`);
    });
};

const suppressionColumns: readonly Column<SuppressionRow>[] = [
  { title: "ACCOUNT", cell: ({ account }) => account, most: 20 },
  { title: "ADDRESS", cell: (row) => row.baseAddress, most: 60 },
  { title: "SINCE", cell: ({ createdAt }) => timeText(createdAt) },
  { title: "BY", cell: ({ manual }) => (manual ? "hand" : "failure") },
  { title: "CAUSE", cell: ({ manual, causeStream }) => (manual ? "" : causeStream) },
  { title: "REASON", cell: ({ reason }) => reason, most: 80 },
];

type SuppressionAnswer = { readonly account: string; readonly baseAddress: string };

export const addSuppressionCommands = (program: Command, session: Session): void => {
  const suppressions = program.command("suppressions").description("addresses that an account does not send to any more");

  suppressions
    .command("list")
    .description("list addresses, the latest first")
    .option("--account <name>", "only of this account")
    .option("--limit <n>", "at most so many", countArgument, 100)
    .action(async ({ account, limit }: { readonly account?: string; readonly limit: number }, command: Command) => {
      const list = await session.client(command).list<SuppressionRow>("/suppressions", { account }, limit);
      session.printList(command, suppressionColumns, list, "no addresses");
    });

  suppressions
    .command("add")
    .description("suppress an address")
    .argument("<address>", "user@domain")
    .requiredOption("--account <name>", "whose list")
    .option("--reason <text>", "why, for the list", "")
    .action(async (address: string, { account, reason }: { readonly account: string; readonly reason: string }, command: Command) => {
      const answer = await session.client(command).post<SuppressionAnswer>("/suppressions", { account, address, reason });
      session.printAnswer(command, answer, ({ baseAddress }) => `${plain(baseAddress)} added to the list of ${plain(account)}\n`);
    });

  suppressions
    .command("remove")
    .description("send to an address again")
    .argument("<address>", "user@domain")
    .requiredOption("--account <name>", "whose list")
    .action(async (address: string, { account }: { readonly account: string }, command: Command) => {
      const path = `/suppressions/${encodeURIComponent(account)}/${encodeURIComponent(address)}`;
      const answer = await session.client(command).remove<SuppressionAnswer>(path);
      session.printAnswer(command, answer, ({ baseAddress }) => `${plain(baseAddress)} removed from the list of ${plain(account)}\n`);
    });
};
