/**
 * Password hashes as text: scrypt (RFC 7914) in PHC string format, `$scrypt$ln=15,r=8,p=3$<salt>$<hash>` with base64
 * without padding. The parameters travel with the hash, so that they can be raised later.
 */
import { createHmac, randomBytes, scrypt, timingSafeEqual } from "node:crypto";

export type ScryptCost = {
  /** log2 of N. */
  readonly ln: number;
  readonly r: number;
  readonly p: number;
};

/** 32 MiB and about a quarter of a second: one of the equal choices in OWASP's Password Storage Cheat Sheet. */
export const DEFAULT_COST: ScryptCost = { ln: 15, r: 8, p: 3 };

/** No stored hash may ask for more memory than this, nor for more rounds. */
const MAX_OCTETS = 256 * 1024 * 1024;
const MAX_P = 16;
const HASH_OCTETS = 32;

const PHC = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

const octetsOf = ({ ln, r }: ScryptCost): number => 128 * r * 2 ** ln;

const derive = (password: string, salt: Uint8Array, octets: number, cost: ScryptCost): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const options = { N: 2 ** cost.ln, r: cost.r, p: cost.p, maxmem: octetsOf(cost) * 2 };
    scrypt(normalPassword(password), salt, octets, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });

/** A stored hash, read. */
export type PasswordHash = { readonly cost: ScryptCost; readonly salt: Uint8Array; readonly hash: Uint8Array };

/** Reads a stored hash; undefined when the text is none, or asks for more than this server is willing to spend. */
export const parsePasswordHash = (text: string): PasswordHash | undefined => {
  const [, ln, r, p, salt, hash] = PHC.exec(text) ?? [];
  if (ln === undefined || salt === undefined || hash === undefined) return undefined;
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  const affordable = cost.ln >= 1 && cost.r >= 1 && cost.p >= 1 && cost.p <= MAX_P && octetsOf(cost) <= MAX_OCTETS;
  return affordable ? { cost, salt: Buffer.from(salt, "base64"), hash: Buffer.from(hash, "base64") } : undefined;
};

/** Whether a configured password is meant as a hash rather than as the password itself. */
export const looksHashed = (stored: string): boolean => stored.startsWith("$scrypt$");

/**
 * The form in which passwords are compared: NFC with every Unicode space as an ASCII one, as RFC 8265 section 4.2
 * (OpaqueString) asks, since keyboards differ in what they send for the same password.
 */
export const normalPassword = (password: string): string => password.replace(/\p{Zs}/gu, " ").normalize("NFC");

const base64 = (octets: Uint8Array): string => Buffer.from(octets).toString("base64").replaceAll("=", "");

/** Hashes a password for storage, with a salt of its own. */
export const hashPassword = async (password: string, cost: ScryptCost = DEFAULT_COST): Promise<string> => {
  const salt = randomBytes(16);
  const hash = await derive(password, salt, HASH_OCTETS, cost);
  return `$scrypt$ln=${cost.ln},r=${cost.r},p=${cost.p}$${base64(salt)}$${base64(hash)}`;
};

/** Whether a password is the one that was hashed. Takes as long for a wrong one. */
export const matchesHash = async (password: string, { cost, salt, hash }: PasswordHash): Promise<boolean> =>
  timingSafeEqual(await derive(password, salt, hash.length, cost), hash);

const comparisonKey = randomBytes(32);
const fingerprint = (text: string): Buffer => createHmac("sha256", comparisonKey).update(text).digest();

/** Whether two passwords are the same, in time that does not depend on where they differ. */
export const samePassword = (given: string, expected: string): boolean =>
  timingSafeEqual(fingerprint(normalPassword(given)), fingerprint(normalPassword(expected)));
