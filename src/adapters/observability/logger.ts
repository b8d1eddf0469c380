/** Structured logs, one JSON object a line, in which nothing secret appears by accident. */
import { type Bindings, type DestinationStream, type Logger, pino } from "pino";

export type LogLevel = "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";

export type LoggerOptions = {
  readonly level: LogLevel;
  /** Where lines go; standard output unless given. */
  readonly destination?: DestinationStream;
};

/** Keys whose values are secret wherever they stand, however they are written. */
const SECRET_KEY =
  /passw|passphrase|authorization|secret|credential|cookie|private[-_]?key|api[-_]?key|^(?:access|refresh|auth)?[-_]?token$/iu;

const CENSORED = "(secret)";
const MAX_DEPTH = 6;
const MAX_ENTRIES = 100;
const MAX_CAUSES = 5;

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};

const censor = (value: unknown, depth: number): unknown => {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Error) return describeError(value);
  if (value instanceof URL) return value.origin;
  if (ArrayBuffer.isView(value)) return `(${value.byteLength} octets)`;
  if (depth >= MAX_DEPTH) return "(too deep)";
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map((item: unknown) => censor(item, depth + 1));
  if (value instanceof Map || value instanceof Set) return censor([...(value as Iterable<unknown>)].slice(0, MAX_ENTRIES), depth + 1);
  // Dates and the like know how to show themselves; others (sockets, streams) would pour out half the process.
  if (!isPlain(value)) return "toJSON" in value ? value : `(${value.constructor.name})`;
  return censorEntries(value as Readonly<Record<string, unknown>>, depth);
};

const censorEntries = (object: Readonly<Record<string, unknown>>, depth: number): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(object)
      .slice(0, MAX_ENTRIES)
      .map(([key, value]) => [key, SECRET_KEY.test(key) && value !== undefined ? CENSORED : censor(value, depth + 1)]),
  );

type DescribedError = {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: DescribedError;
};

/** What a log needs of an error: libraries hang requests, with their headers, onto theirs, and those stay out. */
const describeError = (error: unknown, depth = 0): DescribedError => {
  if (!(error instanceof Error)) return { type: typeof error, message: typeof error === "string" ? error : "not an Error" };
  const { code } = error as { readonly code?: unknown };
  return {
    type: error.name,
    message: error.message,
    ...(typeof code === "string" ? { code } : {}),
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(error.cause === undefined || depth >= MAX_CAUSES ? {} : { cause: describeError(error.cause, depth + 1) }),
  };
};

/**
 * A pino logger. Times are RFC 3339 in UTC, levels are names. Values under secret-looking keys (`password`,
 * `authorization`, `token` and the like) are replaced at every depth, in children's fields too.
 */
export const logger = ({ level, destination }: LoggerOptions): Logger => {
  const root = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: (error: unknown) => (error instanceof Error ? describeError(error) : error) },
      formatters: { level: (label) => ({ level: label }), log: (fields) => censorEntries(fields, 0) },
    },
    destination ?? pino.destination({ sync: true }),
  );
  // pino formats the fields of children not at all; they inherit this method from the logger they come from.
  const plainChild = Reflect.get(root, "child") as unknown as (this: Logger, fields: Bindings, options?: object) => Logger;
  Object.defineProperty(root, "child", {
    value(this: Logger, fields: Bindings, options?: object): Logger {
      return plainChild.call(this, censorEntries(fields, 0), options);
    },
  });
  return root;
};
