/** A received message taken apart for reading. Whatever a stranger sent must cost little and break nothing. */
import { simpleParser, type AddressObject, type ParsedMail } from "mailparser";
import type { StoredContent } from "../../../domain/event-log.ts";

/** Octets that are looked at; what lies behind is left to who reads the raw message. */
const MAX_OCTETS = 5_000_000;
const MAX_TEXT = 500_000;
const MAX_HTML = 1_000_000;
const MAX_ATTACHMENTS = 200;
const MAX_HEADER = 64_000;

export type Attachment = { readonly name: string; readonly contentType: string; readonly size: number };

export type ReceivedMail = {
  readonly from: string;
  readonly to: string;
  readonly cc: string;
  readonly replyTo: string;
  readonly subject: string;
  readonly date: Date | undefined;
  /** Header fields as they came. */
  readonly header: string;
  /** Null without such a part. */
  readonly text: string | null;
  /** With inline images in place. Hostile: only for a sandbox. */
  readonly html: string | null;
  readonly attachments: readonly Attachment[];
  /** Whether something was too long to be shown whole. */
  readonly cut: boolean;
};

const addresses = (value: AddressObject | AddressObject[] | undefined): string =>
  (value === undefined ? [] : [value].flat()).map(({ text }) => text).join(", ");

const shortened = (text: string | undefined, most: number): string | null => text?.slice(0, most) ?? null;

const shown = (parsed: ParsedMail, cut: boolean): ReceivedMail => {
  const header = parsed.headerLines.map(({ line }) => line).join("\n");
  const { text = "", attachments } = parsed;
  const markup = parsed.html === false ? undefined : parsed.html;
  const lengths = [
    [header.length, MAX_HEADER],
    [text.length, MAX_TEXT],
    [markup?.length ?? 0, MAX_HTML],
    [attachments.length, MAX_ATTACHMENTS],
  ] as const;
  return {
    from: addresses(parsed.from),
    to: addresses(parsed.to),
    cc: addresses(parsed.cc),
    replyTo: addresses(parsed.replyTo),
    subject: parsed.subject ?? "",
    date: Number.isNaN(parsed.date?.getTime() ?? Number.NaN) ? undefined : parsed.date,
    header: header.slice(0, MAX_HEADER),
    text: shortened(parsed.text, MAX_TEXT),
    html: shortened(markup, MAX_HTML),
    attachments: attachments
      .slice(0, MAX_ATTACHMENTS)
      .map(({ filename, contentType, size }) => ({ name: filename ?? "", contentType, size })),
    cut: cut || lengths.some(([length, most]) => length > most),
  };
};

const beginning = async ({ pieces }: StoredContent): Promise<Buffer> => {
  const read: Uint8Array[] = [];
  let octets = 0;
  for await (const piece of pieces) {
    read.push(piece);
    octets += piece.byteLength;
    if (octets >= MAX_OCTETS) break;
  }
  return Buffer.concat(read).subarray(0, MAX_OCTETS);
};

/** Undefined when it cannot be taken apart at all. */
export const readMail = async (content: StoredContent): Promise<ReceivedMail | undefined> => {
  const octets = await beginning(content);
  try {
    // No conversions between text and HTML: they are slow on hostile input, and what was sent is what should be seen.
    const parsed = await simpleParser(octets, {
      skipHtmlToText: true,
      skipTextToHtml: true,
      skipTextLinks: true,
      maxHtmlLengthToParse: MAX_HTML,
    });
    return shown(parsed, content.size > MAX_OCTETS);
  } catch {
    return undefined;
  }
};
