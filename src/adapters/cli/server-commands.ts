/** Commands that run here rather than ask a server: the server itself, configuration, passwords, a rebuild of the views. */
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { type Command, Option } from "commander";
import { portArgument } from "./arguments.ts";
import { CommandFailure, EXIT } from "./failure.ts";
import type { Output } from "./session.ts";

export type ServeOptions = {
  /** The configuration file; undefined = the environment says which, or everything. */
  readonly config: string | undefined;
};

export type LocalOptions = {
  readonly webhookUrl: string | undefined;
  readonly incomingWebhookUrl: string | undefined;
  readonly dataDir: string | undefined;
  readonly smtpPort: number | undefined;
  readonly httpPort: number | undefined;
};

/** What main does for these commands. Each that runs long resolves when it is done; what is wrong is thrown or answered. */
export type ServerCommands = {
  /** Runs the server until it is stopped. */
  readonly serve: (options: ServeOptions) => Promise<void>;
  readonly local: (options: LocalOptions) => Promise<void>;
  /** Throws away the views of a stopped server and builds them anew; answers a sentence about it. `dataDir` wins over the configuration's. */
  readonly rebuildViews: (options: ServeOptions & { readonly local: boolean; readonly dataDir: string | undefined }) => Promise<string>;
  readonly exampleConfig: () => string;
  /** `text`: every mistake, or a word about what was found to be right; without a last line break. */
  readonly checkConfig: (options: ServeOptions) => { readonly ok: boolean; readonly text: string };
  readonly hashPassword: (password: string) => Promise<string>;
};

export type LocalInputs = { readonly stdin: Readable & { readonly isTTY?: boolean }; readonly stdout: Output; readonly stderr: Output };

const MAX_PASSWORD = 1_024;

/** The password from standard input: asked for, unseen, at a terminal, else all that comes but for the last line break. */
const readPassword = async ({ stdin, stderr }: LocalInputs): Promise<string> => {
  if (stdin.isTTY !== true) return (await text(stdin)).replace(/\r?\n$/u, "");
  stderr.write("Password: ");
  const unseen = new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  const lines = createInterface({ input: stdin, output: unseen, terminal: true });
  try {
    return await lines.question("");
  } finally {
    lines.close();
    stderr.write("\n");
  }
};

const addHashCommand = (parent: Command, name: string, { hashPassword }: ServerCommands, inputs: LocalInputs): void => {
  parent
    .command(name)
    .description("print the hash of a password given on standard input, for the configuration file")
    .action(async () => {
      const password = await readPassword(inputs);
      if (password === "" || password.length > MAX_PASSWORD || /[\r\n\0]/u.test(password)) {
        throw new CommandFailure(EXIT.usage, `a password is one line of 1 to ${MAX_PASSWORD} characters`);
      }
      inputs.stdout.write(`${await hashPassword(password)}\n`);
    });
};

type LocalFlags = {
  readonly webhookUrl?: string;
  readonly incomingWebhookUrl?: string;
  readonly data?: string;
  readonly smtpPort?: number;
  readonly httpPort?: number;
};

export const addServerCommands = (program: Command, { serve, local }: ServerCommands): void => {
  program
    .command("serve")
    .description("run the server")
    .option("--config <file>", "configuration, YAML or JSON with comments (POSTHORN_CONFIG)")
    .action(({ config }: { readonly config?: string }) => serve({ config }));

  program
    .command("local")
    .description("run a server to try things with: no DNS, no network, one account")
    .option("--webhook-url <url>", "where to tell what becomes of messages (POSTHORN_WEBHOOK_URL)")
    .option("--incoming-webhook-url <url>", "where to tell what arrives (POSTHORN_INCOMING_WEBHOOK_URL)")
    .option("--data <dir>", "where to keep its data")
    .option("--smtp-port <port>", "instead of 1025", portArgument)
    .option("--http-port <port>", "instead of 1080", portArgument)
    .action((options: LocalFlags) =>
      local({
        webhookUrl: options.webhookUrl,
        incomingWebhookUrl: options.incomingWebhookUrl,
        dataDir: options.data,
        smtpPort: options.smtpPort,
        httpPort: options.httpPort,
      }),
    );
};

type RebuildOptions = { readonly config?: string; readonly local?: true; readonly data?: string };

/** Adds `rebuild` to the command that has what concerns views. */
export const addViewsRebuild = (views: Command, { rebuildViews }: ServerCommands, { stdout }: LocalInputs): void => {
  views
    .command("rebuild")
    .description("throw the views of a stopped server away and build them anew from the log")
    .option("--config <file>", "configuration of the server (POSTHORN_CONFIG)")
    .addOption(new Option("--local", "those of local mode").conflicts("config"))
    .option("--data <dir>", "where its data is, if not where the configuration says")
    .action(async ({ config, local, data }: RebuildOptions) => {
      stdout.write(`${await rebuildViews({ config, local: local === true, dataDir: data })}\n`);
    });
};

export const addConfigCommands = (program: Command, commands: ServerCommands, inputs: LocalInputs): void => {
  const config = program.command("config").description("the configuration file");
  config
    .command("example")
    .description("print one with every key and a comment on each")
    .action(() => void inputs.stdout.write(commands.exampleConfig()));
  config
    .command("check")
    .description("say what is wrong with one, without starting anything")
    .argument("[file]", "the file (POSTHORN_CONFIG)")
    .action((file: string | undefined) => {
      const { ok, text: found } = commands.checkConfig({ config: file });
      if (!ok) throw new CommandFailure(EXIT.refused, found);
      inputs.stdout.write(`${found}\n`);
    });
  addHashCommand(config, "hash-password", commands, inputs);
  addHashCommand(program.command("password").description("passwords"), "hash", commands, inputs);
};
