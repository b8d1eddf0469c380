/** Reads a message once, from its first octet to its last, and keeps what webhooks and webapi tell about it. */
import { headerFields, type Fields } from "./header-fields.ts";
import { readHeader } from "./mail-header.ts";
import { READING_LIMITS, type MailReading, type PartStructure, type Pieces, type ReadingLimits } from "./mail-reading.ts";
import { splitMail, type MailNode } from "./mail-splitter.ts";
import { describePart, type PartDescription } from "./part-description.ts";
import { claimReadable, placeOf, textCollector, type Place, type ReadableKind, type TextCollector } from "./readable-parts.ts";
import { partDecoder, type Decoder } from "./transfer-decoding.ts";

/** A part while it is read. */
type Part = {
  readonly description: PartDescription;
  readonly place: Place;
  readonly parts: Part[];
  decoder: Decoder | undefined;
  readonly text: TextCollector | undefined;
  size: number;
};

/** Characters of all descriptions of a message; parts beyond have nothing but their type. */
const MAX_DESCRIBED = 512 * 1_024;

const TEXT_PLAIN = "text/plain";

const weightOf = ({ contentTypeParams, contentId, filename }: PartDescription): number =>
  Object.entries(contentTypeParams).reduce((sum, [name, value]) => sum + name.length + value.length, contentId.length + filename.length);

const bare = ({ contentType }: PartDescription): PartDescription => ({
  contentType,
  contentTypeParams: {},
  contentId: "",
  contentDisposition: "",
  filename: "",
});

const finished = (part: Part): void => {
  if (part.decoder === undefined) return;
  const last = part.decoder.end();
  part.size += last.length;
  part.text?.add(last);
  part.decoder = undefined;
};

const structureOf = ({ description, size, parts }: Part): PartStructure => ({
  ...description,
  decodedSize: size,
  parts: parts.map(structureOf),
});

/** The parts as they come, and what was found in them. */
const readingOf = (limits: ReadingLimits) => {
  const known = new Map<MailNode, Part>();
  const readable = new Map<ReadableKind, TextCollector>();
  let root: Part | undefined;
  let open: Part | undefined;
  let described = 0;

  const describe = (fields: Fields, fallback: string): PartDescription => {
    const description = describePart(fields, fallback);
    described += weightOf(description);
    return described <= MAX_DESCRIBED ? description : bare(description);
  };

  const partOf = (fields: Fields, parent: Part | undefined): Part => {
    const description = describe(fields, parent?.description.contentType === "multipart/digest" ? "message/rfc822" : TEXT_PLAIN);
    const { contentType, contentTypeParams } = description;
    const place = placeOf(parent?.place, contentType);
    const kind = claimReadable(place, contentType);
    const text = kind === undefined ? undefined : textCollector(contentTypeParams["charset"] ?? "", limits.textOctets);
    if (kind !== undefined && text !== undefined) readable.set(kind, text);
    const decoder = partDecoder(description, fields.first("content-transfer-encoding"));
    return { description, place, parts: [], decoder, text, size: 0 };
  };

  const add = (node: MailNode): void => {
    if (open !== undefined) finished(open);
    const parent = node.parentNode === false ? undefined : known.get(node.parentNode);
    const part = partOf(headerFields(node.getHeaders()), parent);
    known.set(node, part);
    parent?.parts.push(part);
    root ??= part;
    open = part;
  };

  const take = (node: MailNode, octets: Buffer): void => {
    const part = known.get(node);
    if (part?.decoder === undefined) return;
    const decoded = part.decoder.write(octets);
    part.size += decoded.length;
    part.text?.add(decoded);
  };

  return {
    add,
    take,
    end: (head: Uint8Array) => {
      // A header beyond the limit leaves the message undivided.
      root ??= partOf(headerFields(head), undefined);
      if (open !== undefined) finished(open);
      return { structure: structureOf(root), text: readable.get("text")?.text() ?? "", html: readable.get("html")?.text() ?? "" };
    },
  };
};

/** Passes pieces on and keeps the first octets of all. */
const keepingHead = (pieces: Pieces, octets: number) => {
  const kept: Uint8Array[] = [];
  let left = octets;
  async function* passing(): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      if (left > 0) kept.push(piece.slice(0, left));
      left -= piece.byteLength;
      yield piece;
    }
  }
  return { pieces: passing(), head: () => Buffer.concat(kept) };
};

/**
 * Reads a message. Whatever it holds, the promise is kept, and what cannot be made sense of is empty; it is rejected only
 * when the pieces are. Others have their turn every few dozen kilobytes.
 */
export const readMail = async (pieces: Pieces, limits: Partial<ReadingLimits> = {}): Promise<MailReading> => {
  const bounds = { ...READING_LIMITS, ...limits };
  const source = keepingHead(pieces, bounds.headerOctets);
  const reading = readingOf(bounds);
  await splitMail(source.pieces, bounds, {
    part: reading.add,
    octets: (node, kind, octets) => {
      if (kind === "body") reading.take(node, octets);
    },
  });
  const head = source.head();
  return { header: readHeader(head, bounds), ...reading.end(head) };
};
