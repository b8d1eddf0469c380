/**
 * Adds DKIM signatures (RFC 6376, RFC 8463) to composed messages. Written here because the libraries at hand parse the
 * key again for every message, sign on the main thread and leave headers open to additions; what they verify is tested.
 */
import { createHash, createPrivateKey, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { promisify } from "node:util";
import type { Clock } from "../../domain/clock.ts";

export type DkimSelector = {
  /** Name under `_domainkey` of the domain, where the public key is published. */
  readonly selector: string;
  readonly key: DkimKey;
  /** Header fields to sign, instead of {@link SIGNED_HEADERS}. */
  readonly headers?: readonly string[];
};

/** A private key made ready once, by {@link dkimKey}. */
export type DkimKey = { readonly algorithm: "rsa-sha256" | "ed25519-sha256"; readonly object: KeyObject };

/**
 * Fields that are signed, present or not. Each is named once more than it occurs, so that none can be added or doubled on
 * the way without breaking the signature (RFC 6376 section 8.15).
 */
export const SIGNED_HEADERS: readonly string[] = [
  ...["From", "To", "Cc", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "References"],
  ...["MIME-Version", "Content-Type", "Content-Transfer-Encoding", "List-Unsubscribe", "List-Unsubscribe-Post"],
];

const MIN_RSA_BITS = 1024;

/**
 * Reads a private key in PEM, RSA (at least 1024 bits, RFC 8301 section 3.2) or Ed25519. Throws an error that says what
 * is wrong with it, and never quotes it.
 */
export const dkimKey = (pem: string): DkimKey => {
  let object: KeyObject;
  try {
    object = createPrivateKey(pem);
  } catch (cause) {
    throw new Error("DKIM key is not an unencrypted private key in PEM", { cause });
  }
  if (object.asymmetricKeyType === "ed25519") return { algorithm: "ed25519-sha256", object };
  if (object.asymmetricKeyType !== "rsa") throw new Error("DKIM key is neither RSA nor Ed25519");
  if ((object.asymmetricKeyDetails?.modulusLength ?? 0) < MIN_RSA_BITS) throw new Error(`DKIM key has less than ${MIN_RSA_BITS} bits`);
  return { algorithm: "rsa-sha256", object };
};

/** Puts one signature for each selector of the domain in front of a message; without selectors, gives it back as it is. */
export type DkimSigner = (content: Uint8Array, domain: string) => Promise<Uint8Array>;

type Field = { readonly name: string; readonly canonical: string };

const signAsync = promisify(sign);

/** Relaxed canonicalization of a field (RFC 6376 section 3.4.2), as a latin1 string of its octets. */
const relaxedField = (field: string): Field => {
  const colon = field.indexOf(":");
  const name = field.slice(0, colon).trim().toLowerCase();
  const value = field
    .slice(colon + 1)
    .replace(/\r\n/g, "")
    .replace(/[ \t]+/g, " ")
    .replace(/^ | $/g, "");
  return { name, canonical: `${name}:${value}` };
};

const parseFields = (header: string): readonly Field[] => header.split(/\r\n(?![ \t])/).map(relaxedField);

/** Relaxed canonicalization of a body (RFC 6376 section 3.4.4), hashed. */
const bodyHash = (body: Buffer): string => {
  const text = body.toString("latin1");
  const relaxed = /\t| {2}| \r\n| $/.test(text) ? text.replace(/[ \t]+/g, " ").replaceAll(" \r\n", "\r\n") : text;
  let end = relaxed.endsWith(" ") ? relaxed.length - 1 : relaxed.length;
  while (relaxed.endsWith("\r\n", end)) end -= 2;
  const hash = createHash("sha256").update(relaxed.slice(0, end), "latin1");
  return (end === 0 ? hash : hash.update("\r\n")).digest("base64");
};

/** Names for `h=` and the fields they stand for, the last of a name first (RFC 6376 section 5.4.2). */
const signedFields = (fields: readonly Field[], names: readonly string[]): { readonly names: readonly string[]; readonly text: string } => {
  const listed: string[] = [];
  let text = "";
  for (const name of names) {
    const lower = name.toLowerCase();
    for (const field of fields.filter((candidate) => candidate.name === lower).reverse()) {
      listed.push(name);
      text += `${field.canonical}\r\n`;
    }
    listed.push(name);
  }
  return { names: listed, text };
};

const foldNames = (names: readonly string[]): string => {
  let folded = "";
  let width = 3;
  for (const [index, name] of names.entries()) {
    const item = index === names.length - 1 ? name : `${name}:`;
    if (width + item.length > 76) {
      folded += "\r\n ";
      width = 1;
    }
    folded += item;
    width += item.length;
  }
  return folded;
};

const signatureField = async (
  fields: readonly Field[],
  hash: string,
  domain: string,
  { selector, key, headers = SIGNED_HEADERS }: DkimSelector,
  signedAtSeconds: number,
): Promise<string> => {
  const { names, text } = signedFields(fields, headers);
  const unsigned =
    `DKIM-Signature: v=1; a=${key.algorithm}; c=relaxed/relaxed;\r\n d=${domain};\r\n s=${selector}; t=${signedAtSeconds};\r\n` +
    ` h=${foldNames(names)};\r\n bh=${hash};\r\n b=`;
  const data = Buffer.from(text + relaxedField(unsigned).canonical, "latin1");
  const signature =
    key.algorithm === "rsa-sha256"
      ? await signAsync("sha256", data, key.object)
      : await signAsync(null, createHash("sha256").update(data).digest(), key.object);
  return `${unsigned}${signature.toString("base64").replace(/.{72}(?=.)/g, "$&\r\n ")}\r\n`;
};

/** Builds a {@link DkimSigner}. `selectorsOf` is asked for each message; `domain` is lower-case, in A-labels. */
export const dkimSigner =
  (selectorsOf: (domain: string) => readonly DkimSelector[], clock: Pick<Clock, "now">): DkimSigner =>
  async (content, domain) => {
    const selectors = selectorsOf(domain);
    if (selectors.length === 0) return content;
    const message = Buffer.from(content.buffer, content.byteOffset, content.length);
    const headerEnd = message.indexOf("\r\n\r\n");
    if (headerEnd === -1) throw new Error("message without a body cannot be signed");
    const fields = parseFields(message.toString("latin1", 0, headerEnd));
    const hash = bodyHash(message.subarray(headerEnd + 4));
    const signedAtSeconds = Math.floor(clock.now() / 1000);
    const signatures = await Promise.all(selectors.map((selector) => signatureField(fields, hash, domain, selector, signedAtSeconds)));
    return Buffer.concat([Buffer.from(signatures.join(""), "latin1"), message]);
  };
