/** Drafts for tests of the composer, and ways to look at what came of them. */
import assert from "node:assert/strict";
import { simpleParser, type ParsedMail } from "mailparser";
import { composer } from "../../../../src/adapters/mime/compose.ts";
import type { Draft, DraftFile, Mailbox } from "../../../../src/adapters/mime/draft.ts";
import { parseAddress } from "../../../../src/domain/address.ts";
import { joinContent } from "../../../../src/domain/content.ts";

export const NOW = Date.UTC(2026, 5, 1, 12, 30, 5);

export const mailbox = (address: string, name = ""): Mailbox => {
  const parsed = parseAddress(address);
  assert(parsed !== undefined, address);
  return { name, address: parsed };
};

let drawn = 0;
const random = (octets: number): Uint8Array => Uint8Array.from({ length: octets }, (_, index) => (index * 7 + drawn++) & 0xff);
export const { compose, bccField } = composer({ hostname: "mail.example.org", userAgent: "posthorn/test", random });

export const draft = (changes: Partial<Draft> = {}): Draft => ({
  ...{ from: mailbox("shop@example.org", "Shop"), to: [mailbox("bob@example.net")], cc: [], bcc: [], replyTo: [] },
  ...{ messageId: "", references: [], date: null, subject: "hello", text: "hi\n", html: "", headers: [] },
  ...{ alternativeFiles: [], inlineFiles: [], attachedFiles: [] },
  ...changes,
});

export const file = (changes: Partial<DraftFile> = {}): DraftFile => ({
  name: "",
  contentType: "",
  contentId: "",
  data: Buffer.from("data"),
  ...changes,
});

/** Its content in one piece. */
export const composed = async (changes: Partial<Draft>) => {
  const result = await compose(draft(changes), NOW);
  assert(result.ok, JSON.stringify(result));
  return { ...result.message, content: joinContent(result.message.content) };
};

type ComposedMessage = Awaited<ReturnType<typeof composed>>;

export const textOf = ({ content }: ComposedMessage): string => Buffer.from(content).toString("utf8");
export const headerOf = (message: ComposedMessage): string => textOf(message).slice(0, textOf(message).indexOf("\r\n\r\n") + 2);

/** Header fields, unfolded: name in lower case and value. */
export const fieldsOf = (message: ComposedMessage): readonly (readonly [string, string])[] =>
  headerOf(message)
    .replace(/\r\n(?=[ \t])/g, "")
    .split("\r\n")
    .filter((line) => line !== "")
    .map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]);

export const field = (message: ComposedMessage, name: string): string | undefined => fieldsOf(message).find(([key]) => key === name)?.[1];

export const refusal = async (changes: Partial<Draft>): Promise<string> => {
  const result = await compose(draft(changes), NOW);
  return result.ok ? "composed" : result.refusal.code;
};

export const parsed = async (changes: Partial<Draft>): Promise<ParsedMail> =>
  simpleParser(Buffer.from((await composed(changes)).content), { skipTextToHtml: true });
