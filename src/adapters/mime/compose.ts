/**
 * Turns a draft into the message that is sent. One header writer serves all messages. A body of text and HTML alone,
 * which is what most applications send, is put together here; a body with files is nodemailer's.
 */
import { needsSmtpUtf8 } from "../../domain/address.ts";
import type { Instant } from "../../domain/clock.ts";
import { joinContent } from "../../domain/content.ts";
import { contentSize, type Content } from "../../domain/event-log.ts";
import type { ComposeRefusal, ComposeResult, ComposedMessage, Draft, Mailbox } from "./draft.ts";
import { fileFault, fileTree } from "./file-tree.ts";
import { hasControl, headersFault } from "./header-rules.ts";
import { addressList, headerDate, headerField, unstructured } from "./header-text.ts";
import { messageIdOf } from "./message-id.ts";
import type { TextPart } from "./text-part.ts";
import { textPart } from "./text-part.ts";

export type ComposerOptions = {
  /** Right-hand side of generated Message-IDs: this server's host name. */
  readonly hostname: string;
  /** Value of the User-Agent header. */
  readonly userAgent: string;
  /** Unpredictable octets, so many. */
  readonly random: (octets: number) => Uint8Array;
};

/** Makes messages of drafts. Refuses with a value what must not be written; throws on nothing. */
export type Composer = {
  /** `now` is the instant of the Date header of a draft without a date. */
  readonly compose: (draft: Draft, now: Instant) => Promise<ComposeResult>;
  /** The field `Bcc: …`, which goes before the header of the sender's own copy; empty without blind copies. */
  readonly bccField: (bcc: readonly Mailbox[]) => string;
};

const MAX_TEXT = 65_536;
const MAX_NAME = 1_000;
const MAX_MESSAGE_ID = 900;
const MAX_REFERENCES = 1_000;

/** Four digits for the year (RFC 5322 section 3.3), and not before there was mail on any network. */
const EARLIEST_AT = Date.UTC(1900, 0, 1);
const LATEST_AT = Date.UTC(9999, 11, 30);

const user = (detail: string): ComposeRefusal => ({ code: "user", detail });

const nameFault = ({ name }: Mailbox): string | undefined => {
  if (name === "") return undefined;
  if (hasControl(name)) return "name of an address has control characters";
  return name.length > MAX_NAME ? `name of an address is longer than ${MAX_NAME} characters` : undefined;
};

const firstFault = <Item>(items: readonly Item[], fault: (item: Item) => string | undefined): string | undefined => {
  for (const item of items) {
    const found = fault(item);
    if (found !== undefined) return found;
  }
  return undefined;
};

const messageIdRefusal = (messageId: string): ComposeRefusal | undefined => {
  if (messageId === "") return undefined;
  if (!messageId.startsWith("<") || !messageId.endsWith(">")) return { code: "malformedMessageID", detail: "missing <> in message-id" };
  if (hasControl(messageId)) return user("message-id has control characters");
  if (messageId.length <= MAX_MESSAGE_ID && /^<[\x21-\x3b\x3d\x3f-\x7e]+>$/.test(messageId)) return undefined;
  return { code: "malformedMessageID", detail: "message-id is not printable ASCII in one pair of <>" };
};

const referenceFault = (reference: string): string | undefined => {
  if (hasControl(reference)) return "a reference has control characters";
  return /^[\x20-\x7e]*$/.test(reference) ? undefined : "a reference is not a message-id";
};

const dateFault = ({ date }: Draft): string | undefined =>
  date === null || (date.at >= EARLIEST_AT && date.at <= LATEST_AT) ? undefined : "date is out of range";

const subjectFault = ({ subject }: Draft): string | undefined => {
  if (hasControl(subject)) return "subject has control characters";
  return subject.length > MAX_TEXT ? `subject is longer than ${MAX_TEXT} characters` : undefined;
};

const referencesFault = ({ references }: Draft): string | undefined => {
  if (references.length > MAX_REFERENCES) return `more than ${MAX_REFERENCES} references`;
  // All of them: each may be several words, and taking those apart costs many times what they take.
  const characters = references.reduce((sum, reference) => sum + reference.length, 0);
  if (characters > MAX_TEXT) return `references are longer than ${MAX_TEXT} characters`;
  return firstFault(references, referenceFault);
};

/** Each says what is wrong with its part of a draft, or undefined. */
const CHECKS: readonly ((draft: Draft) => string | undefined)[] = [
  ({ from }) => nameFault(from),
  ({ to }) => firstFault(to, nameFault),
  ({ cc }) => firstFault(cc, nameFault),
  ({ bcc }) => firstFault(bcc, nameFault),
  ({ replyTo }) => firstFault(replyTo, nameFault),
  subjectFault,
  dateFault,
  referencesFault,
  ({ headers }) => headersFault(headers),
  ({ alternativeFiles }) => firstFault(alternativeFiles, fileFault),
  ({ inlineFiles }) => firstFault(inlineFiles, fileFault),
  ({ attachedFiles }) => firstFault(attachedFiles, fileFault),
];

/** What keeps a draft from being written, first fault first. */
const draftRefusal = (draft: Draft): ComposeRefusal | undefined => {
  const fault = firstFault(CHECKS, (check) => check(draft));
  return fault === undefined ? messageIdRefusal(draft.messageId) : user(fault);
};

