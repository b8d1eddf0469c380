/** One signature of a message: what its key says about header and body. The arithmetic is done beside the main thread. */
import { createHash, verify as verifyWith } from "node:crypto";
import { promisify } from "node:util";

import type { HeaderRow, SignatureHeader } from "mailauth/lib/dkim/dkim-verifier.js";
import { generateCanonicalizedHeader } from "mailauth/lib/dkim/header/index.js";
import { getSigningHeaderLines } from "mailauth/lib/tools.js";

import type { Instant } from "../../domain/clock.ts";
import type { AskDns } from "./asked.ts";
import { publicKeyAt } from "./public-keys.ts";

/** As Authentication-Results names it (RFC 8601 section 2.7.1), and why; empty when there is nothing to say. */
export type SignatureOutcome = {
  readonly result: "pass" | "fail" | "neutral" | "policy" | "permerror" | "temperror";
  readonly comment: string;
};

/** The body of the message in the form that the signature asks for. */
export type SignedBody = {
  /** Base64. */
  readonly hash: string;
  /** Whether something follows the part that is signed. */
  readonly isPartial: boolean;
};

const verifies = promisify(verifyWith);

const outcome = (result: SignatureOutcome["result"], comment = ""): SignatureOutcome => ({ result, comment });

const KEY_TROUBLE: Readonly<Record<string, SignatureOutcome>> = {
  ENOTFOUND: outcome("permerror", "no key"),
  ENODATA: outcome("permerror", "no key"),
  EINVALIDVER: outcome("permerror", "unknown key version"),
  EINVALIDTYPE: outcome("permerror", "unknown key type"),
  EINVALIDVAL: outcome("permerror", "invalid key"),
  ESHORTKEY: outcome("policy", "weak key"),
};

const keyTrouble = (error: unknown): SignatureOutcome => {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return KEY_TROUBLE[code] ?? outcome("temperror", "the DNS does not answer");
};

const textOf = ({ parsed }: SignatureHeader, tag: string): string => String(parsed?.[tag]?.value ?? "");

/** What was signed of the header. */
const signedHeader = (signature: SignatureHeader, rows: readonly HeaderRow[]): Buffer => {
  const { type, original, canonicalization, parsed } = signature;
  const lines = getSigningHeaderLines(rows, textOf(signature, "h"), true);
  const instance = type === "DKIM" ? false : parsed?.["i"]?.value;
  return generateCanonicalizedHeader(type, lines, { signatureHeaderLine: original, canonicalization, instance }).canonicalizedHeader;
};

/** Never rejects. */
export const verifySignature = async (
  signature: SignatureHeader,
  rows: readonly HeaderRow[],
  body: SignedBody,
  { ask, now }: { readonly ask: AskDns; readonly now: Instant },
): Promise<SignatureOutcome> => {
  const { type, signAlgo, selector, signingDomain, expiration } = signature;
  if (textOf(signature, "bh") !== body.hash) return outcome("fail", "body hash did not verify");
  if (expiration !== null && expiration.getTime() < now) return outcome("policy", "expired");
  try {
    const key = await publicKeyAt(type, `${selector}._domainkey.${signingDomain}`, ask);
    if (key.asymmetricKeyType !== signAlgo) return outcome("permerror", "the key is of another kind");
    const header = signedHeader(signature, rows);
    // RFC 8463 section 3: Ed25519 signs the hash.
    const signed = signAlgo === "rsa" ? header : createHash("sha256").update(header).digest();
    const holds = await verifies(signAlgo === "rsa" ? "sha256" : null, signed, key, Buffer.from(textOf(signature, "b"), "base64"));
    if (!holds) return outcome("fail", "bad signature");
    // Anything can be put behind the signed part (RFC 6376 section 8.2).
    return body.isPartial ? outcome("policy", "a part of the body is not signed") : outcome("pass");
  } catch (error) {
    return keyTrouble(error);
  }
};
