/** Passwords of accounts, of the admin and of smarthosts: written out, or as a hash where the program only has to check them. */
import { z } from "zod";

const MAX_PASSWORD = 1_024;

/** Memory that checking one login may take: a mistyped hash must not ask for gigabytes at every login. */
const MAX_HASH_OCTETS = 256 * 1024 * 1024;
const MAX_PARALLEL = 16;

/** scrypt in PHC string format, as `posthorn config hash-password` prints it. */
const SCRYPT = /^\$scrypt\$ln=([1-9]\d?),r=([1-9]\d?),p=([1-9]\d?)\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}$/u;

const isHash = (text: string): boolean => {
  const [, logN, blockSize, parallel] = SCRYPT.exec(text) ?? [];
  return parallel !== undefined && Number(parallel) <= MAX_PARALLEL && 128 * Number(blockSize) * 2 ** Number(logN) <= MAX_HASH_OCTETS;
};

/** A password in the file. It may also stand in a file of its own, named by the same key with `File` at its end. */
export const password = z
  .string()
  .min(1, "must not be empty")
  .max(MAX_PASSWORD)
  .regex(/^[^\r\n\0]*$/u, "must be one line")
  .refine((text) => !text.startsWith("$scrypt$"), "looks like a hash: the key for hashes is the same with Hash at its end");

/** A hash made by `posthorn config hash-password`. */
export const passwordHash = z.string().refine(isHash, "is not a hash made by `posthorn config hash-password`");
