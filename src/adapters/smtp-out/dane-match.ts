/**
 * Whether a server's certificate is one that its TLSA records allow (RFC 6698, RFC 7671, with the rules of RFC 7672 for
 * SMTP). Node verifies certificates only against authorities, so what DANE adds stands here.
 */
import { createHash, X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";

import type { TlsaRecord } from "../dns/resolver.ts";

/** What the TLSA records of a host ask for. */
export type DaneDemand = {
  /** The same for demands that the same session satisfies. */
  readonly key: string;
  /** Those that can be used; with none, any TLS will do (RFC 7672 section 2.2). */
  readonly records: readonly TlsaRecord[];
  /** Names that a certificate under a trust anchor must be for: one of them (RFC 7672 section 3.2.2). */
  readonly names: readonly string[];
  /** Whether a certificate that fits is vouched for by the records. */
  readonly authenticates: boolean;
};

const DANE_TA = 2;
const DANE_EE = 3;

/** Longer chains are not sent by servers that want to be understood. */
const MAX_CHAIN = 10;

/** RFC 7672 section 3.1: usages 0 and 1 are not for SMTP; unknown selectors and digests cannot be used. */
const isUsable = ({ usage, selector, matchingType, certificate }: TlsaRecord): boolean =>
  (usage === DANE_TA || usage === DANE_EE) && selector <= 1 && matchingType <= 2 && certificate.length > 0;

/** The demand of a host's TLSA records, which must have come with proof. */
export const daneDemand = (found: readonly TlsaRecord[], names: readonly string[]): DaneDemand => {
  const records = found.filter(isUsable);
  const digest = createHash("sha256").update(names.join(" "));
  for (const { usage, selector, matchingType, certificate } of records)
    digest.update(`\n${usage} ${selector} ${matchingType} `).update(certificate);
  return { key: `dane:${digest.digest("hex").slice(0, 32)}`, records, names, authenticates: records.length > 0 };
};

const DIGESTS = [undefined, "sha256", "sha512"] as const;

const matches = (certificate: X509Certificate, { selector, matchingType, certificate: wanted }: TlsaRecord): boolean => {
  const part = selector === 0 ? certificate.raw : certificate.publicKey.export({ type: "spki", format: "der" });
  const digest = DIGESTS[matchingType];
  return (digest === undefined ? part : createHash(digest).update(part).digest()).equals(wanted);
};

/** The certificates that the server sent, its own first. */
const chainOf = (socket: TLSSocket): readonly X509Certificate[] => {
  const chain: X509Certificate[] = [];
  let next = socket.getPeerCertificate(true) as ReturnType<TLSSocket["getPeerCertificate"]> & { readonly issuerCertificate?: unknown };
  for (let length = 0; length < MAX_CHAIN && next.raw instanceof Uint8Array; length += 1) {
    chain.push(new X509Certificate(next.raw));
    const issuer = next.issuerCertificate as typeof next | undefined;
    // The root names itself as its issuer.
    if (issuer === undefined || issuer === next) break;
    next = issuer;
  }
  return chain;
};

const isValidAt = ({ validFromDate, validToDate }: X509Certificate, now: number): boolean =>
  validFromDate.getTime() <= now && now <= validToDate.getTime();

/** How far up the chain every certificate is signed by the next, which may sign, and is valid today. */
const trustedLength = (chain: readonly X509Certificate[], now: number): number => {
  let length = 0;
  for (const [index, certificate] of chain.entries()) {
    const below = chain[index - 1];
    if (!isValidAt(certificate, now)) break;
    if (below !== undefined && !(certificate.ca && below.checkIssued(certificate) && below.verify(certificate.publicKey))) break;
    length += 1;
  }
  return length;
};

/** RFC 7672 section 3.1.2: the anchor is in the chain, the chain leads to it, and the certificate is for the host. */
const underAnchor = (chain: readonly X509Certificate[], { names, records }: DaneDemand): boolean => {
  const [own] = chain;
  const anchors = records.filter(({ usage }) => usage === DANE_TA);
  if (own === undefined || anchors.length === 0) return false;
  const trusted = chain.slice(0, trustedLength(chain, Date.now()));
  return (
    trusted.some((certificate) => anchors.some((record) => matches(certificate, record))) &&
    names.some((name) => own.checkHost(name) !== undefined)
  );
};

/** Why the certificate is not allowed; undefined when it is. */
export const daneProblem = (socket: TLSSocket, demand: DaneDemand): string | undefined => {
  if (demand.records.length === 0) return undefined;
  const chain = chainOf(socket);
  const [own] = chain;
  if (own === undefined) return "the server has shown no certificate";
  // RFC 7672 section 3.1.1: neither names nor dates matter here; the record vouches for the key.
  if (demand.records.some((record) => record.usage === DANE_EE && matches(own, record))) return undefined;
  return underAnchor(chain, demand) ? undefined : "the certificate is not one that the TLSA records of the host allow";
};
