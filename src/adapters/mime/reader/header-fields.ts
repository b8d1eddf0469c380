/** A header as fields: unfolded, found by name, and otherwise as written. */
import type { MailHeader } from "./mail-reading.ts";

export type Fields = Pick<MailHeader, "has" | "first" | "all">;

/** Raw 8-bit text is UTF-8 (RFC 6532); what is not is shown as Latin-1, so that nothing of it is lost. */
const textOf = (latin1: string): string => {
  if (!/[\u0080-\u00ff]/u.test(latin1)) return latin1;
  const text = Buffer.from(latin1, "latin1").toString("utf8");
  return text.includes("\ufffd") ? latin1 : text;
};

/** Lines up to the empty one that ends the header, each field's in a list of its own (RFC 5322 section 2.2.3). */
const fieldLines = (octets: Uint8Array): readonly string[][] => {
  const fields: string[][] = [];
  for (const line of Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString("latin1").split(/\r?\n/u)) {
    if (line === "") break;
    const isFolded = line.startsWith(" ") || line.startsWith("\t");
    const last = fields.at(-1);
    if (isFolded && last !== undefined) last.push(line);
    else fields.push([line]);
  }
  return fields;
};

/** Reads a header up to its end or that of the octets. Lines that are no fields are passed over. */
export const headerFields = (octets: Uint8Array): Fields => {
  const values = new Map<string, string[]>();
  for (const lines of fieldLines(octets)) {
    const field = lines.join("");
    const colon = field.indexOf(":");
    if (colon <= 0) continue;
    const name = field.slice(0, colon).trim().toLowerCase();
    const value = textOf(field.slice(colon + 1).trim());
    const known = values.get(name);
    if (known === undefined) values.set(name, [value]);
    else known.push(value);
  }
  const all = (name: string): readonly string[] => values.get(name.toLowerCase()) ?? [];
  return { has: (name) => values.has(name.toLowerCase()), first: (name) => all(name)[0], all };
};
