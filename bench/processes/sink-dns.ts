/** A DNS server that knows one thing: every domain's mail goes to one host, which is this machine. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type Answer, decode, encode, RECURSION_DESIRED } from "dns-packet";
import type { Cleanup } from "../cleanup.ts";

const HOST = "mx.sink.example";
const NXDOMAIN = 3;

const answersFor = (type: string, name: string): readonly Answer[] | undefined => {
  if (name.startsWith("_")) return undefined;
  if (type === "MX" && name !== HOST) return [{ type: "MX", name, ttl: 300, data: { preference: 10, exchange: HOST } }];
  if (type === "A" && name === HOST) return [{ type: "A", name, ttl: 300, data: "127.0.0.1" }];
  return [];
};

/** Listens on a loopback port. */
export const startDns = async (cleanup: Cleanup): Promise<{ readonly port: number }> => {
  const socket = createSocket("udp4");
  socket.on("message", (packet, { address, port }) => {
    const { id, questions = [] } = decode(packet);
    const [question] = questions;
    if (question === undefined) return;
    const answers = answersFor(question.type, question.name.toLowerCase());
    const flags = RECURSION_DESIRED | (answers === undefined ? NXDOMAIN : 0);
    socket.send(encode({ type: "response", id, flags, questions: [question], answers: [...(answers ?? [])] }), port, address);
  });
  cleanup.add(async () => {
    const closed = once(socket, "close");
    socket.close();
    await closed;
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return { port: socket.address().port };
};
