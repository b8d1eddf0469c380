/** Types that the wire has and JSON has not: instants, and octets in base64. */
import { z } from "zod";
import type { Instant } from "../../domain/clock.ts";

/** An instant as somebody's clock showed it. */
export type WireTime = { readonly at: Instant; readonly offsetMinutes: number };

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/;

/** Reads a date-time of RFC 3339 section 5.6 (no leap seconds, `T` and `Z` in upper case); undefined when it is none. */
export const parseTime = (text: string): WireTime | undefined => {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [number, number, number, number, number, number];
  const [, , , , , , , fraction = "", sign, zoneHour = "0", zoneMinute = "0"] = match;
  if (hour > 23 || minute > 59 || second > 59 || Number(zoneHour) > 23 || Number(zoneMinute) > 59) return undefined;
  const wall = new Date(0);
  wall.setUTCFullYear(year, month - 1, day);
  if (wall.getUTCMonth() !== month - 1 || wall.getUTCDate() !== day) return undefined;
  wall.setUTCHours(hour, minute, second, Number(fraction.slice(0, 3).padEnd(3, "0")));
  const offsetMinutes = (sign === "-" ? -1 : 1) * (Number(zoneHour) * 60 + Number(zoneMinute));
  return { at: wall.getTime() - offsetMinutes * 60_000, offsetMinutes: offsetMinutes === 0 ? 0 : offsetMinutes };
};

/** Schema of a date-time of RFC 3339. */
export const wireTime = z.string().transform((text, context): WireTime => {
  const time = parseTime(text);
  if (time !== undefined) return time;
  context.addIssue({ code: "custom", message: "expected a date-time as in RFC 3339, such as 2026-06-01T12:00:00Z" });
  return z.NEVER;
});

/**
 * Decodes standard base64 with padding (RFC 4648 section 4), line ends ignored; undefined for anything else. Node's own
 * decoder skips what it does not know, so the length tells whether it skipped something.
 */
export const decodeBase64 = (text: string): Buffer | undefined => {
  const packed = text.includes("\n") || text.includes("\r") ? text.replace(/[\r\n]+/g, "") : text;
  if (packed.length % 4 !== 0 || packed.includes("-") || packed.includes("_")) return undefined;
  const padding = packed.endsWith("==") ? 2 : packed.endsWith("=") ? 1 : 0;
  const octets = Buffer.from(packed, "base64");
  return octets.length === (packed.length / 4) * 3 - padding ? octets : undefined;
};

/**
 * Schema of an integer of 64 bits, as clients' types have it. Numbers from 2^53 on come rounded; they are nobody's id and
 * no index, so that what is asked for with one is not found, rather than the request malformed.
 */
export const wireInteger = z.number().refine((value) => Number.isInteger(value) && Math.abs(value) <= 2 ** 63, "expected an integer");
