/** The encoding of values in SMTP parameters (RFC 3461 section 4), which some systems leave in their reports as well. */

/** The text that xtext stands for; what is no xtext stays as it is. */
export const decodedXtext = (text: string): string =>
  text.replace(/\+([2-7][0-9A-F])/gu, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)));
