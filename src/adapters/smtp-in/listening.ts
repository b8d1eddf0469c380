/** The life of an SMTP listener: it opens, and when it closes it lets those end who have a message on its way. */
import { once } from "node:events";
import type { Socket } from "node:net";

import type { SMTPServerSession } from "smtp-server";

import type { StrictServer } from "./strict-server.ts";

/** Sessions with a message on its way; `onDone` runs when one is through. */
export type Busy = { readonly sessions: Set<SMTPServerSession>; onDone: () => void };

export type SmtpListener = {
  /** Starts listening; the port. Throws when it cannot. */
  readonly listen: () => Promise<number>;
  /** Stops: waits a moment (the library's `closeTimeout`) for what is coming in, then cuts. */
  readonly close: () => Promise<void>;
};

export type ListenerPlace = {
  readonly address: string;
  /** 0 = one that is free. */
  readonly port: number;
  /** Hears of trouble with the listener itself. */
  readonly onError?: ((error: unknown) => void) | undefined;
};

const STOPPING = "4.3.2 The server stops";

/** Nothing is opened before `listen`. */
export const smtpListener = (smtp: StrictServer, busy: Busy, { address, port, onError }: ListenerPlace): SmtpListener => {
  const sockets = new Set<Socket>();
  smtp.server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  smtp.on("error", (error: Error & { remoteAddress?: string }) => {
    // A client's broken connection is not the server's trouble.
    if (error.remoteAddress === undefined && smtp.server.listening) onError?.(error);
  });

  /** Sends away those that have no message on its way. */
  const dismiss = (): void => {
    for (const connection of smtp.connections) if (!busy.sessions.has(connection.session)) connection.send(421, STOPPING);
  };

  return {
    listen: async () => {
      smtp.listen(port, address);
      await once(smtp.server, "listening");
      const bound = smtp.server.address();
      if (bound === null || typeof bound === "string") throw new Error("the SMTP listener has no port");
      return bound.port;
    },
    close: async () => {
      if (!smtp.server.listening) return;
      const closed = new Promise<void>((resolve) => {
        smtp.close(resolve);
      });
      busy.onDone = dismiss;
      dismiss();
      await closed;
      for (const socket of sockets) socket.destroy();
    },
  };
};
