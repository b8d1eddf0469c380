/** How contents change hands: large ones with their memory, small ones copied. One rule for all stores. */
import type { NewContent } from "../../domain/event-log.ts";

/** Below this, copying costs less than handing memory over. */
const WORTH_HANDING_OVER = 64 * 1_024;

/**
 * Whether a store takes the memory of these bytes away from the caller. Only of large ones, and only when they are all
 * that lies in their buffer: a `Buffer` is often a view on a pool that it shares with others.
 */
export const givesItsMemoryAway = (bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> =>
  bytes.byteLength >= WORTH_HANDING_OVER && bytes.buffer instanceof ArrayBuffer && bytes.buffer.byteLength === bytes.byteLength;

/** The content as the store's own: what {@link givesItsMemoryAway} is gone from the caller at once, the rest is still shared. */
export const takeContent = ({ id, bytes }: NewContent): NewContent => ({
  id,
  bytes: givesItsMemoryAway(bytes) ? new Uint8Array(bytes.buffer.transfer()) : bytes,
});
