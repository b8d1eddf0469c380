/** A resolver that tells what DNSSEC proves: it believes the AD bit of the servers that it is given, and says so in its answers. */
import type { Answer } from "dns-packet";

import { ask, type DnsReply, type Question, serverAddress } from "./exchange.ts";
import { joined, type Lookup, type PolicyResolver, type ResolverOptions } from "./resolver.ts";

/** Aliases that are followed within one answer. */
const MAX_ALIASES = 10;

/** The name that has the records, aliases followed as far as the answer goes. */
const canonicalName = (answers: readonly Answer[], name: string): string => {
  let current = name;
  for (let followed = 0; followed < MAX_ALIASES; followed += 1) {
    const alias = answers.find((answer) => answer.type === "CNAME" && answer.name.toLowerCase() === current);
    if (alias?.type !== "CNAME") return current;
    current = alias.data.toLowerCase();
  }
  return current;
};

const lookupOf = <T>({ type, name }: Question, packet: DnsReply, read: (answer: Answer) => T | undefined): Lookup<T> => {
  const proof = packet.flag_ad ? { secure: true as const } : {};
  if (packet.rcode === "NXDOMAIN") return { status: "noDomain", ...proof };
  const answers = packet.answers ?? [];
  const canonical = canonicalName(answers, name.toLowerCase());
  const own = answers.filter((answer) => answer.type === type && answer.name.toLowerCase() === canonical);
  const records = own.flatMap((answer) => read(answer) ?? []);
  if (records.length === 0) return { status: "noData", ...proof };
  const seconds = answers.reduce((least, answer) => Math.min(least, "ttl" in answer ? (answer.ttl ?? Infinity) : Infinity), Infinity);
  const alias = canonical === name.toLowerCase() ? {} : { canonical };
  return { status: "found", records, ttlMs: seconds * 1_000, ...proof, ...alias };
};

const textOf = (data: unknown): string =>
  (Array.isArray(data) ? data : [data])
    .map((part) => (part instanceof Uint8Array ? Buffer.from(part).toString("utf8") : String(part)))
    .join("");

/** Asks the servers in turn, `tries` times; the first usable answer counts. */
export const validatingResolver = ({
  servers,
  timeoutMs = 5_000,
  tries = 2,
}: ResolverOptions & { readonly servers: readonly string[] }): PolicyResolver => {
  const addresses = servers.map(serverAddress);

  const lookUp = async <T>(question: Question, read: (answer: Answer) => T | undefined): Promise<Lookup<T>> => {
    let reason = "there is no server";
    for (let attempt = 0; attempt < tries; attempt += 1) {
      for (const server of addresses) {
        try {
          const packet = await ask(server, question, timeoutMs);
          if (packet.rcode === "NOERROR" || packet.rcode === "NXDOMAIN") return lookupOf(question, packet, read);
          reason = packet.rcode;
        } catch (error) {
          reason = error instanceof Error ? error.message : String(error);
        }
      }
    }
    return { status: "failed", reason: `DNS lookup of ${question.name} failed: ${reason}` };
  };
  const address = (type: "A" | "AAAA", name: string): Promise<Lookup<string>> =>
    lookUp({ type, name }, (answer) => (answer.type === "A" || answer.type === "AAAA" ? answer.data : undefined));

  return {
    mx: (name) =>
      lookUp({ type: "MX", name }, (answer) =>
        answer.type === "MX"
          ? { exchange: answer.data.exchange.toLowerCase().replace(/\.$/u, ""), preference: answer.data.preference ?? 0 }
          : undefined,
      ),
    addresses: async (name) => {
      const [v4, v6] = await Promise.all([address("A", name), address("AAAA", name)]);
      return joined(v4, v6);
    },
    txt: (name) => lookUp({ type: "TXT", name }, (answer) => (answer.type === "TXT" ? textOf(answer.data) : undefined)),
    tlsa: (name) => lookUp({ type: "TLSA", name }, (answer) => (answer.type === "TLSA" ? answer.data : undefined)),
  };
};
