/**
 * Files that the configuration names. Relative names become absolute here. Secrets that stand in files of their own
 * (`passwordFile: /run/secrets/app`), as container platforms hand them out, are read before validation, so that the
 * schema knows one way to give a secret.
 */
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";

import type { KeyPath } from "./errors.ts";
import { SECRET_KEYS } from "./schema.ts";

const MAX_SECRET_OCTETS = 16_384;
const MAX_DEPTH = 20;

/** Stands for a secret that could not be read; an error goes with it, so it never gets into use. */
const UNREAD = "unread";

const SECRET_OF: ReadonlyMap<string, string> = new Map(SECRET_KEYS.map((key) => [`${key}File`, key]));

export type FileProblem = { readonly path: KeyPath; readonly reason: string };

/** Why a file cannot be read, in words. */
export const fileProblem = (error: unknown): string => {
  const code = (error as { readonly code?: unknown } | null)?.code;
  if (code === "ENOENT") return "does not exist";
  if (code === "EACCES" || code === "EPERM") return "may not be read by this user";
  if (code === "EISDIR") return "is a directory";
  if (error instanceof RangeError) return error.message;
  return `cannot be read${typeof code === "string" ? ` (${code})` : ""}`;
};

/** Reads a file that should be small. Throws {@link RangeError} with a sentence when it is larger than `most` octets. */
export const readSmallFile = (file: string, most: number): string => {
  if (statSync(file).size > most) throw new RangeError(`is larger than ${most} octets`);
  return readFileSync(file, "utf8");
};

const isRelativeName = (key: string, value: unknown): value is string =>
  (key === "dataDir" || key.endsWith("File")) && typeof value === "string" && value !== "" && !value.includes("\0");

/** Whether an issue of the schema is about a secret whose file is already complained about. */
export const isAboutUnread = (path: KeyPath, problems: readonly FileProblem[]): boolean => {
  const key = path.map(String).join("\0");
  return problems.some((problem) => problem.path.map(String).join("\0") === `${key}File`);
};

/** Makes file names absolute, from `directory`, and puts the contents of secret files where the secrets belong. */
export const resolveFiles = (raw: unknown, directory: string): { readonly value: unknown; readonly problems: readonly FileProblem[] } => {
  const problems: FileProblem[] = [];

  const readSecret = (value: unknown, path: KeyPath): string => {
    if (typeof value !== "string" || value === "" || value.includes("\0")) {
      problems.push({ path, reason: "must be the path of a file" });
      return UNREAD;
    }
    try {
      // The line break that editors and `echo` leave at the end is not part of the secret.
      return readSmallFile(resolve(directory, value), MAX_SECRET_OCTETS).replace(/\r?\n$/u, "");
    } catch (error) {
      problems.push({ path, reason: `the file ${JSON.stringify(value)} ${fileProblem(error)}` });
      return UNREAD;
    }
  };

  const entry = (object: Readonly<Record<string, unknown>>, key: string, value: unknown, path: KeyPath): readonly [string, unknown][] => {
    const secret = SECRET_OF.get(key);
    if (secret === undefined) return [[key, isRelativeName(key, value) ? resolve(directory, value) : visit(value, path)]];
    if (!Object.hasOwn(object, secret)) return [[secret, readSecret(value, path)]];
    problems.push({ path, reason: `stands beside ${secret}: keep one of them` });
    return [];
  };

  const visit = (value: unknown, path: KeyPath): unknown => {
    if (typeof value !== "object" || value === null || path.length > MAX_DEPTH) return value;
    if (Array.isArray(value)) return value.map((item: unknown, index) => visit(item, [...path, index]));
    const object = value as Readonly<Record<string, unknown>>;
    return Object.fromEntries(Object.entries(object).flatMap(([key, inner]) => entry(object, key, inner, [...path, key])));
  };

  return { value: visit(raw, []), problems };
};
