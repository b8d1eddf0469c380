/**
 * Reads and completes the header of a submitted message (RFC 6409 section 8): who wrote it, what it asks this server for,
 * and what of it leaves. All other fields leave octet by octet as they came.
 */
import { isAscii, isUtf8 } from "node:buffer";
import libmime from "libmime";

import type { Address } from "../../../domain/address.ts";
import type { Instant } from "../../../domain/clock.ts";
import type { Refusal } from "../refusal.ts";
import { dateTime } from "../trace.ts";
import { authorOf } from "./author.ts";
import { hasLongLine, LONG_LINE } from "./body-faults.ts";
import { type Extra, extraOf, isExtraField } from "./extra-fields.ts";

export type SubmittedHeader = {
  readonly from: Address;
  /** With its angle brackets. */
  readonly messageId: string;
  /** Decoded; bounded. */
  readonly subject: string;
  readonly extra: Extra;
  /** Whether the header says `TLS-Required: No` (RFC 8689 section 5). */
  readonly tlsNotRequired: boolean;
  /** Whether what leaves needs SMTPUTF8. */
  readonly needsUtf8: boolean;
  /** What leaves: fields with their line ends, without the empty line. */
  readonly text: Buffer;
};

export type HeaderTerms = {
  readonly now: Instant;
  readonly smtpUtf8: boolean;
  /** A Message-ID for a message without one. */
  readonly newMessageId: () => string;
};

/** RFC 5321 section 6.3. */
const MAX_HOPS = 100;
/** Less than what this server takes from others: those on the way add some. */
const MAX_FIELDS = 900;
const MAX_TEXT = 998;

/** RFC 5322 section 2.2, and white space before the colon, which section 4.5 knows from old messages. */
const FIELD = /^([\x21-\x39\x3b-\x7e]+)[ \t]*:/;

/** Fields that are for this server alone: blind copies, and what only the last hop may say (RFC 5321 section 4.4). */
const NOT_SENT: ReadonlySet<string> = new Set(["bcc", "resent-bcc", "return-path"]);

/** Fields that a message has once (RFC 5322 section 3.6), as they are written. Readers differ in which of two they show. */
const ONCE: ReadonlyMap<string, string> = new Map(
  ["From", "Sender", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To", "References"].map((name) => [
    name.toLowerCase(),
    name,
  ]),
);

/** Fields that are added where they are missing. An empty one is none, and must not stand beside the one that is added. */
const ADDED: ReadonlySet<string> = new Set(["date", "message-id"]);

/** An id in brackets, as Send takes it; what RFC 5322 section 3.6.4 wants within them, many clients do not know. Comments may follow. */
const MESSAGE_ID = /^(<[^\s<>\u0000-\u0020\u007f-\u009f]+>)(?:\s*\([^()\\]*\))*$/u;

/** `value` is unfolded, trimmed and in UTF-8; `raw` is latin1, as it came. */
type Field = { readonly name: string; readonly value: string; readonly raw: string };

const malformed = (text: string): Refusal => ({ code: 554, enhancedCode: "5.6.0", text });
const notYours = (text: string): Refusal => ({ code: 550, enhancedCode: "5.7.1", text });

const utf8 = (latin1: string): string => (/[\u0080-\u00ff]/.test(latin1) ? Buffer.from(latin1, "latin1").toString("utf8") : latin1);

const valueOf = (raw: string, from: number): string => utf8(raw.slice(from).replace(/\r\n/g, "")).trim();

const readFields = (header: string): readonly Field[] | Refusal => {
  const fields: Field[] = [];
  const lines = header.replace(/(?:\r\n)+$/, "");
  if (lines === "") return fields;
  if (lines.includes("\0")) return malformed("The header has a NUL");
  for (const raw of lines.split(/\r\n(?![ \t])/)) {
    const [opening = "", name = ""] = FIELD.exec(raw) ?? [];
    if (opening === "") return malformed("The header has a line that is no field");
    if (fields.length === MAX_FIELDS) return malformed(`The header has more than ${MAX_FIELDS} fields`);
    fields.push({ name: name.toLowerCase(), value: valueOf(raw, opening.length), raw });
  }
  return fields;
};

const bounded = (text: string): string =>
  text
    .slice(0, MAX_TEXT)
    .replace(/[\u0000-\u001f\u007f-\u009f]+/gu, " ")
    .toWellFormed();

