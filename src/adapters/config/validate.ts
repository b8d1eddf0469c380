/** From plain values to a {@link Config}, or to everything that is wrong with them, all at once. */
import { type z } from "zod";

import { crossCheck, type Names } from "./cross-checks.ts";
import { type Environment, overlayEnvironment } from "./environment.ts";
import { type ConfigError, describeIssue, formatKey, type KeyPath } from "./errors.ts";
import { isAboutUnread, resolveFiles } from "./named-files.ts";
import { type Config, configSchema } from "./schema.ts";

export type ConfigResult = { readonly ok: true; readonly config: Config } | { readonly ok: false; readonly errors: readonly ConfigError[] };

export type RawConfig = {
  readonly value: unknown;
  /** File name for errors. */
  readonly source: string;
  readonly lineOf: (path: KeyPath) => number | null;
  /** Where relative file names start. */
  readonly directory: string;
};

type Problem = { readonly path: KeyPath; readonly reason: string };

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const keyPath = (path: readonly PropertyKey[]): KeyPath => path.map((step) => (typeof step === "symbol" ? String(step) : step));

const problemsOf = (issue: z.core.$ZodIssue): readonly Problem[] => {
  const path = keyPath(issue.path);
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => ({ path: [...path, key], reason: "is not a known key" }));
  if (issue.code === "invalid_key") return [{ path, reason: issue.issues.map(({ message }) => message).join("; ") }];
  return [{ path, reason: issue.message }];
};

const namesIn = (raw: unknown): Names => {
  const keys = (section: string): ReadonlySet<string> => {
    const part = isMap(raw) ? raw[section] : undefined;
    return new Set(isMap(part) ? Object.keys(part) : []);
  };
  const domains = new Set([...keys("domains")].map((domain) => domain.toLowerCase()));
  return { accounts: keys("accounts"), domains, transports: keys("transports") };
};

/** Parses each section without the entries that have problems, so that one mistake does not hide those elsewhere. */
const validParts = (raw: unknown, problems: readonly Problem[]): Partial<Config> => {
  const parts: Record<string, unknown> = {};
  for (const [section, schema] of Object.entries(configSchema.shape)) {
    const wrong = problems.filter(({ path }) => path[0] === section);
    const value = isMap(raw) ? raw[section] : undefined;
    const bad = new Set(wrong.map(({ path }) => path[1]));
    const kept = isMap(value) && !bad.has(undefined) ? Object.fromEntries(Object.entries(value).filter(([key]) => !bad.has(key))) : value;
    const result = schema.safeParse(kept);
    if (result.success) parts[section] = result.data;
  }
  return parts;
};

const hasAdminPassword = (raw: unknown): boolean => isMap(raw) && (raw["adminPassword"] ?? raw["adminPasswordHash"]) !== undefined;

/** Lays the environment over `raw`, reads the secret files, applies the schema and the cross checks. */
export const validateConfig = (raw: RawConfig, env: Environment, workingDirectory: string): ConfigResult => {
  const overlay = overlayEnvironment(raw.value ?? {}, env, workingDirectory);
  const files = resolveFiles(overlay.value, raw.directory);
  const parsed = configSchema.safeParse(files.value, { error: describeIssue });
  const issues = (parsed.success ? [] : parsed.error.issues).flatMap(problemsOf).filter(({ path }) => !isAboutUnread(path, files.problems));
  const parts = parsed.success ? parsed.data : validParts(files.value, issues);
  const problems: readonly Problem[] = [
    ...files.problems,
    ...issues,
    ...crossCheck(parts, namesIn(files.value), hasAdminPassword(files.value)),
  ];

  const errors = problems.map(({ path, reason }): ConfigError => {
    const variable = overlay.variableOf(path);
    const where =
      variable === undefined ? { source: raw.source, line: raw.lineOf(path) } : { source: `environment variable ${variable}`, line: null };
    return { ...where, key: formatKey(path), reason };
  });
  const all = [...overlay.errors, ...errors];
  return parsed.success && all.length === 0 ? { ok: true, config: parsed.data } : { ok: false, errors: all };
};
