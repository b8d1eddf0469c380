/** Finds what only this server may say about a message, and somebody else has said already. */
import { fieldText, type HeaderField } from "./header-fields.ts";

const MAX_READ = 2_000;

/** Text behind comments and blanks (RFC 5322 section 3.2.2); empty when a comment does not end. */
const behindComments = (text: string): string => {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === "\\" && depth > 0) at += 1;
    else if (character === "(") depth += 1;
    else if (character === ")" && depth > 0) depth -= 1;
    else if (depth === 0 && character.trim() !== "") return text.slice(at);
  }
  return "";
};

const firstWord = (text: string): string => {
  const [, inQuotes, plain] = /^(?:"((?:[^"\\]|\\.)*)"|([^\s;()"]+))/su.exec(text) ?? [];
  return plain ?? inQuotes?.replace(/\\(.)/gsu, "$1") ?? "";
};

/**
 * Whether a field is one that must go before this server's own is added: Authentication-Results in its name (RFC 8601
 * section 5), or a Return-Path (RFC 5321 section 4.4).
 */
export const isNotTheirs = (field: HeaderField, hostName: string): boolean => {
  if (field.name === "return-path") return true;
  if (field.name !== "authentication-results") return false;
  return firstWord(behindComments(fieldText(field, MAX_READ))).toLowerCase() === hostName.toLowerCase();
};
