/** The body of a message with files, as a tree of nodemailer's MIME nodes: mixed > related > alternative. */
import { Readable } from "node:stream";
import MimeNode from "nodemailer/lib/mime-node";
import { gatherContent } from "../../domain/content.ts";
import type { Content } from "../../domain/event-log.ts";
import { contentTypeFault, contentTypeField } from "./content-type.ts";
import type { Draft, DraftFile } from "./draft.ts";
import { hasControl } from "./header-rules.ts";
import { detectContentType } from "./sniff.ts";
import type { TextPart } from "./text-part.ts";

/** What may stand between the angle brackets of a Content-ID (RFC 2045 section 7), read generously. */
const CONTENT_ID = /^[\x21-\x3b\x3d\x3f-\x7e]{1,500}$/;

const MAX_NAME = 255;

const bareContentId = (contentId: string): string => contentId.replace(/^<(.*)>$/, "$1");

/** Says what is wrong with a file's name, content type or content id, or undefined when it can be written. */
export const fileFault = ({ name, contentType, contentId }: DraftFile): string | undefined => {
  if (hasControl(name)) return "name of a file has control characters";
  if (name.length > MAX_NAME) return `name of a file is longer than ${MAX_NAME} characters`;
  if (contentType !== "") {
    const fault = contentTypeFault(contentType);
    if (fault !== undefined) return fault;
  }
  if (hasControl(contentId)) return "content id of a file has control characters";
  if (contentId !== "" && !CONTENT_ID.test(bareContentId(contentId))) return `${JSON.stringify(contentId)} is not a content id`;
  return undefined;
};

/** Octets that are encoded at a time: whole lines of base64. */
const SLICE = 57 * 1_024;

const bufferOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, byteLength);

function* slicesOf(data: Uint8Array): Generator<Buffer> {
  for (let at = 0; at < data.byteLength; at += SLICE) yield bufferOf(data.subarray(at, at + SLICE));
}

const addFile = (parent: MimeNode, file: DraftFile, disposition: "inline" | "attachment"): void => {
  const { type, value } = contentTypeField(file.contentType === "" ? detectContentType(file.data) : file.contentType);
  const node = parent.createChild(type, file.name === "" ? {} : { filename: file.name });
  node.setHeader("Content-Type", { prepared: true, value });
  node.setHeader("Content-Disposition", disposition);
  node.setHeader("Content-Transfer-Encoding", "base64");
  if (file.contentId !== "") node.setHeader("Content-ID", `<${bareContentId(file.contentId)}>`);
  node.setContent(file.data.byteLength <= SLICE ? bufferOf(file.data) : Readable.from(slicesOf(file.data)));
};

const addText = (parent: MimeNode, part: TextPart): void => {
  parent.createChild().setRaw(`${part.headers}\r\n${part.body}`);
};

/** A body with its Content-Type field, which belongs to the header of the message. */
export type Body = { readonly headers: string; readonly body: Content };

const HEADER_END = Buffer.from("\r\n\r\n");

/** What stands below the root's own header, as it is written: a large message is in memory once. */
const bodyOf = async (root: MimeNode): Promise<Content> => {
  const body = gatherContent();
  let header: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of root.createReadStream() as AsyncIterable<Buffer>) {
    if (header === undefined) {
      body.use(chunk);
      continue;
    }
    header = Buffer.concat([header, chunk]);
    const end = header.indexOf(HEADER_END);
    if (end < 0) continue;
    body.add(header.subarray(end + HEADER_END.length));
    header = undefined;
  }
  return body.content();
};

/** The multiparts that a draft needs, outermost first. */
const levelsOf = (draft: Draft, texts: readonly TextPart[]): readonly string[] => [
  ...(draft.attachedFiles.length > 0 ? ["mixed"] : []),
  ...(draft.inlineFiles.length > 0 ? ["related"] : []),
  ...(texts.length > 1 || draft.alternativeFiles.length > 0 ? ["alternative"] : []),
];

/**
 * The body of a draft with files. `boundary` must not occur in any part: random, or the parts are somebody else's to
 * write. The root's own header is left to the caller, so that messages with and without files have the same.
 */
export const fileTree = async (draft: Draft, texts: readonly TextPart[], boundary: string): Promise<Body> => {
  const [outermost = "mixed", ...inner] = levelsOf(draft, texts);
  const root = new MimeNode(`multipart/${outermost}`, { baseBoundary: boundary, boundaryPrefix: "=_" });
  root.setHeader("Message-ID", "<body@localhost>");
  const nodes = new Map([[outermost, root]]);
  let innermost = root;
  for (const level of inner) {
    innermost = innermost.createChild(`multipart/${level}`);
    nodes.set(level, innermost);
  }
  for (const text of texts) addText(innermost, text);
  const add = (level: string, files: readonly DraftFile[], disposition: "inline" | "attachment"): void => {
    for (const file of files) addFile(nodes.get(level) ?? root, file, disposition);
  };
  add("alternative", draft.alternativeFiles, "inline");
  add("related", draft.inlineFiles, "inline");
  add("mixed", draft.attachedFiles, "attachment");
  const body = await bodyOf(root);
  const headers = `Content-Type: multipart/${outermost}; boundary="${String(root.boundary)}"\r\n`;
  return { headers, body };
};
