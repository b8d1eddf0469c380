/** A receiver of webhooks that answers 200 to everything. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export type WebhookListener = { readonly port: number; readonly close: () => Promise<void> };

/** Listens on loopback. `onCall` is called when a call's last octet has arrived, before it is answered. */
export const listenWebhooks = async (onCall: () => void): Promise<WebhookListener> => {
  const server = createServer((request, response) => {
    request.resume().once("end", () => {
      onCall();
      response.writeHead(200, { "Content-Length": "0" }).end();
    });
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
};
