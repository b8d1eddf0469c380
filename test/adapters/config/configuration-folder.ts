/** A directory of configuration files for one test, removed with it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type ConfigError, formatConfigErrors } from "../../../src/adapters/config/errors.ts";
import { loadConfig } from "../../../src/adapters/config/load.ts";
import type { Config } from "../../../src/adapters/config/schema.ts";
import type { ConfigResult } from "../../../src/adapters/config/validate.ts";

export type ConfigurationFolder = {
  readonly directory: string;
  /** Writes a file and answers its full name. */
  readonly write: (name: string, text: string) => string;
  /** Loads the text as `posthorn.yaml`, or under another name. */
  readonly load: (text: string, env?: Readonly<Record<string, string>>, name?: string) => ConfigResult;
  readonly remove: () => void;
};

export const configurationFolder = (): ConfigurationFolder => {
  const directory = mkdtempSync(join(tmpdir(), "posthorn-config-"));
  const write = (name: string, text: string): string => {
    const file = join(directory, name);
    writeFileSync(file, text);
    return file;
  };
  return {
    directory,
    write,
    load: (text, env = {}, name = "posthorn.yaml") => {
      write(name, text);
      return loadConfig({ path: name, env, workingDirectory: directory });
    },
    remove: () => {
      rmSync(directory, { recursive: true });
    },
  };
};

/** The configuration, or an error that shows what was wrong. */
export const valid = (result: ConfigResult): Config => {
  if (!result.ok) throw new Error(`expected a valid configuration, got\n${formatConfigErrors(result.errors)}`);
  return result.config;
};

/** The errors, or none. */
export const errorsOf = (result: ConfigResult): readonly ConfigError[] => (result.ok ? [] : result.errors);

/** A small valid file, to which tests add what they are about. */
export const MINIMAL = `hostName: mail.example.org
dataDir: data
adminPassword: admin-secret
listeners:
  web: { kind: http, address: 127.0.0.1, port: 8080, allowInsecureLogin: true }
domains:
  example.org: { catchAllSeparator: "+" }
accounts:
  app: { addresses: [app@example.org], password: app-secret }
`;
