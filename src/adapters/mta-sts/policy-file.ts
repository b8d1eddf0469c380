/**
 * Keeps MTA-STS policies over a restart, so that whoever can suppress a policy for a moment does not only have to wait for
 * one (RFC 8461 section 10.2). Losing the file loses no mail: policies are fetched again.
 */
import { readFileSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import * as z from "zod";

import type { KeptPolicy } from "./policies.ts";

export type PolicyFile = {
  readonly known: readonly KeptPolicy[];
  /** Soon writes what is kept then. */
  readonly changed: (kept: () => readonly KeptPolicy[]) => void;
  /** Writes what has not been written. */
  readonly close: () => Promise<void>;
};

const WRITE_AFTER_MS = 2_000;

const fileSchema = z.array(
  z.object({
    domain: z.string().max(253),
    policy: z.object({
      id: z.string().max(32),
      mode: z.enum(["enforce", "testing", "none"]),
      mx: z.array(z.string()),
      maxAgeMs: z.int().min(0),
    }),
    fetchedAt: z.int(),
  }),
);

const read = (path: string, onError: (error: unknown) => void): readonly KeptPolicy[] => {
  try {
    return fileSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") onError(error);
    return [];
  }
};

/** `onError` hears of a file that cannot be read or written; policies are then in memory only. */
export const policyFile = (path: string, onError: (error: unknown) => void): PolicyFile => {
  let current: (() => readonly KeptPolicy[]) | undefined;
  let timer: NodeJS.Timeout | undefined;
  let writing = Promise.resolve();

  const write = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const kept = current;
    current = undefined;
    if (kept === undefined) return;
    const text = JSON.stringify(kept());
    // One after the other, and never half a file under its name.
    writing = writing.then(() => writeFile(`${path}.new`, text).then(() => rename(`${path}.new`, path))).catch(onError);
  };

  return {
    known: read(path, onError),
    changed: (kept) => {
      current = kept;
      timer ??= setTimeout(write, WRITE_AFTER_MS).unref();
    },
    close: async () => {
      write();
      await writing;
    },
  };
};
