/**
 * Whether a message comes from where it says (SPF: RFC 7208, DKIM: RFC 6376, ARC: RFC 8617, DMARC: RFC 7489 and 9989),
 * checked while it comes in. Nothing here decides what becomes of the message, and trouble with the DNS is a result like
 * others: it costs nobody a message.
 */
import { spf as spfOf } from "mailauth/lib/spf/index.js";
import { formatAuthHeaderRow } from "mailauth/lib/tools.js";

import { asciiDomain } from "../../domain/address.ts";
import { type Clock, SECOND_MS } from "../../domain/clock.ts";
import type { RecordLookups } from "../dns/record-lookups.ts";
import { type AskedDns, askedDns } from "./asked.ts";
import { checkDmarc, type DmarcVerdict, type Policy, type Responsible } from "./dmarc.ts";
import { checkSignatures, type Signatures, type SignedField } from "./signatures.ts";

export type Sender = {
  readonly remoteAddress: string;
  /** As the client called itself. */
  readonly helo: string;
  /** Canonical; empty for the null reverse path. */
  readonly mailFrom: string;
};

export type SenderVerdict = {
  /** Whether SPF holds for the domain of MAIL FROM. */
  readonly mailFromValidated: boolean;
  /** Whether every author's domain proves to be where the message comes from. */
  readonly msgFromValidated: boolean;
  readonly dkimVerifiedDomains: readonly string[];
  /** The strictest of what the authors' domains ask for where the message fails them. */
  readonly policy: Policy;
  /** That policy hangs on an answer that the DNS did not give. */
  readonly isUndecided: boolean;
  /** Authentication-Results (RFC 8601) and Received-SPF (RFC 7208 section 9.1), with line ends. */
  readonly fields: string;
};

export type SenderCheck = {
  /** The header, before anything of the body. `authors`: A-label domains of From. */
  readonly header: (fields: readonly SignedField[], authors: readonly string[]) => Promise<void>;
  /** The next octets of the body. */
  readonly body: (octets: Uint8Array) => void;
  /** To be called once, after all of the body. */
  readonly verdict: () => Promise<SenderVerdict>;
  /** Gives up what is still being asked. Must be called in the end, also after a verdict. */
  readonly end: () => void;
};

export type SenderCheckOptions = {
  readonly lookups: RecordLookups;
  readonly clock: Clock;
  /** Name of this server in the fields. */
  readonly hostName: string;
  /** How long answers are waited for once the message is in. Default 20 s; clients wait 10 minutes. */
  readonly patienceMs?: number;
};

const PATIENCE_MS = 20 * SECOND_MS;
const STRICTNESS: readonly Policy[] = ["none", "quarantine", "reject"];

type Spf = {
  readonly result: string;
  readonly domain: string;
  readonly isOfMailFrom: boolean;
  readonly row: string;
  readonly field: string;
};

const quoted = (text: string): string =>
  `"${text
    .slice(0, 320)
    .replace(/[^\x20-\x7e]/gu, "?")
    .replace(/["\\]/gu, "\\$&")}"`;

const checkSpf = async ({ remoteAddress, helo, mailFrom }: Sender, hostName: string, dns: AskedDns): Promise<Spf> => {
  const isOfMailFrom = mailFrom !== "";
  const checked = await spfOf({ ip: remoteAddress, helo, mta: hostName, resolver: dns.ask, ...(isOfMailFrom ? { sender: mailFrom } : {}) });
  const { result } = checked.status;
  const identity = isOfMailFrom ? { mailfrom: mailFrom.slice(0, 320) } : { helo: helo.slice(0, 255) };
  return {
    result,
    domain: asciiDomain(isOfMailFrom ? mailFrom.slice(mailFrom.lastIndexOf("@") + 1) : helo) ?? "",
    isOfMailFrom,
    row: formatAuthHeaderRow("spf", { result, smtp: identity }),
    field:
      `Received-SPF: ${result} client-ip=${remoteAddress}; identity=${isOfMailFrom ? "mailfrom" : "helo"};\r\n` +
      `\tenvelope-from=${quoted(mailFrom)}; helo=${quoted(helo)};\r\n\treceiver=${hostName}\r\n`,
  };
};

const strictest = (verdicts: readonly DmarcVerdict[]): { readonly policy: Policy; readonly isUndecided: boolean } => {
  const counting = verdicts.filter(({ result }) => result === "fail" || result === "temperror");
  const rank = Math.max(0, ...counting.map(({ policy }) => STRICTNESS.indexOf(policy)));
  const policy = STRICTNESS[rank] ?? "none";
  const isUndecided = !counting.some((each) => each.result === "fail" && each.policy === policy) && policy !== "none";
  return { policy, isUndecided };
};

const responsibleOf = (spf: Spf, { verified, undecided }: Awaited<ReturnType<Signatures["verdict"]>>): Responsible => ({
  spf: spf.result === "pass" ? [spf.domain] : [],
  undecidedSpf: spf.result === "temperror" ? [spf.domain] : [],
  dkim: verified,
  undecidedDkim: undecided,
});

/** Begins a check of one message, at once with what the envelope tells. */
export const senderChecks =
  ({ lookups, clock, hostName, patienceMs = PATIENCE_MS }: SenderCheckOptions) =>
  (sender: Sender): SenderCheck => {
    const dns = askedDns(lookups, clock);
    const spfChecked = checkSpf(sender, hostName, dns);
    spfChecked.catch(() => undefined);
    let signatures: Signatures | undefined;
    let domains: readonly string[] = [];

    return {
      header: async (fields, authors) => {
        domains = authors;
        for (const domain of authors) dns.prepare(`_dmarc.${domain}`, "TXT");
        signatures = await checkSignatures(fields, clock.now(), dns);
      },
      body: (octets) => {
        signatures?.body(octets);
      },
      verdict: async () => {
        if (signatures === undefined) throw new Error("the header must come before the verdict");
        dns.within(patienceMs);
        const [spf, signed] = await Promise.all([spfChecked, signatures.verdict()]);
        const responsible = responsibleOf(spf, signed);
        const verdicts = await Promise.all(domains.map((domain) => checkDmarc(domain, responsible, dns.ask)));
        const arcResult = signed.arc;
        const arcRows =
          arcResult === "none" ? [] : [formatAuthHeaderRow("arc", { result: arcResult, smtp: { "remote-ip": sender.remoteAddress } })];
        const rows = [...signed.results, spf.row, ...arcRows, ...verdicts.map(({ row }) => row)];
        return {
          mailFromValidated: spf.isOfMailFrom && spf.result === "pass",
          msgFromValidated: verdicts.length > 0 && verdicts.every(({ isValidated }) => isValidated),
          dkimVerifiedDomains: signed.verified,
          ...strictest(verdicts),
          fields: `Authentication-Results: ${hostName};\r\n\t${rows.join(";\r\n\t")}\r\n${spf.field}`,
        };
      },
      end: dns.end,
    };
  };
