/**
 * The content of a mail on its way from the store to a connection. A small one is in memory and leaves in one write; a large
 * one is read as fast as the connection takes it, anew for each transaction, so that it costs a piece of itself.
 */
import { Readable, type Writable } from "node:stream";

import { joinContent } from "../../domain/content.ts";
import type { StoredContent } from "../../domain/event-log.ts";

export type MailContent =
  { readonly size: number; readonly whole: Buffer } | { readonly size: number; readonly pieces: AsyncIterable<Uint8Array> };

/** Octets up to which a content is held whole. */
const SMALL_OCTETS = 64 * 1_024;

const cutShort = (size: number): Error => new Error(`a content of ${size} octets has another length than it should`);

/** The pieces, to the end only when that is where the content ends. */
async function* measured({ size, pieces }: StoredContent): AsyncGenerator<Uint8Array> {
  let seen = 0;
  for await (const piece of pieces) {
    seen += piece.byteLength;
    if (seen > size) throw cutShort(size);
    yield piece;
  }
  if (seen < size) throw cutShort(size);
}

/** What a stored content is to a transaction. `onError` hears why one could not be read to its end. */
export const mailContent = async (stored: StoredContent, onError: (error: unknown) => void): Promise<MailContent> => {
  const { size } = stored;
  if (size > SMALL_OCTETS) {
    async function* pieces(): AsyncGenerator<Uint8Array> {
      try {
        yield* measured(stored);
      } catch (error) {
        onError(error);
        throw error;
      }
    }
    return { size, pieces: { [Symbol.asyncIterator]: pieces } };
  }
  const small: Uint8Array[] = [];
  for await (const piece of measured(stored)) small.push(piece);
  const { buffer, byteOffset, byteLength } = joinContent(small);
  return { size, whole: Buffer.from(buffer, byteOffset, byteLength) };
};

/**
 * Writes the whole content to a stream and ends it. When the content cannot be read to its end the stream is not ended and
 * `onUnreadable` is called. The answer stops the reading.
 */
export const pour = (content: MailContent, into: Writable, onUnreadable: () => void): (() => void) => {
  if ("whole" in content) {
    into.end(content.whole);
    return () => undefined;
  }
  const source = Readable.from(content.pieces, { objectMode: false });
  source.once("error", onUnreadable);
  source.pipe(into);
  return () => {
    source.off("error", onUnreadable).on("error", () => undefined);
    source.destroy();
  };
};
