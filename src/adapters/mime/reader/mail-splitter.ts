/**
 * A message taken apart into its MIME parts as it comes in, by mailsplit, within bounds: at one that is met the splitting
 * stops, and what was told until then stands.
 */
import type { EventEmitter } from "node:events";
import { Splitter, type SplitterChunk } from "@zone-eu/mailsplit";
import type { Pieces, ReadingLimits } from "./mail-reading.ts";

/** A part as the library tells it. */
export type MailNode = Extract<SplitterChunk, { readonly type: "node" }>;

/** Told about the message in its order. */
export type Visitor = {
  /** A part begins; its header is complete. */
  readonly part: (node: MailNode) => void;
  /**
   * Octets as they stand in the message: `body` of a part without parts, `data` of a multipart: text around its parts
   * and delimiter lines, each told for the part that begins or the multipart that goes on with it.
   */
  readonly octets: (node: MailNode, kind: "data" | "body", octets: Buffer) => void;
  /** Whether enough was told. */
  readonly isDone?: () => boolean;
};

/** At most so much is split in one go before others have their turn. */
const SLICE = 64 * 1_024;

/** A bound of the library's was met. */
const isTooLarge = (error: unknown): boolean => (error as { readonly code?: unknown } | null)?.code === "EMAXLEN";

const depthOf = (node: MailNode, limit: number): number => {
  let depth = 0;
  for (let at = node.parentNode; at !== false && depth <= limit; at = at.parentNode) depth += 1;
  return depth;
};

/** Hands on every chunk in the moment that it is made: nothing is collected on the way. */
class ToldSplitter extends Splitter {
  readonly tell: (chunk: SplitterChunk) => void;

  constructor(limits: ReadingLimits, tell: (chunk: SplitterChunk) => void) {
    super({ ignoreEmbedded: true, maxHeadSize: limits.headerOctets, maxChildNodes: limits.parts });
    this.tell = tell;
  }

  override push(chunk: SplitterChunk | null): boolean {
    if (chunk === null) return super.push(null);
    this.tell(chunk);
    return true;
  }
}

/** Its types know of no event but "data". */
const eventsOf = (splitter: EventEmitter): EventEmitter => splitter;

const written = (splitter: Splitter, octets: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    splitter.write(octets, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });

const ended = (splitter: Splitter): Promise<void> =>
  new Promise((resolve, reject) => {
    eventsOf(splitter).once("error", reject);
    splitter.end(resolve);
  });

function* slices(piece: Uint8Array): Iterable<Buffer> {
  for (let from = 0; from < piece.byteLength; from += SLICE) {
    yield Buffer.from(piece.buffer, piece.byteOffset + from, Math.min(SLICE, piece.byteLength - from));
  }
}

/** Splits until the end, a bound, or until the visitor is done. Rejects only when the pieces do. */
export const splitMail = async (pieces: Pieces, limits: ReadingLimits, visitor: Visitor): Promise<void> => {
  let headerOctets = 0;
  let isPastBounds = false;
  const splitter = new ToldSplitter(limits, (chunk) => {
    if (isPastBounds) return;
    if (chunk.type !== "node") {
      visitor.octets(chunk.node, chunk.type, chunk.value);
      return;
    }
    headerOctets += chunk.getHeaders().length;
    isPastBounds = headerOctets > limits.allHeaderOctets || depthOf(chunk, limits.depth) > limits.depth;
    if (!isPastBounds) visitor.part(chunk);
  });
  const isOver = (): boolean => isPastBounds || visitor.isDone?.() === true;
  eventsOf(splitter).on("error", () => undefined); // each write tells its own
  splitter.resume();
  try {
    for await (const piece of pieces) {
      for (const slice of slices(piece)) {
        await written(splitter, slice);
        if (isOver()) return;
      }
    }
    await ended(splitter);
  } catch (error) {
    if (!isTooLarge(error)) throw error;
  } finally {
    splitter.destroy();
  }
};
