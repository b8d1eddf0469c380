/**
 * One question to one DNS server, over UDP and, where the answer does not fit, over TCP. Written here because Node's own
 * resolver does not tell the AD bit, by which a validating resolver says that DNSSEC proves an answer (RFC 4035 section 3.2.3).
 */
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";

import dnsPacket, { type DecodedPacket, type Packet } from "dns-packet";

const { AUTHENTIC_DATA, decode, encode, RECURSION_DESIRED } = dnsPacket;

/** The types of dns-packet leave the code out. */
export type DnsReply = DecodedPacket & { readonly rcode: string };

export type ServerAddress = { readonly address: string; readonly port: number };

export type Question = { readonly type: "A" | "AAAA" | "MX" | "TXT" | "TLSA" | "SOA"; readonly name: string };

/** What avoids fragments on every path (DNS flag day 2020). */
const UDP_PAYLOAD_OCTETS = 1_232;
const DNS_PORT = 53;

/** Parses `address`, `address:port` or `[address]:port`, as checked by the configuration. */
export const serverAddress = (text: string): ServerAddress => {
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/u.exec(text) ?? [];
  return { address: bracketed ?? plain ?? text, port: port === undefined ? DNS_PORT : Number(port) };
};

/** RFC 6840 section 5.7: the AD bit in a question asks for the AD bit in the answer, without the signatures themselves. */
const queryFor = ({ type, name }: Question): { readonly id: number; readonly packet: Packet } => {
  const id = randomInt(0x1_0000);
  const edns = {
    type: "OPT",
    name: ".",
    udpPayloadSize: UDP_PAYLOAD_OCTETS,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  } as const;
  return {
    id,
    packet: {
      type: "query",
      id,
      flags: RECURSION_DESIRED | AUTHENTIC_DATA,
      questions: [{ type, name }],
      additionals: [{ ...edns, options: [] }],
    },
  };
};

/** Undefined when it is not an answer to the question, whoever sent it. */
const answerTo = ({ type, name }: Question, id: number, message: Buffer): DnsReply | undefined => {
  try {
    const packet = decode(message) as DnsReply;
    const [asked] = packet.questions ?? [];
    const fits = packet.type === "response" && packet.id === id && asked?.type === type && asked.name.toLowerCase() === name.toLowerCase();
    return fits ? packet : undefined;
  } catch {
    return undefined;
  }
};

/** A promise that settles once, within a time limit, and is cleaned up after. */
const within = <T>(limitMs: number, run: (settle: (result: T | Error) => void) => () => void): Promise<T> =>
  new Promise((resolve, reject) => {
    let over = false;
    const settle = (result: T | Error): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      queueMicrotask(() => {
        end();
      });
      if (result instanceof Error) reject(result);
      else resolve(result);
    };
    const timer = setTimeout(() => {
      settle(new Error("no answer in time"));
    }, limitMs);
    const end = run(settle);
  });

const overUdp = (server: ServerAddress, question: Question, limitMs: number): Promise<DnsReply> =>
  within(limitMs, (settle) => {
    const { id, packet } = queryFor(question);
    // A socket for each question, so that its port is as hard to guess as its id (RFC 5452), and connected, so that only the server is heard.
    const socket = createSocket(isIPv6(server.address) ? "udp6" : "udp4");
    socket.on("error", settle);
    socket.on("message", (message) => {
      const answer = answerTo(question, id, message);
      if (answer !== undefined) settle(answer);
    });
    socket.connect(server.port, server.address, () => {
      socket.send(encode(packet));
    });
    return () => {
      socket.close();
    };
  });

const overTcp = (server: ServerAddress, question: Question, limitMs: number): Promise<DnsReply> =>
  within(limitMs, (settle) => {
    const { id, packet } = queryFor(question);
    const query = encode(packet);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(query.length);
    const socket = connect(server.port, server.address);
    let received = Buffer.alloc(0);
    socket.on("error", settle);
    socket.on("close", () => {
      settle(new Error("the connection was closed"));
    });
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      // The length takes two octets: more than 64 KB does not come together.
      if (received.length < 2 || received.length < 2 + received.readUInt16BE()) return;
      settle(answerTo(question, id, received.subarray(2, 2 + received.readUInt16BE())) ?? new Error("the answer makes no sense"));
    });
    socket.end(Buffer.concat([length, query]));
    return () => {
      socket.destroy();
    };
  });

/** Asks once. Rejects when there is no answer within `limitMs`. */
export const ask = async (server: ServerAddress, question: Question, limitMs: number): Promise<DnsReply> => {
  const answer = await overUdp(server, question, limitMs);
  return answer.flag_tc ? overTcp(server, question, limitMs) : answer;
};
