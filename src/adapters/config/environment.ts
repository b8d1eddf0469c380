/**
 * Settings from environment variables. One rule covers all of them: `POSTHORN_` and the key's path, upper case, words
 * apart by `_`, levels apart by `__`. `POSTHORN_DATA_DIR` is `dataDir`, `POSTHORN_LISTENERS__WEB__PORT` is
 * `listeners.web.port`, `POSTHORN_ACCOUNTS__APP__PASSWORD_FILE` is `accounts.app.passwordFile`. The value is text; one
 * that parses as a JSON list or object is taken as that. The environment wins over the file.
 */
import { isAbsolute, resolve } from "node:path";
import type { z } from "zod";

import type { ConfigError, KeyPath } from "./errors.ts";
import { configSchema, SECRET_KEYS } from "./schema.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = "POSTHORN_";

/** Variables of this program that are no settings of the server. */
const NOT_SETTINGS: ReadonlySet<string> = new Set([
  "POSTHORN_CONFIG",
  "POSTHORN_WEBHOOK_URL",
  "POSTHORN_INCOMING_WEBHOOK_URL",
  "POSTHORN_URL",
  "POSTHORN_ADMIN_URL",
]);

/** What Kubernetes sets for a service that happens to be called `posthorn…`. */
const SERVICE_LINK = /_SERVICE_(?:HOST|PORT)(?:_|$)|_PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_.*)?)?$/u;

const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/gu, "");

type Schema = z.core.$ZodType;
type Definition = {
  readonly type: string;
  readonly innerType?: Schema;
  readonly in?: Schema;
  readonly out?: Schema;
  readonly shape?: Readonly<Record<string, Schema>>;
  readonly valueType?: Schema;
  readonly element?: Schema;
  readonly options?: readonly Schema[];
};

const definition = (schema: Schema): Definition => schema._zod.def;

/** The objects, maps and lists that a schema may come to, defaults and transformations left aside. */
const unwrap = (schema: Schema): readonly Definition[] => {
  const def = definition(schema);
  if (def.type === "union") return (def.options ?? []).flatMap(unwrap);
  if (def.type === "pipe" && def.in !== undefined && def.out !== undefined) {
    return unwrap(definition(def.in).type === "transform" ? def.out : def.in);
  }
  return def.innerType === undefined ? [def] : unwrap(def.innerType);
};

type Step = { readonly key: string | number; readonly schema: Schema | undefined };

const stepIntoObject = (shape: Readonly<Record<string, Schema>>, wanted: string): Step | undefined => {
  for (const [key, schema] of Object.entries(shape)) {
    if (plain(key) === wanted) return { key, schema };
    const isSecret = (SECRET_KEYS as readonly string[]).includes(key);
    if (isSecret && `${plain(key)}file` === wanted) return { key: `${key}File`, schema: undefined };
  }
  return undefined;
};

const stepInto = (schema: Schema, segment: string, present: unknown): Step | undefined => {
  for (const def of unwrap(schema)) {
    if (def.type === "object" && def.shape !== undefined) {
      const step = stepIntoObject(def.shape, plain(segment));
      if (step !== undefined) return step;
    } else if (def.type === "record") {
      const there = isObject(present) ? Object.keys(present).find((key) => plain(key) === plain(segment)) : undefined;
      return { key: there ?? segment.toLowerCase().replaceAll("_", "-"), schema: def.valueType };
    } else if (def.type === "array" && /^\d{1,4}$/u.test(segment)) {
      return { key: Number(segment), schema: def.element };
    }
  }
  return undefined;
};

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

const child = (value: unknown, key: string | number): unknown => {
  if (typeof key === "number") return Array.isArray(value) ? (value as unknown[])[key] : undefined;
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
};

const keyPathOf = (segments: readonly string[], raw: unknown): KeyPath | undefined => {
  const path: (string | number)[] = [];
  let schema: Schema | undefined = configSchema;
  let present = raw;
  for (const segment of segments) {
    const step: Step | undefined = schema === undefined || segment === "" ? undefined : stepInto(schema, segment, present);
    if (step === undefined) return undefined;
    path.push(step.key);
    present = child(present, step.key);
    schema = step.schema;
  }
  return path;
};

const valueOf = (text: string, path: KeyPath, directory: string): unknown => {
  if (/^\s*[[{]/u.test(text)) {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return text;
    }
  }
  const last = path.at(-1);
  const isPath = last === "dataDir" || (typeof last === "string" && last.endsWith("File"));
  return isPath && text !== "" && !isAbsolute(text) ? resolve(directory, text) : text;
};

/** A copy of `value` with `leaf` at `path`; undefined when something that is no map or list stands in the way. */
const withValue = (value: unknown, path: KeyPath, leaf: unknown): unknown => {
  const [key, ...rest] = path;
  if (key === undefined) return leaf;
  const inner = withValue(child(value, key), rest, leaf);
  if (typeof key === "number") {
    const list: unknown[] = Array.isArray(value) ? [...(value as unknown[])] : [];
    list[key] = inner;
    return list;
  }
  return { ...(isObject(value) ? value : {}), [key]: inner };
};

export type Overlay = {
  readonly value: unknown;
  /** The variable that set a key, or something around it. */
  readonly variableOf: (path: KeyPath) => string | undefined;
  readonly errors: readonly ConfigError[];
};

/** Lays the settings of `env` over `raw`. Relative paths in variables are taken from `directory`, the working directory. */
export const overlayEnvironment = (raw: unknown, env: Environment, directory: string): Overlay => {
  const settings: { readonly path: KeyPath; readonly variable: string }[] = [];
  const errors: ConfigError[] = [];
  let value = raw;
  for (const variable of Object.keys(env).sort()) {
    const text = env[variable];
    if (!variable.startsWith(PREFIX) || NOT_SETTINGS.has(variable) || text === undefined) continue;
    const segments = variable.slice(PREFIX.length).split("__");
    const path = keyPathOf(segments, value);
    if (path === undefined) {
      if (segments.length === 1 && SERVICE_LINK.test(variable)) continue;
      errors.push({ source: `environment variable ${variable}`, line: null, key: "", reason: "names no setting" });
      continue;
    }
    value = withValue(value, path, valueOf(text, path, directory));
    settings.push({ path, variable });
  }
  const variableOf = (path: KeyPath): string | undefined =>
    settings.findLast((setting) => setting.path.every((step, index) => path[index] === step))?.variable;
  return { value, variableOf, errors };
};
