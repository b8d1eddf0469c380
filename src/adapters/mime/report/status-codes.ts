/** The SMTP code and enhanced code that a DSN tells of, wherever the reporting system has put them. */
import { plain, typed } from "./report-values.ts";

/** `text` is the diagnostic's, without its codes. See `RecipientReport`. */
export type StatusCodes = { readonly code: number; readonly enhancedCode: string; readonly text: string };

const ENHANCED = /[245]\.\d{1,3}\.\d{1,3}/u.source;

/** At the beginning: `550 5.1.1 ...`, `550-5.1.1 ...`, `#550 5.1.1 RESOLVER...`, `550 #5.1.1`, `<550>`. */
const LEADING = new RegExp(`^[\\s#<"'(]*([2-5]\\d\\d)(?![\\d.])(?:[\\s#:;>-]+(${ENHANCED})(?![\\d.]))?`, "u");
/** In a sentence: `host mx.there.example[192.0.2.7] said: 550 5.1.1 ...`. */
const SAID = new RegExp(
  `\\b(?:said|replied|response|reply|error|returned|smtp)[\\s:;"'#-]{1,10}([2-5]\\d\\d)(?![\\d.])(?:[\\s#:;-]+(${ENHANCED})(?![\\d.]))?`,
  "iu",
);
/** Both, anywhere: hardly anything else looks like that. */
const BOTH = new RegExp(`(?<![\\d.])([2-5]\\d\\d)[\\s#-]+(${ENHANCED})(?![\\d.])`, "u");
/** The enhanced code alone: `5.1.1 User unknown`, `#5.1.1`. */
const DETAIL = new RegExp(`^[\\s#<"'(]*(${ENHANCED})(?![\\d.])`, "u");
const STATUS = new RegExp(`^\\s*(?:\\d{3}[\\s-]+)?(${ENHANCED})(?![\\d.])`, "u");

/** Diagnostics whose numbers are those of SMTP; others, such as `X-Unix; 67`, have numbers of their own. */
const isSmtp = (type: string): boolean => type === "" || /smtp|lmtp|esmtp/u.test(type);

/** A code and an enhanced code that contradict each other are not of one reply. */
const agree = (code: number, enhancedCode: string): boolean => enhancedCode === "" || enhancedCode.startsWith(`${Math.floor(code / 100)}.`);

const inDiagnostic = (type: string, text: string): { readonly code: number; readonly enhancedCode: string } => {
  const found = isSmtp(type) ? (LEADING.exec(text) ?? SAID.exec(text) ?? BOTH.exec(text)) : BOTH.exec(text);
  const [, code = "0", enhancedCode = ""] = found ?? [];
  if (found !== null) return { code: Number(code), enhancedCode: agree(Number(code), enhancedCode) ? enhancedCode : "" };
  return { code: 0, enhancedCode: isSmtp(type) ? (DETAIL.exec(text)?.[1] ?? "") : "" };
};

/** The words of a reply of several lines, each of which began with its codes (RFC 5321 section 4.2.1). */
const wordsOf = (text: string, code: number, enhancedCode: string): string => {
  if (code === 0) return plain(text);
  const detail = enhancedCode === "" ? "" : `[ -]+#?${enhancedCode.replaceAll(".", "\\.")}(?![\\d.])[ >]*|`;
  const lines = new RegExp(`(^|\\s)[#<]*${code}(?:${detail}-)`, "gu");
  const alone = new RegExp(`^[\\s#<]*${code}(?![\\d.-])`, "u");
  return plain(text.replace(lines, "$1").replace(alone, ""));
};

const fromClass = (enhancedCode: string): number => {
  if (enhancedCode.startsWith("5")) return 500;
  return enhancedCode.startsWith("4") ? 400 : 0;
};

/** Reads them off the Diagnostic-Code, else off the Status: of 4.x.x is made 400, of 5.x.x 500. Values are bounded. */
export const statusCodes = (diagnosticCode: string, statusField: string): StatusCodes => {
  const [type, text] = typed(diagnosticCode);
  const status = STATUS.exec(statusField.slice(0, 100))?.[1] ?? "";
  const said = inDiagnostic(type, text);
  if (said.code === 0) {
    const enhancedCode = said.enhancedCode === "" ? status : said.enhancedCode;
    return { code: fromClass(enhancedCode), enhancedCode, text: plain(text) };
  }
  const enhancedCode = said.enhancedCode === "" && agree(said.code, status) ? status : said.enhancedCode;
  return { code: said.code, enhancedCode, text: wordsOf(text, said.code, said.enhancedCode) };
};
