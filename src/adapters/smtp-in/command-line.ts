/**
 * Takes MAIL and RCPT commands apart (RFC 5321 sections 4.1.1.2, 4.1.1.3 and 4.1.2): a path, and parameters behind it. For
 * every kind of listener, because the library's reader ends an address at the first blank and refuses a second "@", which
 * quoted local parts may have.
 */
import { isUtf8 } from "node:buffer";

import type { Refusal } from "./refusal.ts";

/** `path` without its angle brackets and source route; `parameters` by their upper-case keyword, null without a value. */
export type PathCommand = { readonly path: string; readonly parameters: ReadonlyMap<string, string | null> };

/** `what` is "MAIL FROM" or "RCPT TO". */
export type PathKeyword = "MAIL FROM" | "RCPT TO";

/** More have no meaning. */
const MAX_PARAMETERS = 20;

export const badParameter = (text: string): Refusal => ({ code: 501, enhancedCode: "5.5.4", text });
const badSyntax = (text: string): Refusal => ({ code: 501, enhancedCode: "5.5.2", text });

/** Blanks around the colon are nobody's syntax, but some clients'. */
const KEYWORDS: Readonly<Record<PathKeyword, RegExp>> = {
  "MAIL FROM": /^MAIL FROM[ \t]*:[ \t]*</i,
  "RCPT TO": /^RCPT TO[ \t]*:[ \t]*</i,
};

/** RFC 5321 section 4.1.1.3: relays of old, to be taken and left aside. */
const SOURCE_ROUTE = /^@[^\s,:@]+(?:,@[^\s,:@]+)*:/;

/** RFC 5321 section 4.1.2, esmtp-param; values may hold UTF-8 (RFC 6531 section 3.3). */
const PARAMETER = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([^\u0000-\u0020\u007f]+))?$/u;

/** Where the path that begins at `start` ends: at the first ">" outside a quoted string; -1 without one. */
const endOfPath = (line: string, start: number): number => {
  let quoted = false;
  for (let at = start; at < line.length; at += 1) {
    const character = line[at];
    if (character === "\\" && quoted) at += 1;
    else if (character === '"') quoted = !quoted;
    else if (character === ">" && !quoted) return at;
    else if (character === "<" && !quoted) return -1;
  }
  return -1;
};

const readParameters = (text: string): ReadonlyMap<string, string | null> | Refusal => {
  const parameters = new Map<string, string | null>();
  // RFC 5321 section 4.1.1 asks to tolerate white space at the end.
  for (const word of text.split(/[ \t]+/)) {
    if (word === "") continue;
    const [, keyword = "", value = null] = PARAMETER.exec(word) ?? [];
    const upper = keyword.toUpperCase();
    if (upper === "") return badParameter("A parameter is not KEYWORD or KEYWORD=value");
    if (parameters.has(upper)) return badParameter(`${upper} is given twice`);
    if (parameters.size === MAX_PARAMETERS) return badParameter("Too many parameters");
    parameters.set(upper, value);
  }
  return parameters;
};

/** Reads a command line, without its CRLF. */
export const pathCommand = (command: Buffer, keyword: PathKeyword): PathCommand | Refusal => {
  if (!isUtf8(command)) return badSyntax("The command is not UTF-8");
  const line = command.toString("utf8");
  const opening = KEYWORDS[keyword].exec(line)?.[0];
  if (opening === undefined) return badSyntax(`Syntax: ${keyword}:<address> [parameters]`);
  const end = endOfPath(line, opening.length);
  const rest = line.slice(end + 1);
  if (end < 0 || !/^(?:[ \t]|$)/.test(rest)) return badSyntax(`Syntax: ${keyword}:<address> [parameters]`);
  const parameters = readParameters(rest);
  return "code" in parameters ? parameters : { path: line.slice(opening.length, end).replace(SOURCE_ROUTE, ""), parameters };
};
