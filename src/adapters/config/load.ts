/** Reads the configuration of a server: one file, chosen by its name's ending, with the environment laid over it. */
import { dirname, extname, resolve } from "node:path";

import type { Environment } from "./environment.ts";
import { fileProblem, readSmallFile } from "./named-files.ts";
import { type Parsed, parseJson, parseYaml } from "./source.ts";
import { type ConfigResult, validateConfig } from "./validate.ts";

const MAX_FILE_OCTETS = 16 * 1024 * 1024;

const PARSERS: Readonly<Record<string, (text: string) => Parsed>> = {
  ".yaml": parseYaml,
  ".yml": parseYaml,
  ".json": parseJson,
  ".jsonc": parseJson,
};

export type LoadOptions = {
  /** The file; without it `POSTHORN_CONFIG` names it, and without that the environment alone must say everything. */
  readonly path?: string | undefined;
  readonly env: Environment;
  /** Where relative names on the command line and in variables start; the working directory unless given. */
  readonly workingDirectory?: string;
};

/**
 * The configuration, valid as a whole, or every mistake in it. Relative file names inside the file start at the file's
 * own directory. Never throws for what a user can have done wrong.
 */
export const loadConfig = ({ path, env, workingDirectory = process.cwd() }: LoadOptions): ConfigResult => {
  const file = path ?? env["POSTHORN_CONFIG"];
  if (file === undefined || file === "") {
    return validateConfig({ value: {}, source: "configuration", lineOf: () => null, directory: workingDirectory }, env, workingDirectory);
  }
  const refuse = (reason: string, line: number | null = null): ConfigResult => ({
    ok: false,
    errors: [{ source: file, line, key: "", reason }],
  });
  const parse = PARSERS[extname(file).toLowerCase()];
  if (parse === undefined) return refuse("the name of a configuration file must end in .yaml, .yml, .json or .jsonc");
  let text: string;
  try {
    text = readSmallFile(resolve(workingDirectory, file), MAX_FILE_OCTETS);
  } catch (error) {
    return refuse(fileProblem(error));
  }
  const parsed = parse(text.replace(/^\u{FEFF}/u, ""));
  if ("problems" in parsed) return { ok: false, errors: parsed.problems.map((problem) => ({ source: file, key: "", ...problem })) };
  return validateConfig({ ...parsed.source, source: file, directory: dirname(resolve(workingDirectory, file)) }, env, workingDirectory);
};
