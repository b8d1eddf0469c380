/** A DNS server on loopback that has a few TXT records and nothing else. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { AUTHORITATIVE_ANSWER, decode, encode } from "dns-packet";
import type { Cleanup } from "../cleanup.ts";

const NXDOMAIN = 3;

/** Serves the records until the clean-up; the address to ask it at. */
export const startDnsServer = async (records: Readonly<Record<string, string>>, cleanup: Cleanup): Promise<string> => {
  const socket = createSocket("udp4");
  socket.on("message", (packet, { address, port }) => {
    const { id, questions = [] } = decode(packet);
    const [question] = questions;
    if (question === undefined) return;
    const text = records[question.name.toLowerCase()];
    const isFound = text !== undefined && question.type === "TXT";
    const response = encode({
      type: "response",
      ...(id === undefined ? {} : { id }),
      flags: AUTHORITATIVE_ANSWER | (text === undefined ? NXDOMAIN : 0),
      questions: [question],
      answers: isFound ? [{ type: "TXT", name: question.name, ttl: 3_600, data: text.match(/[^]{1,255}/gu) ?? [] }] : [],
    });
    socket.send(response, port, address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  cleanup.add(async () => {
    const closed = once(socket, "close");
    socket.close();
    await closed;
  });
  return `127.0.0.1:${socket.address().port}`;
};
