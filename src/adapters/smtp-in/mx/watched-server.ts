/** A receiving server that tells about every refusal, also about those that come from the library and from no handler. */
import type { Socket } from "node:net";

import type { SMTPServerOptions } from "smtp-server";
import type { SMTPConnection, SMTPConnectionOptions } from "smtp-server/lib/smtp-connection";

import { ReceivingConnection, ReceivingServer } from "../receiving-connection.ts";

type OnRefusal = (connection: SMTPConnection) => void;

class WatchedConnection extends ReceivingConnection {
  onRefusal: OnRefusal = () => undefined;

  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    super.send(code, data, context);
    if (code >= 400) this.onRefusal(this);
  }
}

/** Takes the library's options. */
export class WatchedServer extends ReceivingServer {
  readonly #onRefusal: OnRefusal;

  constructor(options: SMTPServerOptions, onRefusal: OnRefusal) {
    super(options);
    this.#onRefusal = onRefusal;
  }

  protected override connectionFor(socket: Socket, options: SMTPConnectionOptions): ReceivingConnection {
    const connection = new WatchedConnection(this, socket, options);
    connection.onRefusal = this.#onRefusal;
    return connection;
  }
}