const isInternational = (mailboxes: readonly Mailbox[]): boolean => mailboxes.some(({ address }) => needsSmtpUtf8(address));

/** Fields of the message's header but for those about its body; or the name of the field that cannot be folded. */
const headerLines = (
  draft: Draft,
  messageId: string,
  now: Instant,
  userAgent: string,
): readonly string[] | { readonly unfoldable: string } => {
  const fields: [name: string, value: string][] = [["From", addressList([draft.from])]];
  if (draft.replyTo.length > 0) fields.push(["Reply-To", addressList(draft.replyTo)]);
  if (draft.to.length > 0) fields.push(["To", addressList(draft.to)]);
  if (draft.cc.length > 0) fields.push(["Cc", addressList(draft.cc)]);
  if (draft.subject !== "") fields.push(["Subject", unstructured(draft.subject)]);
  fields.push(["Date", headerDate(draft.date?.at ?? now, draft.date?.offsetMinutes ?? 0)], ["Message-ID", messageId]);
  const references = draft.references.flatMap((reference) => reference.split(" ").filter((id) => id !== ""));
  const inReplyTo = references.at(-1);
  if (inReplyTo !== undefined) fields.push(["References", references.join(" ")], ["In-Reply-To", inReplyTo]);
  fields.push(["MIME-Version", "1.0"]);
  let hasAgent = false;
  for (const [name, value] of draft.headers) {
    fields.push([name, customValue(value)]);
    if (/^(?:user-agent|x-mailer)$/i.test(name)) hasAgent = true;
  }
  if (!hasAgent) fields.push(["User-Agent", userAgent]);
  const lines: string[] = [];
  for (const [name, value] of fields) {
    const line = headerField(name, value);
    if (line === undefined) return { unfoldable: name };
    lines.push(line);
  }
  return lines;
};

/** ASCII goes out as it came: the field may be structured, and what looks like an encoded word be meant as one. */
const customValue = (value: string): string => {
  const trimmed = value.trim();
  return /^[\x20-\x7e]*$/.test(trimmed) ? trimmed : unstructured(trimmed);
};

const SCAN_EIGHT_BIT = /[^\x00-\x7f]/;

const alternative = (texts: readonly TextPart[], boundary: string): TextPart => ({
  headers: `Content-Type: multipart/alternative; boundary="${boundary}"\r\n`,
  body: `${texts.map(({ headers, body }) => `--${boundary}\r\n${headers}\r\n${body}\r\n`).join("")}--${boundary}--\r\n`,
});

/** Up to here a message is kept in one piece: one copy costs less than several pieces. */
const JOINED_OCTETS = 64 * 1_024;

const together = (content: Content): Content => (contentSize(content) <= JOINED_OCTETS ? [joinContent(content)] : content);

const TOKEN_OCTETS = 16;

/** Unguessable tokens of 128 bits in base64url. Octets are asked for by the batch: each request for some has its price. */
const tokenSource = (random: ComposerOptions["random"]): (() => string) => {
  let pool = Buffer.alloc(0);
  return () => {
    if (pool.length < TOKEN_OCTETS) pool = Buffer.from(random(TOKEN_OCTETS * 64));
    const token = pool.toString("base64url", 0, TOKEN_OCTETS);
    pool = pool.subarray(TOKEN_OCTETS);
    return token;
  };
};

/** Builds a {@link Composer}. */
export const composer = ({ hostname, userAgent, random }: ComposerOptions): Composer => {
  const token = tokenSource(random);

  const body = async (draft: Draft): Promise<{ readonly headers: string; readonly body: string | Content }> => {
    const texts = [
      ...(draft.text === "" ? [] : [textPart("plain", draft.text)]),
      ...(draft.html === "" ? [] : [textPart("html", draft.html)]),
    ];
    const files = draft.alternativeFiles.length + draft.inlineFiles.length + draft.attachedFiles.length;
    if (files > 0) return fileTree(draft, texts, token());
    const [only, second] = texts;
    return only !== undefined && second === undefined ? only : alternative(texts, `=_${token()}`);
  };

  const compose = async (draft: Draft, now: Instant): Promise<ComposeResult> => {
    const refusal = draftRefusal(draft);
    if (refusal !== undefined) return { ok: false, refusal };
    const messageId = draft.messageId === "" ? messageIdOf(now, token(), hostname) : draft.messageId;
    const lines = headerLines(draft, messageId, now, userAgent);
    if ("unfoldable" in lines) return { ok: false, refusal: user(`header ${lines.unfoldable} has a word too long for a line`) };
    const part = await body(draft);
    const header = `${lines.join("")}${part.headers}\r\n`;
    const content = typeof part.body === "string" ? [Buffer.from(header + part.body)] : together([Buffer.from(header), ...part.body]);
    const smtpUtf8 = isInternational([draft.from, ...draft.to, ...draft.cc, ...draft.bcc, ...draft.replyTo]);
    const message: ComposedMessage = { content, messageId, smtpUtf8, eightBit: smtpUtf8 && SCAN_EIGHT_BIT.test(header) };
    return { ok: true, message };
  };

  const bccField = (bcc: readonly Mailbox[]): string => (bcc.length === 0 ? "" : (headerField("Bcc", addressList(bcc)) ?? ""));

  return { compose, bccField };
};
