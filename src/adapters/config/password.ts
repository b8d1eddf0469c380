/**
 * Hashes of passwords, so that a configuration file need not hold the passwords themselves, and a check that is slow
 * for who guesses and fast for who knows: an application logs in with every request.
 */
import { createHmac, randomBytes, scrypt, timingSafeEqual } from "node:crypto";

/** scrypt cost: 2^15 × 8 × 128 octets = 32 MiB and about 80 ms for one guess. */
const LOG_N = 15;
const BLOCK_SIZE = 8;
const PARALLEL = 1;
const SALT_OCTETS = 16;
const KEY_OCTETS = 32;

const HASH = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/u;

type Parts = { readonly logN: number; readonly r: number; readonly p: number; readonly salt: Buffer; readonly key: Buffer };

const parse = (hash: string): Parts | undefined => {
  const [, ln, r, p, salt, key] = HASH.exec(hash) ?? [];
  if (salt === undefined || key === undefined) return undefined;
  const parts = { logN: Number(ln), r: Number(r), p: Number(p), salt: Buffer.from(salt, "base64"), key: Buffer.from(key, "base64") };
  // Bounds keep a mistyped hash from asking for gigabytes at every login.
  return parts.logN >= 10 && parts.logN <= 20 && parts.r >= 1 && parts.r <= 32 && parts.p >= 1 && parts.p <= 16 ? parts : undefined;
};

const derive = (password: string, { logN, r, p, salt, key }: Parts): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const options = { N: 2 ** logN, r, p, maxmem: 256 * 2 ** logN * r };
    scrypt(password.normalize("NFC"), salt, key.length, options, (error, derived) => {
      if (error === null) resolve(derived);
      else reject(error);
    });
  });

const unpadded = (bytes: Buffer): string => bytes.toString("base64").replace(/=+$/u, "");

/** Whether a text is a hash of {@link hashPassword}. */
export const isPasswordHash = (text: string): boolean => parse(text) !== undefined;

/** Hash of a password with a fresh salt, as `$scrypt$ln=15,r=8,p=1$<salt>$<key>`. */
export const hashPassword = async (password: string): Promise<string> => {
  const salt = randomBytes(SALT_OCTETS);
  const key = await derive(password, { logN: LOG_N, r: BLOCK_SIZE, p: PARALLEL, salt, key: Buffer.alloc(KEY_OCTETS) });
  return `$scrypt$ln=${LOG_N},r=${BLOCK_SIZE},p=${PARALLEL}$${unpadded(salt)}$${unpadded(key)}`;
};

/** What a password is compared with: the password itself or its hash; neither = nobody can log in. */
export type StoredPassword = { readonly password?: string | undefined; readonly passwordHash?: string | undefined };

/**
 * A check of one stored password. Compares in constant time; a right answer to a hash is remembered as a keyed digest
 * in memory, so that only the first login of a client pays for scrypt.
 */
export const passwordCheck = (stored: StoredPassword): ((attempt: string) => Promise<boolean>) => {
  const secret = randomBytes(KEY_OCTETS);
  const digest = (text: string): Buffer => createHmac("sha256", secret).update(text.normalize("NFC")).digest();
  let known = stored.password === undefined ? undefined : digest(stored.password);
  const hash = stored.passwordHash === undefined ? undefined : parse(stored.passwordHash);
  return async (attempt) => {
    const attempted = digest(attempt);
    if (known !== undefined && timingSafeEqual(known, attempted)) return true;
    if (hash === undefined || attempt.length > 1_024) return false;
    const right = timingSafeEqual(await derive(attempt, hash), hash.key);
    if (right) known = attempted;
    return right;
  };
};
