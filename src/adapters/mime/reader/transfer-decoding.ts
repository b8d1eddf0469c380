/** Undoing transfer encodings (RFC 2045 section 6) piece by piece. Broken input gives what can be made of it, never an error. */
import libqp from "libqp";
import type { PartDescription } from "./part-description.ts";

/** Takes encoded pieces in order and gives decoded ones, some later than others. */
export type Decoder = { readonly write: (octets: Buffer) => Buffer; readonly end: () => Buffer };

const NOTHING = Buffer.alloc(0);

const NOT_BASE64 = /[^A-Za-z0-9+/=]+/gu;

/** What follows a padding begins anew: so encoded texts that were put one after the other all come out. */
const base64 = (): Decoder => {
  let rest = "";
  const decoded = (text: string): Buffer => {
    if (!text.includes("=")) return Buffer.from(text, "base64");
    return Buffer.concat(text.split(/=+/u).map((run) => Buffer.from(run, "base64")));
  };
  return {
    write: (octets) => {
      const text = rest + octets.toString("latin1").replace(NOT_BASE64, "");
      // Groups of four are counted from the last padding.
      const lastPadding = text.lastIndexOf("=");
      const whole = text.length - ((text.length - lastPadding - 1) % 4);
      rest = text.slice(whole);
      return decoded(text.slice(0, whole));
    },
    end: () => decoded(rest),
  };
};

/** Lines are decoded whole; a longer one in runs that end outside of an escape. */
const MAX_LINE = 64 * 1_024;

const LF = 10;
const EQUALS = 61;

/** Where a piece may be cut for decoding: after its last line, or if that never ends, before what may be half an escape. */
const cutOf = (octets: Buffer): number => {
  const afterLine = octets.lastIndexOf(LF) + 1;
  if (afterLine > 0 || octets.length < MAX_LINE) return afterLine;
  const escape = octets.lastIndexOf(EQUALS);
  return escape >= octets.length - 2 ? escape : octets.length;
};

/** A line's end and the blanks before it belong together, so a run without a line end keeps its blanks. */
const decodeRun = (octets: Buffer): Buffer => {
  if (octets.at(-1) === LF) return libqp.decode(octets);
  return libqp.decode(Buffer.concat([octets, Buffer.from("=\n")]));
};

const quotedPrintable = (): Decoder => {
  let rest = NOTHING;
  return {
    write: (octets) => {
      const pending = rest.length === 0 ? octets : Buffer.concat([rest, octets]);
      const cut = cutOf(pending);
      rest = Buffer.from(pending.subarray(cut));
      return cut === 0 ? NOTHING : decodeRun(pending.subarray(0, cut));
    },
    end: () => libqp.decode(rest),
  };
};

const identity: Decoder = { write: (octets) => octets, end: () => NOTHING };

const COMMENT = /\([^()]{0,200}\)/gu;

/** The decoder for a Content-Transfer-Encoding; one that is not known leaves everything as it is. */
const transferDecoder = (encoding: string | undefined): Decoder => {
  switch ((encoding ?? "").slice(0, 1_000).replace(COMMENT, "").trim().toLowerCase()) {
    case "base64":
      return base64();
    case "quoted-printable":
      return quotedPrintable();
    default:
      return identity;
  }
};

const CRLF = Buffer.from("\r\n");
const CR = 13;

/** Gives every line of a text a CRLF, as mail has it; other octets stay. */
const withCrlf = (): Decoder => {
  let previous = 0;
  return {
    write: (octets) => {
      const runs: Buffer[] = [];
      let from = 0;
      for (let at = octets.indexOf(LF); at >= 0; at = octets.indexOf(LF, at + 1)) {
        if ((at === 0 ? previous : octets[at - 1]) === CR) continue;
        runs.push(octets.subarray(from, at), CRLF);
        from = at + 1;
      }
      previous = octets.at(-1) ?? previous;
      return runs.length === 0 ? octets : Buffer.concat([...runs, octets.subarray(from)]);
    },
    end: () => NOTHING,
  };
};

/** One after the other. */
const inTurn = (first: Decoder, second: Decoder): Decoder => ({
  write: (octets) => second.write(first.write(octets)),
  end: () => Buffer.concat([second.write(first.end()), second.end()]),
});

/** In these an octet that looks like a line end may be half of something else. */
const WIDE_CHARSET = /^(?:utf|ucs|iso-10646-ucs)[-_]?(?:16|32|2|4)/iu;

/** What a part is decoded by: its transfer encoding is undone, and text gets CRLF line ends. */
export const partDecoder = ({ contentType, contentTypeParams }: PartDescription, encoding: string | undefined): Decoder => {
  const transfer = transferDecoder(encoding);
  const isLines = contentType.startsWith("text/") && !WIDE_CHARSET.test(contentTypeParams["charset"]?.trim() ?? "");
  return isLines ? inTurn(transfer, withCrlf()) : transfer;
};
