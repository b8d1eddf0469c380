/** What people type on a command line: ids, numbers, times and durations. */
import { InvalidArgumentError } from "commander";

export type ParseDuration = (text: string) => number | undefined;

const wholeNumber =
  (what: string, least: number, most: number) =>
  (text: string): number => {
    const value = /^\d{1,16}$/u.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`expected ${what}`);
  };

export const idArgument = wholeNumber("an id", 1, Number.MAX_SAFE_INTEGER);
export const positionArgument = wholeNumber("a position in the log", 0, Number.MAX_SAFE_INTEGER);
export const countArgument = wholeNumber("a number from 1 to 10000000", 1, 10_000_000);
export const portArgument = wholeNumber("a port", 0, 65_535);

/** Ids one by one or with commas, as an option that may be repeated or take several. */
export const idsArgument = (text: string, previous: readonly number[] = []): readonly number[] => [
  ...previous,
  ...text.split(",").map(idArgument),
];

export const durationArgument =
  (parse: ParseDuration) =>
  (text: string): number => {
    const ms = parse(text);
    if (ms !== undefined) return ms;
    throw new InvalidArgumentError("expected a duration such as 90s, 15m or 2h");
  };

/** A duration with an optional sign. */
export const shiftArgument =
  (parse: ParseDuration) =>
  (text: string): number => {
    const [, sign = "", amount = ""] = /^([+-]?)(.+)$/su.exec(text) ?? [];
    const ms = durationArgument(parse)(amount);
    return sign === "-" ? -ms : ms;
  };

/** An instant as RFC 3339 text, `now`, or so long from now: `+2h`, `-1d`. */
export const timeArgument =
  (parse: ParseDuration, now: () => number) =>
  (text: string): string => {
    if (text === "now") return new Date(now()).toISOString();
    if (/^[+-]/u.test(text)) return new Date(now() + shiftArgument(parse)(text)).toISOString();
    const at = /^\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)?)?$/u.test(text) ? Date.parse(text) : Number.NaN;
    if (!Number.isNaN(at)) return new Date(at).toISOString();
    throw new InvalidArgumentError("expected a time such as 2026-06-01T12:00Z, now, +2h or -1d");
  };
