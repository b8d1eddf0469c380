/** A configuration fit for a log: everything but the secrets. */
import type { Config } from "./schema.ts";
import { SECRET_KEYS } from "./schema.ts";

const SECRET: ReadonlySet<string> = new Set(SECRET_KEYS);

/** Paths of webhooks are often secret themselves: only the origin says enough. */
const origin = (url: string): string => URL.parse(url)?.origin ?? "(not a URL)";

const redact = (value: unknown, key: string): unknown => {
  if (value === undefined) return undefined;
  if (SECRET.has(key)) return "(secret)";
  if (key === "url" && typeof value === "string") return origin(value);
  if (Array.isArray(value)) return value.map((item: unknown) => redact(item, ""));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, redact(inner, name)]));
};

/** A copy of the configuration with `(secret)` for every password, hash and Authorization, and URLs cut to their origin. */
export const redacted = (config: Config): Readonly<Record<string, unknown>> => redact(config, "") as Readonly<Record<string, unknown>>;
