/** The least that can be called an SMTP server: takes every message and throws it away, at next to no cost. */
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";

const REPLIES: Readonly<Record<string, string>> = {
  EHLO: "250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES\r\n",
  DATA: "354 go on\r\n",
  QUIT: "221 2.0.0 bye\r\n",
};
const OK = "250 2.0.0 ok\r\n";

const END_OF_DATA = "\r\n.\r\n";

const serve = (socket: Socket, onMessage: () => void): void => {
  socket.setNoDelay(true);
  socket.setEncoding("latin1");
  socket.on("error", () => undefined);
  let pending = "";
  let inData = false;

  const data = (): boolean => {
    const end = pending.indexOf(END_OF_DATA);
    if (end < 0) return false;
    pending = pending.slice(end + END_OF_DATA.length);
    inData = false;
    onMessage();
    socket.write("250 2.0.0 taken\r\n");
    return true;
  };
  const command = (): boolean => {
    const end = pending.indexOf("\r\n");
    if (end < 0) return false;
    const verb = pending.slice(0, 4).toUpperCase();
    pending = pending.slice(end + 2);
    inData = verb === "DATA";
    socket.write(REPLIES[verb] ?? OK);
    if (verb === "QUIT") socket.end();
    return true;
  };

  socket.on("data", (text: string) => {
    pending += text;
    while (inData ? data() : command());
  });
  socket.write("220 sink.example ESMTP\r\n");
};

export type SmtpListener = { readonly port: number; readonly close: () => Promise<void> };

/** Listens on loopback. `onMessage` is called at each final dot, before it is answered. */
export const listenSmtp = async (onMessage: () => void, port = 0): Promise<SmtpListener> => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    serve(socket, onMessage);
  }).listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
};
