/** A DNS server on loopback that knows what a test tells it, for code that asks over the network. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

import { type Answer, AUTHENTIC_DATA, decode, encode, RECURSION_DESIRED, TRUNCATED_RESPONSE } from "dns-packet";

/** What a name has, by record type. A name that is missing does not exist; `SERVFAIL` and `silence` are themselves. */
export type Zone = Readonly<Record<string, readonly ZoneRecord[] | "SERVFAIL" | "silence">>;

export type ZoneRecord =
  | { readonly type: "MX"; readonly preference: number; readonly exchange: string; readonly ttl?: number }
  | { readonly type: "A" | "AAAA"; readonly address: string; readonly ttl?: number }
  | { readonly type: "TXT"; readonly text: string; readonly ttl?: number }
  | { readonly type: "CNAME"; readonly target: string; readonly ttl?: number }
  | {
      readonly type: "TLSA";
      readonly usage: number;
      readonly selector: number;
      readonly matchingType: number;
      readonly certificate: Buffer;
      readonly ttl?: number;
    };

export type DnsOptions = {
  /** Names whose answers DNSSEC proves; "." stands for all. Without it the server does not validate. */
  readonly secure?: readonly string[];
  /** Answers over UDP do not fit, whatever they are. */
  readonly truncates?: boolean;
};

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
  if (record.type === "CNAME") return { type: "CNAME", name, ttl, data: record.target };
  if (record.type === "TLSA") {
    const { usage, selector, matchingType, certificate } = record;
    return { type: "TLSA", name, ttl, data: { usage, selector, matchingType, certificate } };
  }
  return { type: record.type, name, ttl, data: record.address };
};

/** Records of a name, aliases followed as a resolver does it. */
const answersOf = (zone: Zone, name: string, type: string): readonly Answer[] => {
  const known = zone[name];
  if (known === undefined || typeof known === "string") return [];
  const alias = known.find((record) => record.type === "CNAME");
  const own = known.filter((record) => record.type === type || record === alias).map((record) => answerOf(name, record));
  return alias === undefined ? own : [...own, ...answersOf(zone, alias.target, type)];
};

/** Serves a zone on a loopback port, over UDP and TCP. */
export const localDns = async (zone: Zone, { secure, truncates = false }: DnsOptions = {}): Promise<LocalDns> => {
  const socket = createSocket("udp4");
  const questions: string[] = [];

  /** The answer to a packet; undefined where there is none. */
  const answer = (packet: Buffer, overTcp: boolean): Buffer | undefined => {
    const query = decode(packet);
    const question = query.questions?.[0];
    if (question === undefined) return undefined;
    const name = question.name.toLowerCase();
    questions.push(`${question.type} ${name}`);
    const known = name === "." ? [] : zone[name];
    if (known === "silence") return undefined;
    const rcode = known === undefined ? NXDOMAIN : known === "SERVFAIL" ? SERVFAIL : NOERROR;
    const proven = secure !== undefined && (secure.includes(".") || secure.includes(name) || name === ".") && rcode !== SERVFAIL;
    const cut = truncates && !overTcp;
    return encode({
      type: "response",
      id: query.id,
      flags: RECURSION_DESIRED | rcode | (proven ? AUTHENTIC_DATA : 0) | (cut ? TRUNCATED_RESPONSE : 0),
      questions: [question],
      answers: cut ? [] : [...answersOf(zone, name, question.type)],
    });
  };

  socket.on("message", (packet, { address, port }) => {
    const response = answer(packet, false);
    if (response !== undefined) socket.send(response, port, address);
  });
  const connections = new Set<Socket>();
  const overTcp = createServer((connection) => {
    connections.add(connection);
    connection.on("error", () => undefined);
    connection.on("close", () => connections.delete(connection));
    connection.on("data", (packet) => {
      const response = answer(packet.subarray(2), true);
      if (response === undefined) return;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(response.length);
      connection.end(Buffer.concat([length, response]));
    });
  });
  // TCP first: of its ports more are taken. The same must be free for UDP.
  overTcp.listen(0, "127.0.0.1");
  await once(overTcp, "listening");
  socket.bind((overTcp.address() as AddressInfo).port, "127.0.0.1");
  await once(socket, "listening");
  return {
    server: `127.0.0.1:${socket.address().port}`,
    questions,
    close: async () => {
      const closed = Promise.all([once(socket, "close"), once(overTcp, "close")]);
      socket.close();
      overTcp.close();
      for (const connection of connections) connection.destroy();
      await closed;
    },
  };
};
