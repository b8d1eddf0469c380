/** Header fields `X-Mox-Extra-<Key>: value`: what an application wants to be told again in webhooks. */
import type { Refusal } from "../refusal.ts";

const PREFIX = "x-mox-extra-";

const MAX_KEYS = 1_000;
const MAX_CHARACTERS = 65_536;

export type Extra = Readonly<Record<string, string>>;

const refuse = (text: string): Refusal => ({ code: 554, enhancedCode: "5.6.0", text });

/** Whether a field of this lower-case name is one of them, and leaves with nobody. */
export const isExtraField = (name: string): boolean => name.startsWith(PREFIX);

/**
 * The key in a field's name. Names of fields know no case, keys do, so they are written in one way: each word between
 * hyphens with a capital letter, as `Order-Id` (the canonical form of MIME header keys in Go, which webapi clients know).
 */
const keyOf = (name: string): string =>
  name.slice(PREFIX.length).replace(/[^-]+/g, (word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase());

/** What the fields say, by key; names in lower case, values unfolded. */
export const extraOf = (fields: readonly (readonly [name: string, value: string])[]): Extra | Refusal => {
  const extra = new Map<string, string>();
  let characters = 0;
  for (const [name, value] of fields) {
    const key = keyOf(name);
    if (key === "") return refuse("A field X-Mox-Extra- has no key");
    if (extra.has(key)) return refuse(`The field X-Mox-Extra-${key.slice(0, 100)} is there twice`);
    characters += key.length + value.length;
    if (extra.size === MAX_KEYS || characters > MAX_CHARACTERS) {
      return refuse(`X-Mox-Extra- fields have more than ${MAX_KEYS} keys or ${MAX_CHARACTERS} characters`);
    }
    extra.set(key, value);
  }
  return Object.fromEntries(extra);
};
