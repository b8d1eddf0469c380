/** A client that says to an SMTP server exactly what a test writes, well-formed or not, and reads its replies. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

export type Dialogue = {
  /** The next whole reply, its lines joined by LF; undefined when the server has hung up instead. */
  readonly reply: () => Promise<string | undefined>;
  /** Sends octets as they are. */
  readonly send: (text: string | Uint8Array) => void;
  /** Sends a line and reads the reply to it. */
  readonly say: (line: string) => Promise<string | undefined>;
  /** Greeting, EHLO, MAIL FROM, RCPT TO for each recipient and DATA; the last reply. */
  readonly upToData: (from: string, ...to: string[]) => Promise<string | undefined>;
  /** Makes the TLS handshake, after STARTTLS; whatever certificate is shown will do. */
  readonly startTls: () => Promise<void>;
  /** AUTH PLAIN; the reply. */
  readonly login: (user: string, password: string) => Promise<string | undefined>;
  /** Resolves when the server has hung up. */
  readonly ended: () => Promise<void>;
  readonly hangUp: () => void;
};

/** Connects to a port on loopback, with TLS from the first octet if said so. */
export const smtpDialogue = async (port: number, { tls = false }: { readonly tls?: boolean } = {}): Promise<Dialogue> => {
  const plain = connect({ host: "127.0.0.1", port });
  let socket: Socket = tls ? connectTls({ socket: plain, rejectUnauthorized: false }) : plain;
  let received = "";
  let closed = false;
  let wake = (): void => undefined;
  const hear = (chunk: Buffer): void => {
    received += chunk.toString("utf8");
    wake();
  };
  const listen = (): void => {
    socket.on("error", () => undefined);
    socket.on("data", hear);
    socket.once("close", () => {
      closed = true;
      wake();
    });
  };
  listen();
  await once(socket, tls ? "secureConnect" : "connect");

  const reply = async (): Promise<string | undefined> => {
    for (;;) {
      const whole = /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/u.exec(received)?.[0];
      if (whole !== undefined) {
        received = received.slice(whole.length);
        return whole.trimEnd().replaceAll("\r\n", "\n");
      }
      if (closed) return undefined;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const say = (line: string): Promise<string | undefined> => {
    socket.write(`${line}\r\n`);
    return reply();
  };
  return {
    reply,
    say,
    send: (text) => {
      socket.write(text);
    },
    upToData: async (from, ...to) => {
      await reply();
      await say("EHLO client.example");
      await say(`MAIL FROM:<${from}>`);
      for (const address of to) await say(`RCPT TO:<${address}>`);
      return say("DATA");
    },
    ended: async () => {
      if (!closed) await once(socket, "close");
    },
    startTls: async () => {
      socket.removeListener("data", hear);
      socket = connectTls({ socket, rejectUnauthorized: false });
      listen();
      await once(socket, "secureConnect");
    },
    login: (user, password) => say(`AUTH PLAIN ${Buffer.from(`\0${user}\0${password}`).toString("base64")}`),
    hangUp: () => {
      socket.destroy();
    },
  };
};
