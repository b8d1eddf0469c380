/** Reads what a remote server answered (RFC 5321 section 4.2, RFC 2034), with the bounds that an event's text needs. */

export type Reply = {
  /** 200 to 599; 0 when what came was no SMTP reply. */
  readonly code: number;
  /** Such as `5.1.1` (RFC 3463); empty when none was given. */
  readonly enhancedCode: string;
  /** The lines joined by a space, without the codes; control characters blanked; at most {@link MAX_TEXT} characters. */
  readonly text: string;
};

/** Longest text of a reply or reason, in UTF-16 units. */
export const MAX_TEXT = 500;

const LINE = /^([2-5]\d\d)(?:[ -]|$)(?:([245]\.\d{1,3}\.\d{1,3})(?:[ \t]+|$))?/u;
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/gu;

/** Text from outside, made fit for an event, a log line and a web page: one line, bounded, no lone surrogates. */
export const cleanText = (text: string): string =>
  text
    .slice(0, MAX_TEXT * 4)
    .replace(CONTROLS, " ")
    .trim()
    .slice(0, MAX_TEXT)
    .toWellFormed();

/** Parses a whole reply, its lines separated by line feeds. */
export const parseReply = (raw: string): Reply => {
  let code = 0;
  let enhancedCode = "";
  const texts: string[] = [];
  // A hostile server may answer with a thousand lines.
  for (const line of raw.slice(0, MAX_TEXT * 16).split("\n")) {
    const match = LINE.exec(line);
    if (match === null) {
      texts.push(line);
      continue;
    }
    if (code === 0) code = Number(match[1]);
    if (enhancedCode === "") enhancedCode = match[2] ?? "";
    texts.push(line.slice(match[0].length));
  }
  return { code, enhancedCode, text: cleanText(texts.join(" ")) };
};