const decoded = (text: string): string => bounded(text.includes("=?") ? libmime.decodeWords(text.slice(0, MAX_TEXT * 4)) : text);

const author = (fields: readonly Field[]): Address | Refusal => {
  const from = fields.find(({ name }) => name === "from");
  if (from === undefined) return notYours("The message has no From field");
  return authorOf(from.value) ?? notYours("The From field is not exactly one address");
};

/** Why fields come too often. */
const countRefusal = (fields: readonly Field[]): Refusal | undefined => {
  const seen = new Set<string>();
  let hops = 0;
  for (const { name, value } of fields) {
    const once = value === "" && ADDED.has(name) ? undefined : ONCE.get(name);
    if (once !== undefined && seen.has(name)) return malformed(`The message has more than one ${once} field`);
    if (once !== undefined) seen.add(name);
    if (name === "received") hops += 1;
  }
  if (hops <= MAX_HOPS) return undefined;
  return { code: 554, enhancedCode: "5.4.6", text: "The message goes round in circles: too many Received fields" };
};

/**
 * Whether a field leaves. A Message-ID that is no id is replaced, as RFC 6409 section 8.3 asks, and not refused: devices send
 * such that nobody can teach better, and the webhooks tell the id that the message left with.
 */
const isKept = ({ name, value }: Field): boolean => {
  if (name === "message-id") return MESSAGE_ID.test(value);
  return !NOT_SENT.has(name) && !isExtraField(name) && (value !== "" || !ADDED.has(name));
};

/** RFC 6409 sections 8.2 and 8.3: fields that every message has, for one that came without. */
const additions = (has: (name: string) => boolean, messageId: string, now: Instant): string =>
  (has("date") ? "" : `Date: ${dateTime(now)}\r\n`) + (has("message-id") ? "" : `Message-ID: ${messageId}\r\n`);

/**
 * What is wrong with the octets that leave; fields that stay here may have lines as long as they like. RFC 6532 allows UTF-8
 * in a header, RFC 6531 section 3.4 only in a transaction with SMTPUTF8: what next hops would make of it otherwise is anybody's
 * guess, so it is refused where the author can mend it.
 */
const octetRefusal = (octets: Buffer, smtpUtf8: boolean): Refusal | undefined => {
  if (hasLongLine(octets)) return LONG_LINE;
  if (isAscii(octets)) return undefined;
  if (!isUtf8(octets)) return malformed("The header has text that is neither ASCII nor UTF-8: use encoded words (RFC 2047)");
  if (smtpUtf8) return undefined;
  const text = "The header has text beyond ASCII: use encoded words (RFC 2047), or the parameter SMTPUTF8";
  return { code: 554, enhancedCode: "5.6.9", text };
};

/** Reads the header of a message, with or without its last line end; what is wrong with it otherwise. */
export const submittedHeader = (header: Buffer, { now, smtpUtf8, newMessageId }: HeaderTerms): SubmittedHeader | Refusal => {
  const fields = readFields(header.toString("latin1"));
  if ("code" in fields) return fields;
  const tooOften = countRefusal(fields);
  if (tooOften !== undefined) return tooOften;
  const from = author(fields);
  if ("code" in from) return from;
  const extra = extraOf(fields.filter(({ name }) => isExtraField(name)).map(({ name, value }) => [name, value] as const));
  if (isRefusal(extra)) return extra;
  const kept = fields.filter(isKept);
  const valueOfFirst = (wanted: string): string => kept.find(({ name }) => name === wanted)?.value ?? "";
  const messageId = MESSAGE_ID.exec(valueOfFirst("message-id"))?.[1] ?? newMessageId();
  const added = additions((wanted) => kept.some(({ name }) => name === wanted), messageId, now);
  const text = Buffer.from(kept.map(({ raw }) => `${raw}\r\n`).join("") + added, "latin1");
  return (
    octetRefusal(text, smtpUtf8) ?? {
      ...{ from, extra, text, messageId: bounded(messageId), subject: decoded(valueOfFirst("subject")) },
      tlsNotRequired: kept.some(({ name, value }) => name === "tls-required" && value.toLowerCase() === "no"),
      needsUtf8: !isAscii(text),
    }
  );
};

const isRefusal = (value: Extra | Refusal): value is Refusal => typeof value.code === "number";
