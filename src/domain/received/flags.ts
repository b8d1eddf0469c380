/** Flags of messages in mailboxes (RFC 9051 section 2.3.2): system flags and keywords, compared without regard to case. */

/** System flags that can be set; `\recent` belonged to sessions, and any other name with a backslash is reserved. */
const SYSTEM_FLAGS: ReadonlySet<string> = new Set(["\\answered", "\\deleted", "\\draft", "\\flagged", "\\seen"]);

/** Keywords that clients agree on; listed before those of the account's own making. */
const KNOWN_KEYWORDS: ReadonlySet<string> = new Set(["$forwarded", "$junk", "$mdnsent", "$notjunk", "$phishing"]);

/** flag-keyword of RFC 9051 section 9 in lower case: an atom, printable ASCII without `(){%*"\]`. */
const KEYWORD = /^[!#$&'+-@[^-z|}~]+$/u;

/** Characters of one flag, flags in one request, and flags of one message. */
export const MAX_FLAG_LENGTH = 100;
export const MAX_FLAGS = 100;

/** Seen: set on what the account itself wrote. */
export const SEEN = "\\seen";

/** Flags in lower case, each once; or what keeps them from being flags, as a sentence. */
export type FlagsResult = { readonly ok: true; readonly flags: readonly string[] } | { readonly ok: false; readonly detail: string };

const isFlag = (text: string): boolean => SYSTEM_FLAGS.has(text) || (text.length <= MAX_FLAG_LENGTH && KEYWORD.test(text));

/** Reads flags as somebody wrote them. */
export const parseFlags = (texts: readonly string[]): FlagsResult => {
  if (texts.length > MAX_FLAGS) return { ok: false, detail: `more than ${MAX_FLAGS} flags` };
  const flags = new Set<string>();
  for (const text of texts) {
    const flag = text.toLowerCase();
    if (!isFlag(flag)) return { ok: false, detail: `${JSON.stringify(text.slice(0, MAX_FLAG_LENGTH))} is not a flag` };
    flags.add(flag);
  }
  return { ok: true, flags: [...flags] };
};

const rankOf = (flag: string): number => (KNOWN_KEYWORDS.has(flag) ? 0 : SYSTEM_FLAGS.has(flag) ? 1 : 2);

/** In the order in which they are listed: known keywords, system flags, other keywords, each by name. */
export const inOrder = (flags: Iterable<string>): readonly string[] =>
  [...flags].sort((one, other) => rankOf(one) - rankOf(other) || (one < other ? -1 : 1));
