/** What can be said about a message by its header alone: whether it is refused, who its authors are, what it is about. */
import { asciiDomain, parseAddress } from "../../../domain/address.ts";
import { type HeaderField, MAX_HEADER_OCTETS, splitHeader } from "./header-fields.ts";
import type { MailHeader } from "../../mime/reader/mail-reading.ts";
import type { Refusal } from "../refusal.ts";

export type JudgedHeader =
  | {
      readonly kind: "fine";
      readonly fields: readonly HeaderField[];
      readonly header: MailHeader;
      /** A-label domains of the authors, each once. */
      readonly authors: readonly string[];
      /** Without parameters, lower case; empty when missing. */
      readonly contentType: string;
    }
  | { readonly kind: "refused"; readonly result: "malformed" | "loop"; readonly refusal: Refusal };

/** RFC 5321 section 6.3 suggests this limit for Received fields. */
const MAX_HOPS = 100;
const MAX_FROM_OCTETS = 4_096;
/** Each costs look-ups. */
const MAX_AUTHOR_DOMAINS = 5;

const malformed = (text: string): JudgedHeader => ({
  kind: "refused",
  result: "malformed",
  refusal: { code: 554, enhancedCode: "5.6.0", text },
});

const LOOP: JudgedHeader = {
  kind: "refused",
  result: "loop",
  refusal: { code: 554, enhancedCode: "5.4.6", text: "The message goes round in circles: too many Received fields" },
};

const SPACE = 32;
const TAB = 9;

const domainOf = (address: string): string | undefined => {
  const domain = parseAddress(address)?.domain ?? asciiDomain(address.slice(address.lastIndexOf("@") + 1));
  return domain?.startsWith("[") === true || !address.includes("@") ? undefined : domain;
};

const contentTypeOf = (header: MailHeader): string => (header.first("content-type") ?? "").split(/[;\s]/u, 1)[0]?.toLowerCase() ?? "";

/** The header with its last line end, without the empty line. `readHeader` is the reader that everybody else uses, too. */
export const judgeHeader = (octets: Buffer, readHeader: (octets: Uint8Array) => MailHeader): JudgedHeader => {
  if (octets.length > MAX_HEADER_OCTETS) return malformed("The header is too large");
  // It would go on with the last of the fields that are put in front.
  if (octets[0] === SPACE || octets[0] === TAB) return malformed("The header begins with a folded line");
  const split = splitHeader(octets);
  if (split.kind === "tooMany") return malformed("The header has too many fields or lines");
  const { fields } = split;
  const froms = fields.filter(({ name }) => name === "from");
  if (froms.length > 1) return malformed("The message has more than one From field");
  if (froms.some((from) => from.octets.length > MAX_FROM_OCTETS)) return malformed("The From field is too long");
  if (fields.filter(({ name }) => name === "received").length > MAX_HOPS) return LOOP;
  const header = readHeader(octets);
  const authors = [...new Set(header.from.flatMap(({ address }) => domainOf(address) ?? []))];
  if (authors.length > MAX_AUTHOR_DOMAINS) return malformed("The From field names too many authors");
  return { kind: "fine", fields, header, authors, contentType: contentTypeOf(header) };
};
