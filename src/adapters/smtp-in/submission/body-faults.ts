/**
 * What a submitted message must not hold, because it is passed on: next hops do with it what they like. One that leaves NULs
 * out can be made to see the end of a message where this server saw none, and one that breaks long lines breaks the
 * signatures that this server made. So the author is told, who can encode his text.
 */
import type { Refusal } from "../refusal.ts";

const LF = 10;

/** Octets of a line without its CRLF (RFC 5322 section 2.1.1, RFC 5321 section 4.5.3.1.6). */
const MAX_LINE = 998;
/** With them. */
const WHOLE_LINE = MAX_LINE + 2;

/** RFC 5322 sections 2.2 and 4: a message has no NUL. */
export const NUL_IN_BODY: Refusal = { code: 554, enhancedCode: "5.6.0", text: "The message has a NUL: encode it (RFC 2045)" };

export const LONG_LINE: Refusal = {
  code: 554,
  enhancedCode: "5.6.0",
  text: `The message has a line of more than ${MAX_LINE} octets (RFC 5322): break it, or encode it (RFC 2045)`,
};

/** Watches for lines that are too long, in text that comes in pieces. */
export const lineWatch = () => {
  let isTooLong = false;
  /** Octets of the line that has not ended. */
  let open = 0;

  /** Once a thousand octets, not once a line: as long as a line end stands in each stretch of that length, all is well. */
  const look = (octets: Uint8Array): void => {
    let start = -open;
    while (octets.length - start >= WHOLE_LINE) {
      const lineEnd = octets.lastIndexOf(LF, start + WHOLE_LINE - 1);
      if (lineEnd < Math.max(start, 0)) {
        isTooLong = true;
        return;
      }
      start = lineEnd + 1;
    }
    const last = octets.lastIndexOf(LF);
    open = octets.length - (last < Math.max(start, 0) ? start : last + 1);
  };

  return {
    /** Looks at the next piece. */
    look: (octets: Uint8Array): void => {
      if (!isTooLong) look(octets);
    },
    /** Whether there was one, up to here. */
    isTooLong: (): boolean => isTooLong,
  };
};

/** Whether a text, all of it, has a line that is too long. */
export const hasLongLine = (text: Uint8Array): boolean => {
  const watch = lineWatch();
  watch.look(text);
  return watch.isTooLong();
};

/** Watches a body that comes in pieces. */
export const bodyFaults = () => {
  const lines = lineWatch();
  let hasNul = false;
  return {
    look: (octets: Buffer): void => {
      hasNul ||= octets.includes(0);
      lines.look(octets);
    },
    /** What is wrong with the body, up to here. */
    refusal: (): Refusal | undefined => (hasNul ? NUL_IN_BODY : lines.isTooLong() ? LONG_LINE : undefined),
  };
};
