/** What is wrong with a configuration, said so that its author finds the place and knows what to write. */
import type { z } from "zod";

export type ConfigError = {
  /** File, or environment variable, that holds the mistake. */
  readonly source: string;
  /** Line in the file, from 1; null where none can be named. */
  readonly line: number | null;
  /** Path of the key, such as `listeners.web.port`; empty for the file as a whole. */
  readonly key: string;
  readonly reason: string;
};

/** A key path as steps: names of maps, numbers of list entries. */
export type KeyPath = readonly (string | number)[];

/** `accounts.app.addresses[0]`; names that have dots of their own are quoted. */
export const formatKey = (path: KeyPath): string =>
  path
    .map((step, index) => {
      if (typeof step === "number") return `[${step}]`;
      if (/^[\w-]+$/u.test(step)) return index === 0 ? step : `.${step}`;
      return `[${JSON.stringify(step)}]`;
    })
    .join("");

/** One line for each error: `posthorn.yaml:12: listeners.web.port: expected ...`. */
export const formatConfigErrors = (errors: readonly ConfigError[]): string =>
  errors
    .map(({ source, line, key, reason }) =>
      [`${source}${line === null ? "" : `:${line}`}`, ...(key === "" ? [] : [key]), reason].join(": "),
    )
    .join("\n");

const plural = (expected: string): string =>
  ({
    object: "a map of keys",
    record: "a map of keys",
    array: "a list",
    string: "text",
    number: "a number",
    int: "a whole number",
    boolean: "true or false",
  })[expected] ?? expected;

const kindOf = (value: unknown): string => {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  return plural(typeof value);
};

const choices = (values: readonly unknown[]): string => `must be ${values.length === 1 ? "" : "one of "}${values.map(String).join(", ")}`;

const wrongType = (issue: { readonly input?: unknown; readonly expected?: string }): string => {
  if (issue.input === undefined) return "is missing";
  const hint = issue.expected === "string" && typeof issue.input !== "object" ? " (put it in quotes)" : "";
  return `expected ${plural(issue.expected ?? "")}, found ${kindOf(issue.input)}${hint}`;
};

const bound = (issue: { readonly origin?: string }, word: string, value: unknown): string => {
  const noun = { string: " characters", array: " entries" }[issue.origin ?? ""] ?? "";
  return `must be ${word} ${String(value)}${noun}`;
};

/** Sentence for an issue of the schema, never with the value itself: it may be a secret. To be used as zod's error map. */
export const describeIssue = (issue: z.core.$ZodRawIssue): string | undefined => {
  switch (issue.code) {
    case "invalid_type":
      return wrongType(issue);
    case "invalid_value":
      return choices(issue.values);
    case "invalid_union":
      return issue.discriminator === undefined ? undefined : choices((issue.options as readonly unknown[] | undefined) ?? []);
    case "too_small":
      return bound(issue, "at least", issue.minimum);
    case "too_big":
      return bound(issue, "at most", issue.maximum);
    default:
      return undefined;
  }
};
