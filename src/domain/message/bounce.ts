/** Classing a refusal: the first rule of the table that agrees with it gives its class. */
import { BOUNCE_RULES, type BounceRule, type CodePattern } from "./bounce-rules.ts";
import type { BounceClass } from "./bounce-class.ts";

/** The class of one refusal, and the id of the rule that gave it. */
export type Bounce = { readonly class: BounceClass; readonly rule: string };

/** Characters of a reply that are looked at: what matters stands at its beginning. */
const MAX_TEXT = 2_000;

const ADDRESS = /[^<>()"',;:@]{0,100}@[^<>()"',;:@]{0,260}/gu;

/** Lower case, single spaces, and nothing of addresses: a user may be called "spam", a host "quota". */
const normalized = (text: string): string =>
  text
    .slice(0, MAX_TEXT)
    .toLowerCase()
    .split(/[\s\u0000-\u001f]/u)
    .filter((word) => word !== "")
    .map((word) => (word.includes("@") ? word.replace(ADDRESS, "address") : word))
    .join(" ");

const agrees = (pattern: CodePattern, code: number): boolean => {
  switch (pattern) {
    case "none":
      return code === 0;
    case "4xx":
      return code >= 400 && code < 500;
    case "5xx":
      return code >= 500 && code < 600;
    default:
      return code === pattern;
  }
};

const matches = ({ codes, enhanced, text }: BounceRule, code: number, detail: string, said: string): boolean =>
  (codes === undefined || codes.some((pattern) => agrees(pattern, code))) &&
  (enhanced === undefined || enhanced.test(detail)) &&
  (text === undefined || text.test(said));

/** Whether a reply says that something went wrong: by its code, else by its enhanced code, else by saying anything at all. */
const isFailure = (code: number, enhancedCode: string, text: string): boolean => {
  if (code !== 0) return code >= 400;
  return enhancedCode === "" ? text !== "" : !enhancedCode.startsWith("2.");
};

/**
 * The class of a refusal; null when nothing failed. Total: any numbers and texts will do.
 *
 * @param code - of the SMTP reply; 0 when none was read.
 * @param enhancedCode - with its class, such as `5.1.1`; empty without.
 * @param text - of the reply, or what went wrong on the way.
 */
export const classify = (code: number, enhancedCode: string, text: string): Bounce | null => {
  if (!isFailure(code, enhancedCode, text)) return null;
  const detail = enhancedCode.slice(enhancedCode.indexOf(".") + 1);
  const said = normalized(text);
  const rule = BOUNCE_RULES.find((each) => matches(each, code, detail, said));
  return { class: rule?.class ?? "unknown", rule: rule?.id ?? "other" };
};
