/**
 * The SMTP server library, changed in three places that it offers no option for: lines must end in CRLF everywhere (RFC
 * 5321 section 2.3.8; taking anything else opens the door to smuggled messages), clients are greeted at once instead of
 * after a tenth of a second, and replies may carry an enhanced code of their own. Subclasses, because that is the seam.
 */
import type { Socket } from "node:net";

import { SMTPServer } from "smtp-server";
import { SMTPConnection, type SMTPConnectionOptions } from "smtp-server/lib/smtp-connection";
import { SMTPStream } from "smtp-server/lib/smtp-stream";

const CR = 13;
const LF = 10;

type Done = (error: Error | null | undefined) => void;

/** Sees whether each CR is followed by LF and each LF preceded by CR, before the library takes lines apart. */
class StrictStream extends SMTPStream {
  /** Whether the client has sent a CR or LF that stands alone. Nothing it says afterwards is trusted. */
  bareLineEnd = false;
  #afterCr = false;

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
}

const ENHANCED = /^[245]\.\d{1,3}\.\d{1,3} /u;

const BARE_LINE_END = "5.5.2 Lines end with CR LF, and neither stands alone";

class StrictConnection extends SMTPConnection {
  override init(): void {
    this._setListeners(() => {
      const { maxClients } = this._server.options;
      if (maxClients !== undefined && this._server.connections.size > maxClients) {
        this.send(421, `${this.name} Too many connections, try again later`, false);
      } else this.connectionReady();
    });
  }

  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    super.send(code, data, typeof data === "string" && ENHANCED.test(data) ? false : context);
  }

  override _createParser(): SMTPStream {
    const parser = new StrictStream({ maxCommandLength: this._server.options.maxCommandLength });
    parser.oncommand = (command, callback = (): void => undefined) => {
      if (parser.bareLineEnd) this.#refuse();
      else this._onCommand(command, callback);
    };
    parser.on("error", (error) => {
      this.send(421, `Error: ${error.message}`);
    });
    return parser;
  }

  /** A message in which a line end was broken is refused whatever became of it, and the session ends. */
  override handler_DATA(command: Buffer, callback: () => void): void {
    const parser = this._parser;
    super.handler_DATA(command, callback);
    if (this._dataStream && parser instanceof StrictStream) BROKEN.set(this._dataStream, () => parser.bareLineEnd);
  }

  #refuse(): void {
    this.send(500, BARE_LINE_END);
    this.close();
  }
}

/** For the content streams that handlers get: whether their client has broken a line end. */
const BROKEN = new WeakMap<object, () => boolean>();

/** Whether the message in this stream, or what came with it, holds a bare CR or LF. To be asked when it has ended. */
export const hasBareLineEnd = (stream: object): boolean => BROKEN.get(stream)?.() ?? false;

/** A server whose connections are strict. Takes the library's options. */
export class StrictServer extends SMTPServer {
  override connect(socket: Socket, options: SMTPConnectionOptions): void {
    const connection = new StrictConnection(this, socket, options);
    this.connections.add(connection);
    connection.on("error", (error: Error) => this.emit("error", error));
    connection.on("connect", (info) => this.emit("connect", info));
    connection.init();
  }
}
