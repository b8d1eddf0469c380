/** Passwords of accounts, of the admin and of smarthosts: written out, or as a hash where the program only has to check them. */
import { z } from "zod";

import { isPasswordHash } from "./password.ts";

const MAX_PASSWORD = 1_024;

/** A password in the file. It may also stand in a file of its own, named by the same key with `File` at its end. */
export const password = z
  .string()
  .min(1, "must not be empty")
  .max(MAX_PASSWORD)
  .regex(/^[^\r\n\0]*$/u, "must be one line");

/** A hash made by `posthorn config hash-password`. */
export const passwordHash = z.string().refine(isPasswordHash, "is not a hash made by `posthorn config hash-password`");
