/**
 * Adds DKIM signatures (RFC 6376, RFC 8463) to composed messages. Written here because the libraries at hand parse the
 * key again for every message, sign on the main thread and leave headers open to additions; what they verify is tested.
 */
import { createHash, createPrivateKey, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { promisify } from "node:util";
import type { Clock } from "../../domain/clock.ts";
import type { Content } from "../../domain/event-log.ts";
import { hashBody } from "./dkim-body.ts";

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
export type DkimSigner = (content: Content, domain: string) => Promise<Content>;

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

const HEADER_END = Buffer.from("\r\n\r\n");

const bufferOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, byteLength);

/** The header without its last line end, and the body. A header that lies in several pieces is joined, the body never. */
const split = (content: Content): { readonly header: string; readonly body: readonly Buffer[] } => {
  const pieces = content.map(bufferOf);
  for (let count = 1; count <= pieces.length; count += 1) {
    const first = count === 1 ? pieces[0] : Buffer.concat(pieces.slice(0, count));
    const end = first?.indexOf(HEADER_END) ?? -1;
    if (first === undefined || end === -1) continue;
    return { header: first.toString("latin1", 0, end), body: [first.subarray(end + HEADER_END.length), ...pieces.slice(count)] };
  }
  throw new Error("message without a body cannot be signed");
};

/** Builds a {@link DkimSigner}. `selectorsOf` is asked for each message; `domain` is lower-case, in A-labels. */
export const dkimSigner =
  (selectorsOf: (domain: string) => readonly DkimSelector[], clock: Pick<Clock, "now">): DkimSigner =>
  async (content, domain) => {
    const selectors = selectorsOf(domain);
    if (selectors.length === 0) return content;
    const { header, body } = split(content);
    const fields = parseFields(header);
    const hash = await hashBody(body);
    const signedAtSeconds = Math.floor(clock.now() / 1000);
    const signatures = await Promise.all(selectors.map((selector) => signatureField(fields, hash, domain, selector, signedAtSeconds)));
    return [Buffer.from(signatures.join(""), "latin1"), ...content];
  };
