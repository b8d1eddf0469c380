/** Runs a command line in this process, as main would, and says what came of it. */
import { PassThrough, Readable } from "node:stream";
import { parseDuration } from "../../../src/adapters/config/values.ts";
import { runCli, type CliOptions } from "../../../src/adapters/cli/cli.ts";
import { NOON } from "../../support/samples.ts";
import { PASSWORD } from "../http/admin/admin-world.ts";

export type Ran = {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly called: readonly (readonly [string, unknown])[];
};

export type RunOptions = {
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly configIsRight?: boolean;
};

/** What commands print, as it comes. */
export const collected = () => {
  const stream = new PassThrough();
  let text = "";
  const seen: (() => void)[] = [];
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    for (const wake of seen.splice(0)) wake();
  });
  return {
    stream,
    text: () => text,
    /** Resolves once `pattern` was printed. */
    until: async (pattern: RegExp): Promise<string> => {
      while (!pattern.test(text)) await new Promise<void>((resolve) => seen.push(resolve));
      return text;
    },
  };
};

/** Options for a CLI that talks to `url`, with fakes for what runs here. */
export const cliOptions = (
  url: string,
  { environment = { POSTHORN_ADMIN_PASSWORD: PASSWORD }, input = "", configIsRight = true }: RunOptions,
  stdout: PassThrough,
  stderr: PassThrough,
  called: (readonly [string, unknown])[],
): CliOptions => {
  const note = async (what: string, options: unknown): Promise<void> => void called.push([what, options]);
  return {
    version: "0.1.0",
    environment,
    defaults: { url, password: "posthorn" },
    parseDuration,
    now: () => NOON,
    stdin: Readable.from(input === "" ? [] : [Buffer.from(input)]),
    stdout,
    stderr,
    serve: (options) => note("serve", options),
    local: (options) => note("local", options),
    rebuildViews: async (options) => {
      await note("rebuildViews", options);
      return "the views were built from 7 events";
    },
    exampleConfig: () => "hostName: mail.example.org\n",
    checkConfig: (options) => {
      called.push(["checkConfig", options]);
      return configIsRight
        ? { ok: true, text: "it is right" }
        : { ok: false, text: "a.yaml:1: hostName: is missing\na.yaml:2: \u001b[31mx" };
    },
    hashPassword: async (password) => `hash of ${password}`,
  };
};

/** Runs `words` to the end. */
export const runCommand = async (url: string, words: readonly string[], options: RunOptions = {}): Promise<Ran> => {
  const out = collected();
  const err = collected();
  const called: (readonly [string, unknown])[] = [];
  const code = await runCli(cliOptions(url, options, out.stream, err.stream, called), words);
  await new Promise(setImmediate);
  return { code, out: out.text(), err: err.text(), called };
};
