/** Text of a header made fit for people: encoded words decoded (RFC 2047), no controls, bounded. */
import libmime from "libmime";

/** Longest text that is kept of one value: a line of RFC 5322 section 2.1.1. */
const MAX_CHARACTERS = 998;
/** Encoded words take several octets for a character. */
const MAX_ENCODED = MAX_CHARACTERS * 4;

const CONTROLS = /[\u0000-\u001f\u007f-\u009f]+/gu;

/** One line without controls, at most 998 characters, well formed. */
export const oneLine = (text: string): string =>
  text.slice(0, MAX_ENCODED).replace(CONTROLS, " ").trim().slice(0, MAX_CHARACTERS).toWellFormed();

/** The same of a value that may hold encoded words. */
export const decodedLine = (value: string): string => {
  const short = value.slice(0, MAX_ENCODED);
  return oneLine(short.includes("=?") ? libmime.decodeWords(short) : short);
};
