/**
 * Operations as one flat list between the threads: the structured clone of nested objects costs the sending thread about
 * twice as much, and that thread also serves HTTP. Small contents travel side by side in one buffer, large pieces in their own.
 */
import type { Content, NewContent } from "../../../domain/event-log.ts";
import { givesItsMemoryAway } from "../content-memory.ts";
import type { EncodedEvent, StreamWrite } from "../event-store.ts";
import type { Operation } from "./operations.ts";

type Item = string | number | Uint8Array<ArrayBuffer>;

/** What is posted. */
export type Packet = { readonly items: readonly Item[]; readonly packed: Uint8Array<ArrayBuffer> };

const APPEND = 1;
const DELETE_STREAM = 2;
const SAVE_CHECKPOINT = 3;
const DELETE_CONTENTS = 4;

const packedSize = (operations: readonly Operation[]): number => {
  let size = 0;
  for (const operation of operations) {
    if (operation.kind !== "append") continue;
    for (const { pieces } of operation.contents) {
      for (const piece of pieces) if (!givesItsMemoryAway(piece)) size += piece.byteLength;
    }
  }
  return size;
};

/** Makes the packet and the list of what is transferred with it: the memory of large pieces leaves this thread. */
export const pack = (operations: readonly Operation[]): { readonly packet: Packet; readonly transfer: readonly ArrayBuffer[] } => {
  const items: Item[] = [];
  const packed = new Uint8Array(packedSize(operations));
  const transfer = [packed.buffer];
  let offset = 0;

  /** Answers how many octets it was. */
  const packSmall = (piece: Uint8Array): number => {
    packed.set(piece, offset);
    offset += piece.byteLength;
    return piece.byteLength;
  };

  /** Small pieces that follow each other arrive as one. */
  const packPieces = (pieces: Content): void => {
    const countAt = items.push(0) - 1;
    let small = 0;
    for (const piece of pieces) {
      if (!givesItsMemoryAway(piece)) {
        small += packSmall(piece);
        continue;
      }
      if (small > 0) items.push(small);
      small = 0;
      items.push(piece);
      transfer.push(piece.buffer);
    }
    if (small > 0) items.push(small);
    items[countAt] = items.length - 1 - countAt;
  };

  const packContent = ({ id, pieces }: NewContent): void => {
    const [only, second] = pieces;
    items.push(id);
    // Nearly all contents are of this kind.
    if (only !== undefined && second === undefined && !givesItsMemoryAway(only)) items.push(1, packSmall(only));
    else packPieces(pieces);
  };

  const packAppend = (writes: readonly StreamWrite[], contents: readonly NewContent[]): void => {
    items.push(APPEND, writes.length, contents.length);
    for (const { stream, expectedRevision, events } of writes) {
      items.push(stream, expectedRevision, events.length);
      for (const { type, version, at, data } of events) items.push(type, version, at, data);
    }
    for (const content of contents) packContent(content);
  };

  for (const operation of operations) {
    if (operation.kind === "append") packAppend(operation.writes, operation.contents);
    else if (operation.kind === "deleteStream") items.push(DELETE_STREAM, operation.stream);
    else if (operation.kind === "saveCheckpoint") items.push(SAVE_CHECKPOINT, operation.name, operation.position);
    else {
      items.push(DELETE_CONTENTS, operation.ids.length);
      for (const id of operation.ids) items.push(id);
    }
  }
  return { packet: { items, packed }, transfer };
};

/** The operations of a packet, as they were handed in. */
export const unpack = ({ items, packed }: Packet): readonly Operation[] => {
  let at = 0;
  let offset = 0;
  // The other side of this file wrote the list: what is next is what was pushed.
  const text = (): string => items[at++] as string;
  const number = (): number => items[at++] as number;
  const times = <T>(count: number, read: () => T): T[] => {
    const list: T[] = [];
    for (let index = 0; index < count; index += 1) list.push(read());
    return list;
  };

  const event = (): EncodedEvent => ({ type: text(), version: number(), at: number(), data: text() });
  const write = (): StreamWrite => ({ stream: text(), expectedRevision: number(), events: times(number(), event) });
  const piece = (): Uint8Array => {
    const size = items[at++] as number | Uint8Array<ArrayBuffer>;
    if (typeof size !== "number") return size;
    offset += size;
    return packed.subarray(offset - size, offset);
  };
  const content = (): NewContent => ({ id: number(), pieces: times(number(), piece) });

  const operation = (): Operation => {
    switch (number()) {
      case APPEND: {
        const writes = number();
        const contents = number();
        return { kind: "append", writes: times(writes, write), contents: times(contents, content) };
      }
      case DELETE_STREAM:
        return { kind: "deleteStream", stream: text() };
      case SAVE_CHECKPOINT:
        return { kind: "saveCheckpoint", name: text(), position: number() };
      default:
        return { kind: "deleteContents", ids: times(number(), number) };
    }
  };

  const operations: Operation[] = [];
  while (at < items.length) operations.push(operation());
  return operations;
};
