/** Where a request comes from: the address that failures are counted for. */
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

/** The client's address, IPv4 in its plain form also when it came in over a dual-stack socket. */
export const clientAddress = (request: IncomingMessage, trustForwarded: boolean): string => {
  const peer = plain(request.socket.remoteAddress ?? "");
  if (!trustForwarded) return peer;
  // The last entry is the one that our own proxy wrote; what is before it came from the client.
  const forwarded = request.headers["x-forwarded-for"];
  const entries = (typeof forwarded === "string" ? forwarded : "").split(",");
  const last = plain((entries.at(-1) ?? "").trim());
  return isIP(last) === 0 ? peer : last;
};

const plain = (address: string): string => (address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address);
