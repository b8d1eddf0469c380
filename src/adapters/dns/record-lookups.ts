/**
 * Questions of any kind that the checks of a sender ask the DNS. They come by the hundred for one busy sender, so answers
 * are kept for a while; and whoever is checked chooses what they say, so nothing of a size that no honest record has is
 * handed on.
 */
import { Resolver as NodeResolver } from "node:dns/promises";

import type { Clock } from "../../domain/clock.ts";
import { cached } from "./cached-resolver.ts";
import { failureOf, type Lookup, type ResolverOptions } from "./resolver.ts";

export type RecordType = "TXT" | "MX" | "A" | "AAAA" | "PTR";

/** As node:dns gives them: strings for A, AAAA and PTR, lists of strings for TXT, `{ exchange, priority }` for MX. */
export type DnsRecord = string | readonly string[] | { readonly exchange: string; readonly priority: number };

/** Never throws: trouble is an answer. */
export type RecordLookups = (name: string, type: RecordType) => Promise<Lookup<DnsRecord>>;

/** The longest DKIM key in use, with much to spare. What is longer costs the readers of records more than it is worth. */
const MAX_TEXT = 4_096;
const MAX_RECORDS = 100;
const KEPT_NAMES = 20_000;

/** Those look-ups are made while a client waits for its reply. */
const TIMEOUT_MS = 3_000;

const isReasonable = (record: DnsRecord): boolean =>
  !Array.isArray(record) || record.reduce((sum: number, text: string) => sum + text.length, 0) <= MAX_TEXT;

/** Asks DNS servers over the network. At most {@link MAX_RECORDS} records come of one question. */
export const recordLookups = (clock: Clock, { servers = [], timeoutMs = TIMEOUT_MS, tries = 2 }: ResolverOptions = {}): RecordLookups => {
  const dns = new NodeResolver({ timeout: timeoutMs, tries });
  if (servers.length > 0) dns.setServers(servers);

  const ask = async (question: string): Promise<Lookup<DnsRecord>> => {
    const space = question.indexOf(" ");
    const name = question.slice(space + 1);
    try {
      const answer = (await dns.resolve(name, question.slice(0, space))) as unknown as readonly DnsRecord[];
      const records = answer.slice(0, MAX_RECORDS).filter(isReasonable);
      return records.length === 0 ? { status: "noData" } : { status: "found", records };
    } catch (error) {
      return failureOf(name, error);
    }
  };
  const known = cached(ask, clock, KEPT_NAMES);
  return (name, type) => known(`${type} ${name.toLowerCase()}`);
};
