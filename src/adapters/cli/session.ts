/** What commands that ask a server share: the connection from the options given, and how answers are printed. */
import type { Command } from "commander";
import { adminClient, type Client } from "./client.ts";
import { connectionOf, type ConnectionDefaults, type Environment } from "./connection.ts";
import { jsonText, plain, tableText, type Column } from "./output.ts";
import type { ParseDuration } from "./arguments.ts";

export type Output = { readonly write: (chunk: string | Uint8Array) => unknown };

export type SessionOptions = {
  readonly environment: Environment;
  readonly defaults: ConnectionDefaults;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly parseDuration: ParseDuration;
  readonly now: () => number;
  /** Aborted when nobody reads the output any more. */
  readonly signal: AbortSignal;
};

type GlobalOptions = { readonly url?: string; readonly passwordFile?: string; readonly json?: true };

export type Session = SessionOptions & {
  /** The server that a command's options mean. */
  readonly client: (command: Command) => Client;
  readonly wantsJson: (command: Command) => boolean;
  readonly print: (text: string) => void;
  /** A word about the answer, beside it. */
  readonly remark: (text: string) => void;
  /** Prints rows as a table, or as JSON when asked to. `more`: there are rows that were not asked for. */
  readonly printList: <Row>(
    command: Command,
    columns: readonly Column<Row>[],
    list: { readonly items: readonly Row[]; readonly more?: boolean },
    empty: string,
  ) => void;
  /** Prints an answer as JSON when asked to, else what `say` makes of it. */
  readonly printAnswer: <Answer>(command: Command, answer: Answer, say: (answer: Answer) => string) => void;
};

export const session = (options: SessionOptions): Session => {
  const { environment, defaults, stdout, stderr, signal } = options;
  const globals = (command: Command): GlobalOptions => command.optsWithGlobals();
  const wantsJson = (command: Command): boolean => globals(command).json === true;
  const remark = (text: string): void => {
    stderr.write(`${plain(text)}\n`);
  };
  return {
    ...options,
    client: (command) => adminClient(connectionOf(globals(command), environment, defaults, remark), signal),
    wantsJson,
    print: (text) => void stdout.write(text),
    remark,
    printList: (command, columns, { items, more = false }, empty) => {
      if (wantsJson(command)) stdout.write(jsonText(items));
      else if (items.length === 0) remark(empty);
      else stdout.write(tableText(columns, items));
      if (more) remark(`there are more than these ${items.length}: see --limit`);
    },
    printAnswer: (command, answer, say) => void stdout.write(wantsJson(command) ? jsonText(answer) : say(answer)),
  };
};
