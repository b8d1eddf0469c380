/** Contents while they are being put together: pieces of a size that changes hands without being copied. */
import { CONTENT_PIECE, contentSize, type Content } from "./event-log.ts";

/** The content in one piece: the only one there is, or a copy of all. */
export const joinContent = (content: Content): Uint8Array => {
  const [only, second] = content;
  if (only !== undefined && second === undefined) return only;
  const joined = new Uint8Array(contentSize(content));
  let at = 0;
  for (const piece of content) {
    joined.set(piece, at);
    at += piece.byteLength;
  }
  return joined;
};

/**
 * Gives the memory of octets back at once, which nobody may read any more: the garbage collector sees small objects and
 * takes its time, however much hangs on them. Views on memory that others may use are left alone.
 */
export const giveBack = ({ buffer, byteLength }: Uint8Array): void => {
  if (byteLength > 0 && buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
};

/** Collects what comes in bit by bit. */
export type ContentGatherer = {
  /** Adds octets. They are copied, now or when the next come, and must not change until then. */
  readonly add: (octets: Uint8Array) => void;
  /** As `add`, of octets that nobody else will read: their memory is given back as soon as it can be. */
  readonly use: (octets: Uint8Array) => void;
  /** Octets so far. */
  readonly size: () => number;
  /** The content, which is then nobody else's if it came in more than one bit. Nothing can be added afterwards. */
  readonly content: () => Content;
};

const FIRST_ROOM = 4_096;

/**
 * A content of what is added: however small the bits are, it takes hardly more memory than it has octets. A content that
 * came in one small bit is that bit.
 */
export const gatherContent = (): ContentGatherer => {
  const full: Uint8Array[] = [];
  let only: { readonly octets: Uint8Array; readonly release: () => void } | undefined;
  let size = 0;
  let room = new Uint8Array();
  let filled = 0;

  /** Room for some more octets: a larger one while the content is small, a piece's room behind the others else. */
  const makeRoom = (octets: number): void => {
    if (room.byteLength === CONTENT_PIECE) {
      full.push(room);
      room = new Uint8Array(CONTENT_PIECE);
      filled = 0;
    } else {
      const larger = new Uint8Array(Math.min(CONTENT_PIECE, Math.max(FIRST_ROOM, filled * 2, filled + octets)));
      larger.set(room.subarray(0, filled));
      room = larger;
    }
  };

  const copy = (octets: Uint8Array): void => {
    for (let at = 0; at < octets.byteLength;) {
      if (filled === room.byteLength) makeRoom(octets.byteLength - at);
      const part = octets.subarray(at, at + room.byteLength - filled);
      room.set(part, filled);
      filled += part.byteLength;
      at += part.byteLength;
    }
  };

  const take = (octets: Uint8Array, release: () => void): void => {
    if (octets.byteLength === 0) return;
    const isFirst = size === 0;
    size += octets.byteLength;
    if (isFirst && octets.byteLength < CONTENT_PIECE) {
      only = { octets, release };
      return;
    }
    if (only !== undefined) {
      copy(only.octets);
      only.release();
      only = undefined;
    }
    copy(octets);
    release();
  };

  return {
    add: (octets) => {
      take(octets, () => undefined);
    },
    use: (octets) => {
      take(octets, () => {
        giveBack(octets);
      });
    },
    size: () => size,
    content: () => {
      if (only !== undefined) return [only.octets];
      return filled === 0 ? full : [...full, filled === room.byteLength ? room : room.slice(0, filled)];
    },
  };
};
