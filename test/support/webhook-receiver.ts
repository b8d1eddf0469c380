/** The application that hears about its messages: takes webhook calls, keeps them, and answers as the test says. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { eventually } from "./eventually.ts";

/** Body of an outgoing call (webhooks version 0). */
export type OutgoingBody = {
  readonly Version: number;
  readonly Event: string;
  readonly DSN: boolean;
  readonly Suppressing: boolean;
  readonly QueueMsgID: number;
  readonly FromID: string;
  readonly MessageID: string;
  readonly Subject: string;
  readonly WebhookQueued: string;
  readonly SMTPCode: number;
  readonly SMTPEnhancedCode: string;
  readonly Error: string;
  readonly Extra: Readonly<Record<string, string>>;
};

export type ReceivedCall = { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: OutgoingBody };

/** A status, one with headers, `hang` for no answer ever, `cut` for a connection closed instead of one. */
export type CallAnswer = number | { readonly status: number; readonly headers: Readonly<Record<string, string>> } | "hang" | "cut";

export type WebhookReceiver = {
  readonly url: string;
  readonly port: number;
  /** Every call that came, in order, also those answered with an error. */
  readonly calls: readonly ReceivedCall[];
  /** How calls are answered from now on; 200 until said otherwise. */
  answer: (call: ReceivedCall) => CallAnswer | Promise<CallAnswer>;
  /** The next call of this event that no `next` has answered before. */
  readonly next: (event: string) => Promise<ReceivedCall>;
  readonly close: () => Promise<void>;
};

const reply = (response: ServerResponse, answer: CallAnswer): void => {
  if (answer === "hang") return;
  if (answer === "cut") response.destroy();
  else if (typeof answer === "number") response.writeHead(answer).end();
  else response.writeHead(answer.status, answer.headers).end();
};

/** Starts a receiver on a loopback port. */
export const webhookReceiver = async (port = 0): Promise<WebhookReceiver> => {
  const calls: ReceivedCall[] = [];
  const taken = new Set<ReceivedCall>();
  const news = eventually();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("error", () => undefined);
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as OutgoingBody;
      const call = { path: request.url ?? "", headers: request.headers, body };
      calls.push(call);
      void Promise.resolve(receiver.answer(call)).then((answer) => {
        reply(response, answer);
      });
      news.ring();
    });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const { port: taking } = server.address() as AddressInfo;

  const receiver: WebhookReceiver = {
    url: `http://127.0.0.1:${taking}/hook`,
    port: taking,
    calls,
    answer: () => 200,
    next: (event) =>
      news.until(
        () => {
          const call = calls.find((each) => each.body.Event === event && !taken.has(each));
          if (call !== undefined) taken.add(call);
          return call;
        },
        () => `no webhook call ${event}; there were ${calls.map(({ body }) => body.Event).join(", ")}`,
      ),
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return receiver;
};
