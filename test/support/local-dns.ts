/** A DNS server on loopback that knows what a test tells it, for code that asks over the network. */
import { createSocket } from "node:dgram";
import { once } from "node:events";

import { type Answer, decode, encode, RECURSION_DESIRED } from "dns-packet";

/** What a name has, by record type. A name that is missing does not exist; `SERVFAIL` and `silence` are themselves. */
export type Zone = Readonly<Record<string, readonly ZoneRecord[] | "SERVFAIL" | "silence">>;

export type ZoneRecord =
  | { readonly type: "MX"; readonly preference: number; readonly exchange: string; readonly ttl?: number }
  | { readonly type: "A" | "AAAA"; readonly address: string; readonly ttl?: number }
  | { readonly type: "TXT"; readonly text: string; readonly ttl?: number };

export type LocalDns = {
  /** As `resolver` takes it. */
  readonly server: string;
  /** Questions asked so far, as `TYPE name`. */
  readonly questions: readonly string[];
  readonly close: () => Promise<void>;
};

const NOERROR = 0;
const SERVFAIL = 2;
const NXDOMAIN = 3;

const answerOf = (name: string, record: ZoneRecord): Answer => {
  const { ttl = 300 } = record;
  if (record.type === "MX") return { type: "MX", name, ttl, data: { preference: record.preference, exchange: record.exchange } };
  if (record.type === "TXT") return { type: "TXT", name, ttl, data: record.text.match(/[^]{1,255}/gu) ?? [""] };
  return { type: record.type, name, ttl, data: record.address };
};

/** Serves a zone on a loopback port. */
export const localDns = async (zone: Zone): Promise<LocalDns> => {
  const socket = createSocket("udp4");
  const questions: string[] = [];
  socket.on("message", (packet, { address, port }) => {
    const query = decode(packet);
    const question = query.questions?.[0];
    if (question === undefined) return;
    const name = question.name.toLowerCase();
    questions.push(`${question.type} ${name}`);
    const known = zone[name];
    if (known === "silence") return;
    const records = known === undefined || known === "SERVFAIL" ? [] : known.filter(({ type }) => type === question.type);
    const rcode = known === undefined ? NXDOMAIN : known === "SERVFAIL" ? SERVFAIL : NOERROR;
    const response = encode({
      type: "response",
      id: query.id,
      flags: RECURSION_DESIRED | rcode,
      questions: [question],
      answers: records.map((record) => answerOf(question.name, record)),
    });
    socket.send(response, port, address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    server: `127.0.0.1:${socket.address().port}`,
    questions,
    close: async () => {
      const closed = once(socket, "close");
      socket.close();
      await closed;
    },
  };
};
