/** Whether an arrived message reports about mail of ours, and what: a DSN (RFC 3464, RFC 6533) or a complaint (RFC 5965). */
import type { Content } from "../../../domain/event-log.ts";
import type { Report } from "../../../domain/received/report.ts";
import { headerFields } from "../reader/header-fields.ts";
import type { PartStructure, ReadingLimits } from "../reader/mail-reading.ts";
import { describePart } from "../reader/part-description.ts";
import { readMail } from "../reader/read-mail.ts";
import { readPart } from "../reader/read-part.ts";
import { readDeliveryStatus } from "./delivery-status.ts";
import { readFeedbackReport } from "./feedback-report.ts";
import { NOTHING_RETURNED, readReturnedHeader } from "./returned-header.ts";

/** A report says what it has to within this; the rest is the message that it returns. */
const MAX_REPORT = 2 * 1_024 * 1_024;
const MAX_HEADER = 256 * 1_024;
/** Octets of the machine-readable part, and of the returned header. */
const MAX_STATUS = 256 * 1_024;
const MAX_RETURNED = 64 * 1_024;

/** Reports are flat; a mailing list or a gateway may have put a few layers around one. */
const LIMITS: Partial<ReadingLimits> = { headerOctets: MAX_HEADER, depth: 6, parts: 50, textOctets: 1 };

const STATUS_TYPES: Readonly<Record<string, Report["kind"]>> = {
  "message/delivery-status": "dsn",
  "message/global-delivery-status": "dsn",
  "message/feedback-report": "complaint",
};

const RETURNED_TYPES: ReadonlySet<string> = new Set([
  "text/rfc822-headers",
  "message/rfc822",
  "message/global-headers",
  "message/global",
  // Not registered, but sent.
  "text/rfc822-header",
  "message/rfc822-headers",
]);

/** What every report names somewhere near its beginning. */
const NAMED = /message\/(?:(?:global-)?delivery-status|feedback-report)/iu;

/** The first octets, without copying them. */
const headOf = (content: Content, most: number): Content => {
  const head: Uint8Array[] = [];
  let left = most;
  for (const piece of content) {
    if (left <= 0) break;
    head.push(piece.subarray(0, left));
    left -= piece.byteLength;
  }
  return head;
};

/** Nearly all mail is no report, and that shows without taking it apart. */
const mayBeReport = (head: Content): boolean => {
  const { contentType } = describePart(headerFields(Buffer.concat(headOf(head, MAX_HEADER))), "text/plain");
  if (!contentType.startsWith("multipart/")) return false;
  return contentType === "multipart/report" || NAMED.test(Buffer.concat(head).toString("latin1"));
};

type Found = { readonly kind: Report["kind"]; readonly path: readonly number[]; readonly returned: readonly number[] | undefined };

const statusKind = ({ contentType }: PartStructure): Report["kind"] | undefined =>
  Object.hasOwn(STATUS_TYPES, contentType) ? STATUS_TYPES[contentType] : undefined;

/** The first part that reports, where it belongs: directly in a multipart/report. What it returns comes after it. */
const find = (part: PartStructure, path: readonly number[]): Found | undefined => {
  for (const [index, child] of part.parts.entries()) {
    const kind = part.contentType === "multipart/report" ? statusKind(child) : undefined;
    if (kind !== undefined) {
      const returned = part.parts.findIndex(({ contentType }, at) => at > index && RETURNED_TYPES.has(contentType));
      return { kind, path: [...path, index], returned: returned < 0 ? undefined : [...path, returned] };
    }
    const within = find(child, [...path, index]);
    if (within !== undefined) return within;
  }
  return undefined;
};

/** Null for everything that is no report. Bounded in time and memory, and never throws for what the content holds. */
export const parseReport = async (content: Content): Promise<Report | null> => {
  const head = headOf(content, MAX_REPORT);
  if (!mayBeReport(head)) return null;
  const { structure } = await readMail(head, LIMITS);
  const found = find(structure, []);
  if (found === undefined) return null;
  const status = (await readPart(head, found.path, LIMITS))?.subarray(0, MAX_STATUS) ?? new Uint8Array();
  const octets = found.returned === undefined ? undefined : await readPart(head, found.returned, LIMITS);
  const returned = octets === undefined ? NOTHING_RETURNED : readReturnedHeader(octets.subarray(0, MAX_RETURNED));
  return found.kind === "dsn" ? readDeliveryStatus(status, returned) : readFeedbackReport(status, returned);
};
