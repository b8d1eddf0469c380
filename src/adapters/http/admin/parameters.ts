/** The values that requests are made of, each checked where it comes in: ids, instants, pages, names. */
import { z } from "zod";
import { HOUR_MS, type Instant } from "../../../domain/clock.ts";

/** Rows of a page, and what a request gets that does not say. */
const MAX_PAGE = 1_000;
const DEFAULT_PAGE = 100;

/** Bounds of what a queue may be told to do: the year 2000 to 2200. */
const EARLIEST_AT = Date.UTC(2000, 0, 1);
const LATEST_AT = Date.UTC(2200, 0, 1);
const MAX_SHIFT_MS = 366 * 24 * HOUR_MS;

const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:\d\d)$/u;

const instantOf = (value: string | number): Instant | undefined => {
  const at = typeof value === "number" || /^\d{1,16}$/u.test(value) ? Number(value) : RFC_3339.test(value) ? Date.parse(value) : Number.NaN;
  return at >= EARLIEST_AT && at <= LATEST_AT ? Math.round(at) : undefined;
};

/** Milliseconds since the epoch, or RFC 3339 text. */
export const instant = z.union([z.string(), z.number()], { error: "expected a time" }).transform((value, context): Instant => {
  const at = instantOf(value);
  if (at !== undefined) return at;
  context.addIssue({ code: "custom", message: "expected a time as in 2026-06-01T12:00:00Z or in milliseconds since 1970" });
  return z.NEVER;
});

/** A number that is written in a path or a query. */
const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,16}$/u, "expected a whole number")
    .transform(Number)
    .pipe(z.int().min(least).max(most));

/** Id of a message, call, rule or suppression. */
export const id = z.int().min(1);
export const idText = wholeNumber(1, Number.MAX_SAFE_INTEGER);
export const idParams = z.strictObject({ id: idText });

/** A place in the log, in a query. */
export const positionText = wholeNumber(0, Number.MAX_SAFE_INTEGER);

/** Where the next page starts. Whoever made the cursor reads it. */
const cursor = z.string().min(1).max(2_000).optional();

export const pageQuery = {
  cursor,
  limit: wholeNumber(1, MAX_PAGE).default(DEFAULT_PAGE),
};

export const direction = z.enum(["ascending", "descending"]);

/** Text of one line, as names and addresses are. */
export const line = z
  .string()
  .min(1)
  .max(320)
  .regex(/^[^\p{Cc}]*$/u, "must not hold control characters");

export const flagText = z.enum(["true", "false"]).transform((text) => text === "true");

/** A shift of a time, forwards or backwards. */
export const shiftMs = z.int().min(-MAX_SHIFT_MS).max(MAX_SHIFT_MS);
export const durationMs = z.int().min(0).max(MAX_SHIFT_MS);

/** `user@domain` or `@domain`. */
export const addressPattern = line.regex(/^[^@]*@[^@]+$|^".*"@[^@]+$/u, "expected user@domain or @domain");
