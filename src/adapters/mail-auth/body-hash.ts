/**
 * Hashes of a body as DKIM wants it (RFC 6376 section 3.4), made while the body comes in. mailauth has its own, which
 * keeps an object for every line that it must change and joins what has no line end again and again: a hostile message of
 * 25 MB could take a gigabyte or minutes with it. Here memory and time do not depend on what the octets are.
 */
import { createHash, type Hash } from "node:crypto";

export type Canonicalization = "simple" | "relaxed";

/** One hash over the canonical body, or over its first `limit` octets (the l= tag). */
export type BodyHash = {
  /** Octets of the canonical body that were hashed, and all there are. */
  readonly hashed: () => number;
  readonly total: () => number;
  /** Ends it; to be called once, after `end` of its body. */
  readonly digest: (encoding: "base64") => string;
};

/** A body in one canonical form, with all hashes over it. */
export type CanonicalBody = {
  readonly hash: (algorithm: "sha256", limit: number) => BodyHash;
  /** The next octets. Lines must end in CR LF; where they do not, the hash is of no use but nothing breaks. */
  readonly add: (octets: Uint8Array) => void;
  readonly end: () => void;
};

const CR = 13;
const LF = 10;
const SPACE = 32;
const TAB = 9;
const EMPTY_LINES = Buffer.alloc(8_192, "\r\n");
/** Octets canonicalised at a time. */
const STEP = 65_536;

type Sink = { readonly hash: Hash; readonly limit: number; hashed: number; total: number };

const writeTo = (sink: Sink, octets: Uint8Array): void => {
  sink.total += octets.length;
  const room = sink.limit - sink.hashed;
  if (room <= 0) return;
  const part = room >= octets.length ? octets : octets.subarray(0, room);
  sink.hash.update(part);
  sink.hashed += part.length;
};

/** Where a canonical form stands between two steps. Line ends are held back until something follows them: counted, not kept. */
type State = { lineEnds: number; afterSpace: boolean; isEmpty: boolean };

/**
 * Puts the canonical form of octets into `out`, and answers how many that makes. Both forms leave out the empty lines at
 * the end; the relaxed one makes one space of a run of blanks, and nothing of those before a line end (section 3.4.4).
 */
const canonicalise = (octets: Uint8Array, state: State, form: Canonicalization, out: Uint8Array): number => {
  const isRelaxed = form === "relaxed";
  let end = 0;
  for (const octet of octets) {
    if (octet === CR) continue;
    if (octet === LF) {
      state.lineEnds += 1;
      state.afterSpace = false;
      continue;
    }
    if (isRelaxed && (octet === SPACE || octet === TAB)) {
      state.afterSpace = true;
      continue;
    }
    for (; state.lineEnds > 0; state.lineEnds -= 1) {
      out[end++] = CR;
      out[end++] = LF;
    }
    if (state.afterSpace) out[end++] = SPACE;
    out[end++] = octet;
    state.afterSpace = false;
    state.isEmpty = false;
  }
  return end;
};

/** Whether octets hold something that is written at once. */
const holdsText = (octets: Uint8Array, form: Canonicalization): boolean =>
  octets.some((octet) => octet !== CR && octet !== LF && (form === "simple" || (octet !== SPACE && octet !== TAB)));

/** For all bodies, because it is used only between two lines of {@link canonicalBody}. Nothing grows by more than a CR for each LF. */
const out = Buffer.allocUnsafe(STEP * 2 + 8);

export const canonicalBody = (form: Canonicalization): CanonicalBody => {
  const sinks: Sink[] = [];
  const state: State = { lineEnds: 0, afterSpace: false, isEmpty: true };

  const write = (octets: Uint8Array): void => {
    for (const sink of sinks) writeTo(sink, octets);
  };
  const writeLineEnds = (): void => {
    while (state.lineEnds > 0) {
      const count = Math.min(state.lineEnds, EMPTY_LINES.length / 2);
      write(EMPTY_LINES.subarray(0, count * 2));
      state.lineEnds -= count;
    }
  };
  const step = (octets: Uint8Array): void => {
    // What earlier steps held back may be more than there is room for.
    if (state.lineEnds > 0 && holdsText(octets, form)) writeLineEnds();
    const end = canonicalise(octets, state, form, out);
    if (end > 0) write(out.subarray(0, end));
  };

  return {
    hash: (algorithm, limit) => {
      const sink: Sink = { hash: createHash(algorithm), limit, hashed: 0, total: 0 };
      sinks.push(sink);
      return { hashed: () => sink.hashed, total: () => sink.total, digest: (encoding) => sink.hash.digest(encoding) };
    },
    add: (octets) => {
      for (let at = 0; at < octets.length; at += STEP) step(octets.subarray(at, at + STEP));
    },
    end: () => {
      state.lineEnds = !state.isEmpty || form === "simple" ? 1 : 0;
      writeLineEnds();
    },
  };
};
