/** Stored contents as bodies of answers: read as fast as the client takes them. */
import { Readable } from "node:stream";
import type { ParameterizedContext } from "koa";

/** Octets of a known number. Iterating may fail halfway. */
export type BodyContent = { readonly size: number; readonly pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array> };

/**
 * Answers with the content; its type is the caller's to set before. When the content cannot be read to its end the connection
 * breaks, so that nobody takes a part for the whole.
 */
export const answerContent = (ctx: Pick<ParameterizedContext, "body" | "length" | "res">, { size, pieces }: BodyContent): void => {
  const body = Readable.from(pieces, { objectMode: false });
  body.once("error", () => {
    ctx.res.destroy();
  });
  ctx.body = body;
  ctx.length = size;
};
