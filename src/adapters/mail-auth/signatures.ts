/**
 * DKIM signatures and the newest ARC seal of a message while it comes in. mailauth reads the signatures, canonicalises the
 * header, fetches the keys and verifies; which signatures are worth looking at is decided here, because every one of them
 * costs a look-up and a pass over the body, and because a signature that leaves out what people read proves nothing.
 */
import { DkimVerifier, type Hasher, type SignatureHeader, type SignatureResult } from "mailauth/lib/dkim/dkim-verifier.js";
import { arc } from "mailauth/lib/arc/index.js";
import { formatAuthHeaderRow } from "mailauth/lib/tools.js";

import type { Instant } from "../../domain/clock.ts";
import type { AskedDns } from "./asked.ts";
import { type BodyHash, canonicalBody, type Canonicalization } from "./body-hash.ts";

/** A field as it came. */
export type SignedField = {
  /** Lower case, without blanks around it. */
  readonly name: string;
  /** The whole field with its folds and without its last line end. */
  readonly octets: Buffer;
};

export type SignatureVerdict = {
  /** Lower-case domains with a signature that holds, each once. */
  readonly verified: readonly string[];
  /** Domains whose signature could not be checked because the DNS did not answer. */
  readonly undecided: readonly string[];
  /** Parts of an Authentication-Results field. */
  readonly results: readonly string[];
  /** mailauth's view of the ARC chain; DMARC mentions it. */
  readonly arc: Awaited<ReturnType<typeof arc>>;
};

export type Signatures = {
  /** The next octets of the body. */
  readonly body: (octets: Uint8Array) => void;
  readonly verdict: () => Promise<SignatureVerdict>;
};

type Named = { readonly signingDomain?: string | undefined; readonly selector?: string | undefined };
type Judged = { readonly domain: string; readonly result: string; readonly row: string };

/** The newest ones come first; nobody honest has more (RFC 6376 section 6.1 lets a verifier stop). */
const MAX_SIGNATURES = 8;
const MAX_SIGNATURE_OCTETS = 8_192;

/** Why a signature proves nothing whatever it verifies to; undefined for one worth looking at. */
const flawOf = ({ original, parsed, hashAlgo }: SignatureHeader): string | undefined => {
  if (original.byteLength > MAX_SIGNATURE_OCTETS) return "too long";
  // RFC 8301 section 3.1.
  if (hashAlgo === "sha1") return "rsa-sha1 is too weak";
  const signed = String(parsed?.["h"]?.value ?? "").toLowerCase();
  // RFC 6376 section 5.4.
  if (!signed.split(":").some((name) => name.trim() === "from")) return "From is not signed";
  return undefined;
};

const MAX_SHOWN = 255;

const rowOf = (result: string, comment: string | false | undefined, { signingDomain = "", selector = "" }: Named): string =>
  formatAuthHeaderRow("dkim", { result, comment, header: { d: signingDomain.slice(0, MAX_SHOWN), s: selector.slice(0, MAX_SHOWN) } });

/** mailauth's name for a body hash: form, algorithm, and the l= tag or nothing. */
const hasherFor = (key: string, bodies: Map<string, ReturnType<typeof canonicalBody>>): { readonly hasher: Hasher } => {
  const [form = "", algorithm = "", limit = ""] = key.split(":");
  const body = bodies.get(form) ?? canonicalBody(form as Canonicalization);
  bodies.set(form, body);
  const most = limit === "" ? Infinity : Number(limit);
  const hash: BodyHash = body.hash(algorithm === "sha1" ? "sha1" : "sha256", most);
  return {
    hasher: {
      // A limit beyond the body is not one that the signer can have meant (RFC 6376 section 3.5): nothing equals it.
      digest: (encoding) => (limit !== "" && most > hash.total() ? "" : hash.digest(encoding)),
      getMimeStructureStart: () => false,
      setContentType: () => undefined,
      get bodyHashedBytes() {
        return limit === "" ? hash.hashed() : most;
      },
      get canonicalizedLength() {
        return hash.total();
      },
    },
  };
};

/** What a signature comes to, and how it is told. */
const judged = ({ signingDomain, selector, status }: SignatureResult): Judged => {
  // Anything can be put behind the signed part (RFC 6376 section 8.2).
  const isPartial = status.result === "pass" && (status.underSized ?? 0) > 0;
  const result = isPartial ? "policy" : status.result;
  const row = rowOf(result, isPartial ? "a part of the body is not signed" : status.comment, { signingDomain, selector });
  return { domain: (signingDomain ?? "").toLowerCase(), result, row };
};

const domainsWith = (all: readonly Judged[], wanted: string): readonly string[] => [
  ...new Set(all.flatMap(({ domain, result }) => (result === wanted ? [domain] : []))),
];

/** Starts to check. The header must be bounded: mailauth holds every name that is signed against every field. */
export const checkSignatures = async (fields: readonly SignedField[], now: Instant, dns: AskedDns): Promise<Signatures> => {
  const verifier = new DkimVerifier({ resolver: dns.ask, sender: "none@invalid", curTime: new Date(now) });
  const parsed = fields.map(({ name, octets }) => ({ key: name, casedKey: name, line: octets }));
  await verifier.messageHeaders({ parsed, original: Buffer.alloc(0) });

  const passedOver: string[] = [];
  let looked = 0;
  for (const signature of verifier.signatureHeaders) {
    if (signature.skip === true) continue;
    const flaw = signature.type === "DKIM" ? (looked >= MAX_SIGNATURES ? "too many signatures" : flawOf(signature)) : undefined;
    if (flaw !== undefined) {
      signature.skip = true;
      if (passedOver.length < MAX_SIGNATURES) passedOver.push(rowOf("policy", flaw, signature));
      continue;
    }
    if (signature.type === "DKIM") looked += 1;
    dns.prepare(`${signature.selector}._domainkey.${signature.signingDomain}`, "TXT");
  }

  const wanted = new Set(verifier.signatureHeaders.flatMap((each) => (each.skip === true ? [] : [each.bodyHashKey])));
  const bodies = new Map<string, ReturnType<typeof canonicalBody>>();
  for (const key of [...verifier.bodyHashes.keys()]) {
    if (wanted.has(key)) verifier.bodyHashes.set(key, hasherFor(key, bodies).hasher);
    else verifier.bodyHashes.delete(key);
  }

  return {
    body: (octets) => {
      for (const body of bodies.values()) body.add(octets);
    },
    verdict: async () => {
      for (const body of bodies.values()) body.end();
      await verifier.finalChunk();
      const results = verifier.results.filter(({ signingDomain }) => signingDomain !== undefined).map(judged);
      const rows = [...results.map(({ row }) => row), ...passedOver];
      return {
        verified: domainsWith(results, "pass"),
        undecided: domainsWith(results, "temperror"),
        results: rows.length === 0 ? ["dkim=none"] : rows,
        arc: await arc(verifier.arc as Parameters<typeof arc>[0], { resolver: dns.ask }),
      };
    },
  };
};
