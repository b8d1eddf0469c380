/** The hash of a message's body as DKIM has it, over pieces: relaxed canonicalization (RFC 6376 section 3.4.4). */
import { createHash } from "node:crypto";
import { setImmediate as turnOfTheLoop } from "node:timers/promises";

/** Octets that are worked on at a time: other work waits no longer. */
const STEP = 256 * 1_024;

/** Line ends written at a time. */
const SOME_LINES = 4_096;

type BodyHash = {
  /** Octets as a latin1 string. */
  readonly add: (text: string) => void;
  /** In base64. */
  readonly digest: () => string;
};

/** What may yet be dropped is not hashed but counted: empty lines at the end, white space at the end of a line. */
const bodyHash = (): BodyHash => {
  const hash = createHash("sha256");
  let lineEnds = 0;
  let space = "";
  let cr = "";
  let isEmpty = true;

  const write = (text: string): void => {
    isEmpty = false;
    for (; lineEnds > 0; lineEnds -= Math.min(lineEnds, SOME_LINES)) hash.update("\r\n".repeat(Math.min(lineEnds, SOME_LINES)));
    hash.update(text, "latin1");
  };

  const take = (text: string): void => {
    const relaxed = /\t| {2}| \r\n| $/.test(text) ? text.replace(/[ \t]+/g, " ").replaceAll(" \r\n", "\r\n") : text;
    space = relaxed.endsWith(" ") ? " " : "";
    const last = relaxed.length - space.length;
    let end = last;
    while (relaxed.endsWith("\r\n", end)) end -= 2;
    if (end > 0) write(relaxed.slice(0, end));
    lineEnds += (last - end) / 2;
  };

  return {
    add: (text) => {
      const all = space + cr + text;
      cr = all.endsWith("\r") ? "\r" : "";
      take(cr === "" ? all : all.slice(0, -1));
    },
    digest: () => {
      if (cr !== "") write(space + cr);
      return (isEmpty ? hash : hash.update("\r\n")).digest("base64");
    },
  };
};

/** Hashes a body, in base64. Lets the event loop turn now and then where it is long. */
export const hashBody = async (body: readonly Buffer[]): Promise<string> => {
  const hash = bodyHash();
  let worked = 0;
  for (const piece of body) {
    for (let at = 0; at < piece.length; at += STEP) {
      if (worked >= STEP) {
        await turnOfTheLoop();
        worked = 0;
      }
      const end = Math.min(piece.length, at + STEP);
      hash.add(piece.toString("latin1", at, end));
      worked += end - at;
    }
  }
  return hash.digest();
};
