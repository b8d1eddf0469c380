/**
 * MTA-STS policies (RFC 8461): which mail exchangers a domain has, and whether mail may only go to them over verified TLS.
 * mailauth reads record and file; what it does beyond that is not used, see ARCHITECTURE.md.
 */
import { parsePolicy, resolvePolicy } from "mailauth/lib/mta-sts.js";

export type StsPolicy = {
  /** Of the record that announced it: another one means another policy. */
  readonly id: string;
  readonly mode: "enforce" | "testing" | "none";
  /** Host names, lower case; `*.` at the beginning stands for one label. */
  readonly mx: readonly string[];
  readonly maxAgeMs: number;
};

/** RFC 8461 section 3.2: about a year, at most. */
const MAX_AGE_S = 31_557_600;
const MAX_PATTERNS = 1_000;

/** The id in the TXT records of `_mta-sts.<domain>`; undefined where they announce no policy. Exactly one must. */
export const announcedId = async (domain: string, records: readonly string[]): Promise<string | undefined> => {
  try {
    const id = await resolvePolicy(domain, { resolver: () => Promise.resolve(records.map((record) => [record])) });
    return typeof id === "string" && /^[A-Za-z0-9]{1,32}$/u.test(id) ? id : undefined;
  } catch {
    return undefined;
  }
};

/** Reads a policy file; throws an error that says what is wrong with it. */
export const readPolicy = (id: string, file: string): StsPolicy => {
  const { mode, mx = [], maxAge = 0 } = parsePolicy(file);
  return { id, mode, mx: mx.slice(0, MAX_PATTERNS), maxAgeMs: Math.min(MAX_AGE_S, maxAge) * 1_000 };
};

/** Whether the policy names this host. The star stands for one label (RFC 8461 section 4.1, RFC 6125 section 6.4.3). */
export const admits = ({ mx }: StsPolicy, host: string): boolean => {
  const parent = host.slice(host.indexOf("."));
  return mx.some((pattern) => (pattern.startsWith("*.") ? host.includes(".") && pattern.slice(1) === parent : pattern === host));
};
