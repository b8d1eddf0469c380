/**
 * The library's reader of what a client sends, made strict and quick: it sees every CR or LF that stands alone before the
 * library takes lines apart, and it takes the dots out of a message's text in one go for all of a chunk, where the library
 * needs a turn of the event loop for each dot.
 */
import { SMTPStream } from "smtp-server/lib/smtp-stream";

const CR = 13;
const LF = 10;
const DOT = 46;
const LINE_AND_DOT = Buffer.from("\r\n.");
const LONE_CR = Buffer.from("\r");

type Done = (error?: Error | null) => void;

/** Where in a line of the message the next octet stands. A dot that begins a line is never content (RFC 5321 section 4.5.2). */
type Place = "start" | "inside" | "afterCr" | "afterDot" | "afterDotCr";

/** What of a chunk is content, without the dots: the chunk itself while there is nothing to leave out. */
class Undotted {
  readonly #chunk: Buffer;
  #copy: Buffer | undefined;
  #copied = 0;
  #from = 0;

  constructor(chunk: Buffer) {
    this.#chunk = chunk;
  }

  /** Leaves one octet out. */
  leaveOut(at: number): void {
    this.#take(at);
    this.#from = at + 1;
  }

  #take(end: number): void {
    this.#copy ??= Buffer.allocUnsafe(this.#chunk.length);
    this.#copied += this.#chunk.copy(this.#copy, this.#copied, this.#from, end);
  }

  upTo(end: number): Buffer {
    if (this.#copy === undefined) return this.#chunk.subarray(this.#from, end);
    this.#take(end);
    return this.#copy.subarray(0, this.#copied);
  }
}

export class StrictStream extends SMTPStream {
  /** Whether the client has sent a CR or LF that stands alone. Nothing it says afterwards is trusted. */
  bareLineEnd = false;
  #afterCr = false;
  #place: Place = "start";

  override write(chunk: unknown, callback?: Done): boolean;
  override write(chunk: unknown, encoding: BufferEncoding, callback?: Done): boolean;
  override write(chunk: unknown, encodingOrCallback?: BufferEncoding | Done, callback?: Done): boolean {
    if (chunk instanceof Uint8Array && !this.bareLineEnd) this.#inspect(chunk);
    return typeof encodingOrCallback === "string"
      ? super.write(chunk, encodingOrCallback, callback)
      : super.write(chunk, encodingOrCallback);
  }

  #inspect(chunk: Uint8Array): void {
    let afterCr = this.#afterCr;
    for (const octet of chunk) {
      if ((octet === LF) !== afterCr) {
        this.bareLineEnd = true;
        return;
      }
      afterCr = octet === CR;
    }
    this.#afterCr = afterCr;
  }

  override startDataMode(maxBytes?: number | string | null): ReturnType<SMTPStream["startDataMode"]> {
    this.#place = "start";
    return super.startDataMode(maxBytes);
  }

  /**
   * The library forgets the callback after calling it. What follows a message may hold the next one whole, whose own callback
   * is set while the first one runs, and would be forgotten in its place: the session would wait for ever.
   */
  override continue(): void {
    const goOn = this._continueCallback;
    this._continueCallback = typeof goOn !== "function";
    if (typeof goOn === "function") goOn();
  }

  override _feedDataStream(chunk: Buffer, done: Done): void {
    const content = new Undotted(chunk);
    const end = this.#findEnd(chunk, content);
    if (end === undefined) {
      this.#emit(content.upTo(chunk.length - (this.#place === "afterDotCr" ? 1 : 0)), done);
      return;
    }
    const last = content.upTo(end.contentEnd);
    this._countDataBytes(last.length);
    this._endDataMode(last, chunk.subarray(end.next), done);
  }

  /** Walks through a chunk, from where the last one ended; where content and message end if they end in it. */
  #findEnd(chunk: Buffer, content: Undotted): { readonly contentEnd: number; readonly next: number } | undefined {
    let at = 0;
    while (at < chunk.length) {
      const octet = chunk[at];
      switch (this.#place) {
        case "start":
          this.#place = octet === DOT ? "afterDot" : "inside";
          if (octet === DOT) content.leaveOut(at++);
          break;
        case "afterDot":
          this.#place = octet === CR ? "afterDotCr" : "inside";
          if (octet === CR) at += 1;
          break;
        case "afterDotCr":
          if (octet === LF) return { contentEnd: Math.max(0, at - 1), next: at + 1 };
          // A CR that stands alone, perhaps in the chunk before: the message is refused, but not made another one.
          if (at === 0) this.#emitNow(LONE_CR);
          this.#place = "inside";
          break;
        case "afterCr":
          this.#place = octet === LF ? "start" : "inside";
          if (octet === LF) at += 1;
          break;
        case "inside":
          at = this.#nextLineStart(chunk, at);
      }
    }
    return undefined;
  }

  /** Where the next line with a dot starts; the chunk's length without one. */
  #nextLineStart(chunk: Buffer, at: number): number {
    const found = chunk.indexOf(LINE_AND_DOT, at);
    const { length } = chunk;
    if (found >= 0) this.#place = "start";
    else if (chunk[length - 1] === CR) this.#place = "afterCr";
    else if (chunk[length - 1] === LF && length - at >= 2 && chunk[length - 2] === CR) this.#place = "start";
    return found >= 0 ? found + 2 : length;
  }

  #emitNow(content: Buffer): boolean {
    this._countDataBytes(content.length);
    const stream = this._dataStream;
    return stream?.writable !== true || content.length === 0 || stream.write(content) || stream.destroyed;
  }

  #emit(content: Buffer, done: Done): void {
    const stream = this._dataStream;
    if (this.#emitNow(content) || stream === null) {
      done();
      return;
    }
    // A stream that is destroyed never drains, it only closes.
    const goOn = (): void => {
      stream.removeListener("drain", goOn);
      stream.removeListener("close", goOn);
      done();
    };
    stream.once("drain", goOn);
    stream.once("close", goOn);
  }
}
