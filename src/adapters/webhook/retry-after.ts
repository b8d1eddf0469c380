/** The Retry-After header: how long a receiver asks to be left alone (RFC 9110 section 10.2.3). */
import type { Instant } from "../../domain/clock.ts";

/** The three forms of RFC 9110 section 5.6.7, all in GMT; the last one says so only by the RFC. */
const IMF_FIXDATE =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d{2}:\d{2}:\d{2} GMT$/u;
const RFC_850 = /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\d{2})-([A-Z][a-z]{2})-(\d{2}) (\d{2}:\d{2}:\d{2}) GMT$/u;
const ASCTIME = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d{2}:\d{2}:\d{2}) (\d{4})$/u;

const CENTURY = 100;

const httpDate = (text: string, now: Instant): Instant => {
  if (IMF_FIXDATE.test(text)) return Date.parse(text);
  const [, day, month, year, time] = RFC_850.exec(text) ?? [];
  if (day !== undefined) {
    const thisYear = new Date(now).getUTCFullYear();
    const near = thisYear - (thisYear % CENTURY) + Number(year);
    // A two-digit year that would lie more than 50 years ahead belongs to the past century.
    return Date.parse(`${day} ${month ?? ""} ${near > thisYear + CENTURY / 2 ? near - CENTURY : near} ${time ?? ""} GMT`);
  }
  const [, ascMonth, ascDay, ascTime, ascYear] = ASCTIME.exec(text) ?? [];
  return ascMonth === undefined ? NaN : Date.parse(`${(ascDay ?? "").trim()} ${ascMonth} ${ascYear ?? ""} ${ascTime ?? ""} GMT`);
};

/**
 * Milliseconds from `now` that a Retry-After value asks for, never negative; null when it is missing, repeated or
 * neither a number of seconds nor a date. How much of it to honour is for the caller to decide.
 */
export const retryAfterMs = (value: string | readonly string[] | undefined, now: Instant): number | null => {
  if (typeof value !== "string") return null;
  const text = value.trim();
  if (/^\d{1,12}$/u.test(text)) return Number(text) * 1_000;
  const at = httpDate(text, now);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
};
