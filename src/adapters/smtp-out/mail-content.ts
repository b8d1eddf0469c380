/**
 * The content of a mail on its way from the store to a connection. A small one is in memory and leaves in one write; a large
 * one is read as fast as the connection takes it, anew for each transaction, so that it costs a piece of itself.
 */
import type { Duplex, Writable } from "node:stream";

import { giveBack, joinContent } from "../../domain/content.ts";
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

/** Resolves when `isDone` holds, which is looked at whenever the stream has drained, or when `stopped` aborts. */
const drained = (stream: Writable, isDone: () => boolean, stopped: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const look = (): void => {
      if (!stopped.aborted && !isDone()) return;
      stream.off("drain", look);
      stopped.removeEventListener("abort", look);
      resolve();
    };
    stream.on("drain", look);
    stopped.addEventListener("abort", look);
    look();
  });

/**
 * Writes the whole content to a stream that is piped to a socket, and ends it. Large pieces go one by one, and when one has
 * left its memory is given back. When the content cannot be read to its end the stream is not ended and `onUnreadable` is
 * called. The answer stops the reading.
 */
export const pour = (content: MailContent, into: Duplex, socket: Writable, onUnreadable: () => void): (() => void) => {
  if ("whole" in content) {
    into.end(content.whole);
    return () => undefined;
  }
  const stopping = new AbortController();
  const { signal } = stopping;
  const isStopped = (): boolean => signal.aborted;
  const run = async (): Promise<void> => {
    for await (const piece of content.pieces) {
      if (isStopped()) return;
      into.write(piece);
      // A smaller one may not fill the socket, which then says nothing when it is empty again.
      const isLarge = piece.byteLength >= socket.writableHighWaterMark;
      const hasLeft = (): boolean => into.writableLength + into.readableLength + socket.writableLength === 0;
      if (isLarge) await drained(socket, hasLeft, signal);
      else await drained(into, () => !into.writableNeedDrain, signal);
      if (isStopped()) return;
      if (isLarge) giveBack(piece);
    }
    into.end();
  };
  run().catch(() => {
    if (!isStopped()) onUnreadable();
  });
  return () => {
    stopping.abort();
  };
};
