/**
 * How well a mail exchanger must be protected: DANE (RFC 7672) where DNSSEC proves that it is wanted, else what the domain's
 * MTA-STS policy asks for (RFC 8461), else TLS where it is offered. Both may be set aside by the sender (RFC 8689 section 4.1).
 */
import type { PolicyFacts } from "../../domain/smtp-result.ts";
import type { Lookup, TlsaRecord } from "../dns/resolver.ts";
import type { Protection } from "./carry.ts";
import { daneDemand } from "./dane-match.ts";
import type { MailHost } from "./mail-hosts.ts";
import type { Security } from "./open-session.ts";
import { temporary, type Trouble } from "./trouble.ts";

/** Looks for DANE. Only with a resolver that validates, and that can be believed. */
export type Dane = {
  /** Whether that is the case now. */
  readonly available: () => Promise<boolean>;
  readonly tlsa: (name: string) => Promise<Lookup<TlsaRecord>>;
};

/** What a domain's MTA-STS policy asks for. */
export type StsRules = { readonly mode: "enforce" | "testing"; readonly admits: (host: string) => boolean };

/** The policies that are looked for; those that are absent do not hold. */
export type Policies = {
  readonly dane?: Dane;
  /** Undefined when the domain has none, or none can be had. */
  readonly mtaSts?: (domain: string) => Promise<StsRules | undefined>;
};

const OPPORTUNISTIC: Security = { mode: "opportunistic", verified: false };
const VERIFIED: Security = { mode: "starttls", verified: true };

export type Question = {
  readonly domain: string;
  readonly port: number;
  readonly requireTls: boolean | null;
  /** Whether DNSSEC proves that the domain's hosts are its hosts. */
  readonly hostsAreSecure: boolean;
};

type Finding = Protection | Trouble | "insecure" | "nothing";

/** RFC 7672 section 2.2: where the addresses are proven, TLSA records decide, and trouble in asking for them is no licence. */
const byDane = async ({ tlsa }: Dane, { domain, port }: Question, { name, addresses }: MailHost): Promise<Finding> => {
  const where = await addresses();
  if (where.status !== "found") return "nothing"; // There is nothing to protect, which will be said when it is dialled.
  if (where.secure !== true) return "insecure";
  const names = where.canonical === undefined ? [name] : [where.canonical, name];
  for (const base of names) {
    const found = await tlsa(`_${port}._tcp.${base}`);
    if (found.status === "failed") return temporary(found.reason, "4.7.5");
    if (found.status !== "found" || found.secure !== true) continue;
    const dane = daneDemand(found.records, [...new Set([base, name, domain])]);
    return { security: { mode: "starttls", verified: false, dane }, policy: { decidedBy: "dane", dnssec: "secure" } };
  }
  return "nothing";
};

const dnssecFor = async ({ dane }: Policies, requireTls: boolean | null): Promise<PolicyFacts["dnssec"]> => {
  if (requireTls === false) return "ignored";
  return dane !== undefined && (await dane.available()) ? "secure" : "unavailable";
};

const bySts = (
  rules: StsRules | undefined,
  { requireTls, domain }: Question,
  host: string,
  dnssec: PolicyFacts["dnssec"],
): Protection | Trouble => {
  const found = rules === undefined ? {} : { mtaSts: rules.mode };
  if (rules?.mode === "enforce") {
    if (!rules.admits(host)) return temporary(`the MTA-STS policy of ${domain} does not name the mail exchanger ${host}`, "4.7.5");
    return { security: VERIFIED, policy: { decidedBy: "mta-sts", dnssec, ...found } };
  }
  if (requireTls === true) return { security: VERIFIED, policy: { decidedBy: "require-tls", dnssec, ...found } };
  return { security: OPPORTUNISTIC, policy: { decidedBy: "none", dnssec, ...found } };
};

/** Answers how a host of the domain is to be talked to, or why it must be left out. Asked once per attempt and host. */
export const protector = (policies: Policies, question: Question): ((host: MailHost) => Promise<Protection | Trouble>) => {
  const { requireTls, domain, hostsAreSecure } = question;
  const { dane, mtaSts } = policies;
  const available = dnssecFor(policies, requireTls);
  // Asked for at once, while others are asked for the hosts' addresses.
  const rules = requireTls === false || domain.startsWith("[") ? undefined : mtaSts?.(domain);

  return async (host) => {
    let dnssec = await available;
    if (dane !== undefined && dnssec === "secure") {
      const found = hostsAreSecure ? await byDane(dane, question, host) : "insecure";
      if (typeof found === "object") return found;
      if (found === "insecure") dnssec = "insecure";
    }
    return bySts(await rules, question, host.name, dnssec);
  };
};
