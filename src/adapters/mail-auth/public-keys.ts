/** Keys of signatures, as the DNS has them. Reading one costs more than verifying with it, so those that were read are kept. */
import { createPublicKey, type KeyObject } from "node:crypto";
import { getPublicKey } from "mailauth/lib/tools.js";

import type { AskDns } from "./asked.ts";

/** RFC 8301 section 3.2. */
const MIN_RSA_BITS = 1_024;
const KEPT = 2_000;
const kept = new Map<string, KeyObject>();

/** Asks for a signature's key. Rejects as mailauth does: with the DNS's codes, or those of keys that are none. */
export const publicKeyAt = async (type: string, name: string, ask: AskDns): Promise<KeyObject> => {
  const records = await ask(name, "TXT");
  const record = `${type} ${[records[0] ?? ""].flat().join("")}`;
  const known = kept.get(record);
  if (known !== undefined) return known;
  const { publicKey } = await getPublicKey(type, name, MIN_RSA_BITS, () => Promise.resolve(records));
  const key = createPublicKey(publicKey);
  if (kept.size >= KEPT) kept.clear();
  kept.set(record, key);
  return key;
};
