/** How contents change hands: large pieces with their memory, small ones copied. One rule for all stores. */
import type { NewContent } from "../../domain/event-log.ts";

/** Below this, copying costs less than handing memory over. */
const WORTH_HANDING_OVER = 64 * 1_024;

/**
 * Whether a store takes the memory of this piece away from the caller. Only of large ones, and only when they are all
 * that lies in their buffer: a `Buffer` is often a view on a pool that it shares with others.
 */
export const givesItsMemoryAway = (piece: Uint8Array): piece is Uint8Array<ArrayBuffer> =>
  piece.byteLength >= WORTH_HANDING_OVER && piece.buffer instanceof ArrayBuffer && piece.buffer.byteLength === piece.byteLength;

/** The content as the store's own: what {@link givesItsMemoryAway} is gone from the caller at once, the rest is still shared. */
export const takeContent = (content: NewContent): NewContent =>
  content.pieces.some(givesItsMemoryAway)
    ? {
        id: content.id,
        pieces: content.pieces.map((piece) => (givesItsMemoryAway(piece) ? new Uint8Array(piece.buffer.transfer()) : piece)),
      }
    : content;
