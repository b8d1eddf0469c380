/** Mail with DKIM signatures of our own signer, and the DNS records that verify them. */
import { generateKeyPairSync } from "node:crypto";
import { sealMessage } from "mailauth/lib/arc/index.js";

import { dkimKey, dkimSigner } from "../../src/adapters/mime/dkim.ts";
import type { Zone } from "./local-dns.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const key = dkimKey(pem);
const record = `v=DKIM1; k=rsa; p=${publicKey.export({ type: "spki", format: "der" }).toString("base64")}`;

/** Signed at this instant by the selector `sel` of a domain. */
export const signedBy = async (domain: string, message: string, at = Date.UTC(2026, 5, 1, 11)): Promise<string> => {
  const sign = dkimSigner(() => [{ selector: "sel", key }], { now: () => at });
  return Buffer.concat(await sign([Buffer.from(message)], domain)).toString();
};

/** The key of a domain's selector. */
export const keyOf = (domain: string): Zone => ({ [`sel._domainkey.${domain}`]: [{ type: "TXT", text: record }] });

/** A TXT record. */
export const textAt = (name: string, text: string): Zone => ({ [name]: [{ type: "TXT", text }] });

/** Sealed (RFC 8617) by the same selector: the first of its chain. */
export const sealedBy = async (signingDomain: string, message: string): Promise<string> => {
  const results = { signingDomain, selector: "sel", privateKey: pem, authResults: `${signingDomain}; spf=pass`, cv: "none" as const };
  return `${String(await sealMessage(Buffer.from(message), results))}${message}`;
};
