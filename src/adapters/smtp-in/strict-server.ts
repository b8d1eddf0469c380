/**
 * The SMTP server library, changed where it offers no option: lines must end in CRLF everywhere (RFC 5321 section 2.3.8;
 * taking anything else opens the door to smuggled messages), clients are greeted at once instead of after a tenth of a
 * second, and replies may carry an enhanced code of their own and leave together. Subclasses, because that is the seam.
 */
import type { Socket } from "node:net";

import { SMTPServer } from "smtp-server";
import { SMTPConnection, type SMTPConnectionOptions } from "smtp-server/lib/smtp-connection";

import { StrictStream } from "./strict-stream.ts";

const ENHANCED = /^[245]\.\d{1,3}\.\d{1,3} /u;

const BARE_LINE_END = "5.5.2 Lines end with CR LF, and neither stands alone";

export class StrictConnection extends SMTPConnection {
  #corked: { readonly socket: Socket } | undefined;

  override init(): void {
    this._setListeners(() => {
      const { maxClients } = this._server.options;
      if (maxClients !== undefined && this._server.connections.size > maxClients) {
        this.send(421, `${this.name} Too many connections, try again later`, false);
      } else this.connectionReady();
    });
  }

  /** Replies to commands that came together leave together. Not the one before a handshake: TLS takes over the socket. */
  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    if (code !== 220) this.#cork();
    super.send(code, data, typeof data === "string" && ENHANCED.test(data) ? false : context);
  }

  #cork(): void {
    const socket = this._socket;
    if (this.#corked !== undefined || this._upgrading || socket.destroyed) return;
    socket.cork();
    this.#corked = { socket };
    process.nextTick(() => {
      this.#uncork();
    });
  }

  #uncork(): void {
    this.#corked?.socket.uncork();
    this.#corked = undefined;
  }

  override handler_STARTTLS(command: Buffer, callback: () => void): void {
    this.#uncork();
    super.handler_STARTTLS(command, callback);
  }

  override _createParser(): StrictStream {
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
    const connection = this.connectionFor(socket, options);
    this.connections.add(connection);
    connection.on("error", (error: Error) => this.emit("error", error));
    connection.on("connect", (info) => this.emit("connect", info));
    connection.init();
  }

  /** The connection for a socket: for servers whose connections can do more. */
  protected connectionFor(socket: Socket, options: SMTPConnectionOptions): StrictConnection {
    return new StrictConnection(this, socket, options);
  }
}
