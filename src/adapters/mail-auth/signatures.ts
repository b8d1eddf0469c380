/**
 * DKIM signatures and the newest ARC seal of a message while it comes in. mailauth reads the signatures, canonicalises the
 * header, fetches the keys and verifies; which signatures are worth looking at is decided here, because every one of them
 * costs a look-up and a pass over the body, and because a signature that leaves out what people read proves nothing.
 */
import { arc } from "mailauth/lib/arc/index.js";
import { DkimVerifier, type SignatureHeader } from "mailauth/lib/dkim/dkim-verifier.js";
import { formatAuthHeaderRow } from "mailauth/lib/tools.js";

import type { Instant } from "../../domain/clock.ts";
import type { AskedDns } from "./asked.ts";
import { canonicalBody, type Canonicalization, type CanonicalBody } from "./body-hash.ts";
import { type SignatureOutcome, type SignedBody, verifySignature } from "./verify-signature.ts";

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
  /** `none`, `pass` or `fail`: of the chain of ARC seals. */
  readonly arc: string;
};

export type Signatures = {
  /** The next octets of the body. */
  readonly body: (octets: Uint8Array) => void;
  readonly verdict: () => Promise<SignatureVerdict>;
};

type Judged = { readonly signature: SignatureHeader; readonly outcome: SignatureOutcome };

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

const rowOf = ({ signature: { signingDomain, selector }, outcome }: Judged): string =>
  formatAuthHeaderRow("dkim", { ...outcome, header: { d: signingDomain.slice(0, MAX_SHOWN), s: selector.slice(0, MAX_SHOWN) } });

/** A body in the form that a signature asks for, whose hash is known in the end. */
type AwaitedBody = () => SignedBody;

/** Signatures that ask for the same share their pass over the body, and those that ask for the same hash that as well. */
const awaitedBodies = () => {
  const forms = new Map<string, CanonicalBody>();
  const hashes = new Map<string, AwaitedBody>();
  const awaited = ({ bodyCanon, maxBodyLength }: SignatureHeader): AwaitedBody => {
    const name = `${bodyCanon} ${maxBodyLength}`;
    const known = hashes.get(name);
    if (known !== undefined) return known;
    const form = forms.get(bodyCanon) ?? canonicalBody(bodyCanon as Canonicalization);
    forms.set(bodyCanon, form);
    const limit = maxBodyLength === "" ? Infinity : Number(maxBodyLength);
    const hash = form.hash("sha256", limit);
    let digest: string | undefined;
    const body: AwaitedBody = () => {
      digest ??= hash.digest("base64");
      // A limit beyond the body is not one that the signer can have meant (RFC 6376 section 3.5): nothing equals it.
      const isImpossible = limit !== Infinity && limit > hash.total();
      return { hash: isImpossible ? "" : digest, isPartial: hash.total() > limit };
    };
    hashes.set(name, body);
    return body;
  };
  return { awaited, forms };
};

const domainsWith = (all: readonly Judged[], wanted: string): readonly string[] => [
  ...new Set(all.flatMap(({ signature, outcome }) => (outcome.result === wanted ? [signature.signingDomain.toLowerCase()] : []))),
];

type Choice = { readonly chosen: readonly SignatureHeader[]; readonly passedOver: readonly Judged[] };

/** Which of them are looked at. Those of ARC come after those of DKIM; there are two at most. */
const choose = (signatures: readonly SignatureHeader[]): Choice => {
  const chosen: SignatureHeader[] = [];
  const passedOver: Judged[] = [];
  for (const signature of signatures) {
    if (signature.skip === true || signature.type === "AS") continue;
    const isOneTooMany = signature.type === "DKIM" && chosen.length >= MAX_SIGNATURES;
    const flaw = isOneTooMany ? "too many signatures" : flawOf(signature);
    if (flaw === undefined) chosen.push(signature);
    else if (passedOver.length < MAX_SIGNATURES) passedOver.push({ signature, outcome: { result: "policy", comment: flaw } });
  }
  return { chosen, passedOver };
};

/** Starts to check. The header must be bounded: mailauth holds every name that is signed against every field. */
export const checkSignatures = async (fields: readonly SignedField[], now: Instant, dns: AskedDns): Promise<Signatures> => {
  const verifier = new DkimVerifier({ sender: "none@invalid", curTime: new Date(now) });
  const parsed = fields.map(({ name, octets }) => ({ key: name, casedKey: name, line: octets }));
  await verifier.messageHeaders({ parsed, original: Buffer.alloc(0) });
  const { chosen, passedOver } = choose(verifier.signatureHeaders);
  const { awaited, forms } = awaitedBodies();
  const pending = chosen.map((signature) => ({ signature, body: awaited(signature) }));
  for (const { selector, signingDomain } of chosen) dns.prepare(`${selector}._domainkey.${signingDomain}`, "TXT");

  return {
    body: (octets) => {
      for (const form of forms.values()) form.add(octets);
    },
    verdict: async () => {
      for (const form of forms.values()) form.end();
      const all = await Promise.all(
        pending.map(async ({ signature, body }) => ({
          signature,
          outcome: await verifySignature(signature, parsed, body(), { ask: dns.ask, now }),
        })),
      );
      const [ofArc] = all.filter(({ signature }) => signature.type === "ARC");
      const { lastEntry } = verifier.arc;
      if (ofArc !== undefined && lastEntry !== undefined) lastEntry.messageSignature = { status: { result: ofArc.outcome.result } };
      const judged = all.filter(({ signature }) => signature.type === "DKIM");
      const rows = [...judged, ...passedOver].map(rowOf);
      return {
        verified: domainsWith(judged, "pass"),
        undecided: domainsWith(judged, "temperror"),
        results: rows.length === 0 ? ["dkim=none"] : rows,
        arc: await arcResult(verifier, dns),
      };
    },
  };
};

const arcResult = async ({ arc: data }: DkimVerifier, dns: AskedDns): Promise<string> => {
  try {
    return (await arc(data as Parameters<typeof arc>[0], { resolver: dns.ask })).status.result;
  } catch {
    // mailauth trips over some broken chains.
    return "fail";
  }
};
