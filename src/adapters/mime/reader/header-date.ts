/** The date of a message: RFC 5322 section 3.3, the obsolete forms of section 4.3, and what is often written instead. */
import { HOUR_MS, MINUTE_MS, type Instant } from "../../../domain/clock.ts";

const DATE =
  /^(?:[a-z]{3,9}\.?,?\s{0,9})?(?<day>\d{1,2})[\s-]{1,9}(?<month>[a-z]{3})[a-z]{0,6}[\s-]{1,9}(?<year>\d{2,4})\s{1,9}(?<hour>\d{1,2}):(?<minute>\d{1,2})(?::(?<second>\d{1,2})(?:\.\d{1,9})?)?\s{0,9}(?:(?<sign>[+-])(?<zoneHours>\d{2}):?(?<zoneMinutes>\d{2})|(?<zone>[a-z]{1,5}))?/iu;

const MONTHS: readonly string[] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/** Hours east; any other name counts as universal time (section 4.3). */
const ZONES: Readonly<Record<string, number>> = { est: -5, edt: -4, cst: -6, cdt: -5, mst: -7, mdt: -6, pst: -8, pdt: -7 };

const COMMENT = /\([^()]{0,200}\)/gu;

const MAX_LENGTH = 200;

/** Two and three digits count from 1900, but for 00 to 49 (section 4.3). */
const fullYear = (digits: string): number => {
  const year = Number(digits);
  if (digits.length > 3) return year;
  return digits.length === 2 && year < 50 ? 2_000 + year : 1_900 + year;
};

/** Milliseconds east of universal time. */
const offsetOf = ({ sign, hours, minutes, zone }: Readonly<Record<string, string | undefined>>): number => {
  const numeric = Number(hours ?? 0) * HOUR_MS + Number(minutes ?? 0) * MINUTE_MS;
  return (sign === "-" ? -numeric : numeric) + (ZONES[zone?.toLowerCase() ?? ""] ?? 0) * HOUR_MS;
};

/** What RFC 3339, in which clients are told of dates, can say: years have four digits there, in universal time. */
const LAST_AT = Date.UTC(9999, 11, 31, 23, 59, 59);

/** The instant that a Date field names; null when it names none, or one after the year 9999. */
export const headerDate = (value: string): Instant | null => {
  const parts = DATE.exec(value.slice(0, MAX_LENGTH).replace(COMMENT, " ").trim())?.groups;
  if (parts === undefined) return null;
  const { year = "", month = "", second = "0" } = parts;
  const [day, hour, minute] = [Number(parts["day"]), Number(parts["hour"]), Number(parts["minute"])];
  const monthIndex = MONTHS.indexOf(month.toLowerCase());
  const at = Date.UTC(fullYear(year), monthIndex, day, hour, minute, Math.min(Number(second), 59));
  const isReal = monthIndex >= 0 && hour < 24 && minute < 60 && new Date(at).getUTCDate() === day;
  const instant = at - offsetOf({ ...parts, hours: parts["zoneHours"], minutes: parts["zoneMinutes"] });
  return isReal && instant <= LAST_AT ? instant : null;
};
