/** A reply that refuses, as a value, and those that every kind of listener gives for the same reason. */

/** `enhancedCode` has its class, such as `5.2.2`. */
export type Refusal = { readonly code: number; readonly enhancedCode: string; readonly text: string };

/** As the library takes it from a handler. */
export const refused = ({ code, enhancedCode, text }: Refusal): Error =>
  Object.assign(new Error(`${enhancedCode} ${text}`), { responseCode: code });

/** RFC 5321 section 2.3.8: readers differ in what they take a CR or LF for that has not the other beside it. */
export const BARE_LINE_END: Refusal = { code: 554, enhancedCode: "5.6.0", text: "The message has a CR or LF that stands alone" };

/** For mail that stays here. */
export const HEADER_TOO_LARGE: Refusal = { code: 554, enhancedCode: "5.6.0", text: "The header is too large" };
