/**
 * What the owner of a From domain says about mail that does not prove to be its own (DMARC: RFC 7489, RFC 9989). mailauth
 * finds and reads the record; that alignment can be asked to be strict is seen to here.
 */
import { dmarc as recordFor } from "mailauth/lib/dmarc/index.js";
import { formatAuthHeaderRow, getAlignment } from "mailauth/lib/tools.js";

import type { AskDns } from "./asked.ts";

export type Policy = "none" | "quarantine" | "reject";

export type DmarcVerdict = {
  /** `temperror`: the DNS did not answer something that would have decided it. */
  readonly result: "pass" | "fail" | "none" | "temperror";
  /** What the owner asks for where the result is `fail`, and would where it is `temperror` and the record is known. */
  readonly policy: Policy;
  /** Whether the message proves to be from the domain; where there is no policy, by relaxed alignment. */
  readonly isValidated: boolean;
  /** Part of an Authentication-Results field. */
  readonly row: string;
};

/** Who answers for a message: canonical domains for which SPF or DKIM holds, or could not be checked. */
export type Responsible = {
  readonly spf: readonly string[];
  readonly dkim: readonly string[];
  readonly undecidedSpf: readonly string[];
  readonly undecidedDkim: readonly string[];
};

const LOWER: Readonly<Record<Policy, Policy>> = { reject: "quarantine", quarantine: "none", none: "none" };

/** One step milder while the owner is still testing (RFC 9989: `t=y`; before it, `pct=0` was written for that). */
const policyOf = (asked: string | undefined, record: string | undefined, percent: number | undefined): Policy => {
  const policy = asked?.trim().toLowerCase();
  if (policy !== "quarantine" && policy !== "reject") return "none";
  const isTest = percent === 0 || /(?:^|;)\s*t\s*=\s*y\s*(?:;|$)/iu.test(record ?? "");
  return isTest ? LOWER[policy] : policy;
};

const isAligned = (domain: string, candidates: readonly string[], strict: boolean): boolean =>
  strict ? candidates.includes(domain) : getAlignment(domain, candidates) !== false;

/** Asks for the policy of one author's domain (an A-label name) and holds the message against it. */
export const checkDmarc = async (
  domain: string,
  { spf, dkim, undecidedSpf, undecidedDkim }: Responsible,
  ask: AskDns,
): Promise<DmarcVerdict> => {
  const told = (result: DmarcVerdict["result"], policy: Policy, isValidated: boolean): DmarcVerdict => ({
    result,
    policy,
    isValidated,
    row: formatAuthHeaderRow("dmarc", { result, comment: result === "none" ? "no policy" : `p=${policy}`, header: { from: domain } }),
  });
  const byAnyMeans = isAligned(domain, [...spf, ...dkim], false);
  const found = await recordFor({ headerFrom: `author@${domain}`, spfDomains: [], dkimDomains: [], resolver: ask });
  if (found === false || found.status.result === "none") return told("none", "none", byAnyMeans);
  if (found.status.result === "temperror") return told("temperror", "none", false);
  const policy = policyOf(found.policy, found.rr, found.pct);
  const { alignment } = found;
  if (isAligned(domain, spf, alignment.spf.strict) || isAligned(domain, dkim, alignment.dkim.strict)) return told("pass", policy, true);
  const mayYetHold = isAligned(domain, undecidedSpf, alignment.spf.strict) || isAligned(domain, undecidedDkim, alignment.dkim.strict);
  return told(mayYetHold ? "temperror" : "fail", policy, false);
};
