/** Webhook receivers for tests, from well-behaved to hostile, and calls to make to them. */
import { createServer as createHttpServer, type IncomingMessage, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";

import { readMail } from "../../../src/adapters/mime/reader/read-mail.ts";
import { type WebhookCallerOptions, webhookCaller } from "../../../src/adapters/webhook/webhook-caller.ts";
import type { Call, Caller, CallOutcome } from "../../../src/domain/webhook/caller.ts";
import { virtualClock } from "../../support/virtual-clock.ts";

export type Receiver = { readonly port: number; readonly url: string; readonly close: () => Promise<void> };

const started = async (server: Server, address: string): Promise<Receiver> => {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://${address.includes(":") ? `[${address}]` : address}:${port}/hook`,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
};

/** Speaks HTTP. */
export const httpReceiver = (listener: RequestListener, address = "127.0.0.1"): Promise<Receiver> =>
  started(createHttpServer(listener), address);

/** Does with a connection whatever the test wants. */
export const tcpReceiver = (onConnection: (socket: Socket) => void, address = "127.0.0.1"): Promise<Receiver> =>
  started(createTcpServer(onConnection), address);

/** Remembers what a test opened, to close it after the test, the newest first. Closing twice does no harm. */
export const openResources = () => {
  const open: { readonly close: () => Promise<void> }[] = [];
  return {
    keep: <T extends { readonly close: () => Promise<void> }>(resource: T): T => {
      open.push(resource);
      return resource;
    },
    closeAll: async (): Promise<void> => {
      for (const resource of open.splice(0).reverse()) await resource.close();
    },
  };
};

/** Calls back with the octets of each request of a caller: headers and JSON body may come in pieces. */
export const onEachRequest = (socket: Socket, run: (request: string) => void): void => {
  let heard = "";
  socket.on("data", (data) => {
    heard += data.toString("latin1");
    if (!/\r\n\r\n\{.*\}$/su.test(heard)) return;
    const request = heard;
    heard = "";
    run(request);
  });
};

/** The whole body of a request. */
export const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
};

export const NOW = Date.UTC(2026, 5, 1, 12);

/** A call as the engine would make it. */
export const someCall = (url: string, changes: Partial<Extract<Call, { kind: "outgoing" }>> = {}): Call => ({
  id: 4711,
  attempt: 3,
  account: "app",
  kind: "outgoing",
  url,
  queuedAt: NOW - 1_500,
  payload: {
    event: "failed",
    dsn: false,
    suppressing: true,
    queueMsgId: 42,
    fromId: "abc",
    messageId: "<m1@example.org>",
    subject: "Grüße \u{1F4EF}",
    smtpCode: 550,
    smtpEnhancedCode: "5.1.1",
    error: "no such user",
    extra: { order: "7" },
    bounceClass: "bad-address",
  },
  host: URL.parse(url)?.host ?? "",
  messageRef: 42,
  nextAttemptAt: NOW,
  maxAttempts: 12,
  after: null,
  cause: { stream: "message-42", revision: 2 },
  ...changes,
});

/** A caller that may call this machine, with what the test changes. */
export const localCaller = (changes: Partial<WebhookCallerOptions> = {}): Caller =>
  webhookCaller({
    clock: virtualClock(NOW),
    contents: { open: () => Promise.resolve(undefined) },
    readMail,
    authorization: () => undefined,
    allowedNetworks: ["127.0.0.1", "::1"],
    ...changes,
  });

export const never = (): AbortSignal => new AbortController().signal;

/** Gives undici the turn that it leaves between an answer and the next use of its connection. */
export const connectionIsBack = async (): Promise<void> => {
  await nextTurn();
  await nextTurn();
};

/** Makes one call with a caller of its own. */
export const callOnce = async (url: string, changes: Partial<WebhookCallerOptions> = {}): Promise<CallOutcome> => {
  const caller = localCaller(changes);
  try {
    return await caller.call(someCall(url), never());
  } finally {
    await caller.close();
  }
};
