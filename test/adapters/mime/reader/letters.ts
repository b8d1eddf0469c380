/** Messages for the tests of the reader. */
import type { PartStructure } from "../../../../src/adapters/mime/reader/mail-reading.ts";

/** Lines as they stand in a message: with CRLF. */
export const lines = (...all: readonly string[]): Buffer => Buffer.from(all.map((line) => `${line}\r\n`).join(""), "latin1");

/** The same octets in pieces of `size`. */
export const inPieces = (octets: Buffer, size: number): readonly Buffer[] =>
  Array.from({ length: Math.ceil(octets.length / size) }, (_, at) => octets.subarray(at * size, (at + 1) * size));

/** A multipart with a boundary and parts that are whole: header, empty line, body. */
export const multipart = (subtype: string, boundary: string, ...parts: readonly Buffer[]): Buffer =>
  Buffer.concat([
    lines(`Content-Type: multipart/${subtype}; boundary="${boundary}"`, ""),
    ...parts.map((part) => Buffer.concat([lines(`--${boundary}`), part, Buffer.from("\r\n")])),
    lines(`--${boundary}--`),
  ]);

/** A part without a line end after its last line: the one before a delimiter belongs to that. */
export const part = (header: readonly string[], body: string): Buffer => Buffer.concat([lines(...header, ""), Buffer.from(body, "latin1")]);

/** Types of a structure as a tree. */
export type TypeTree = string | readonly [string, ...TypeTree[]];

export const typesOf = ({ contentType, parts }: PartStructure): TypeTree =>
  parts.length === 0 ? contentType : [contentType, ...parts.map(typesOf)];

/** How deep the parts go. */
export const depthOf = (structure: PartStructure): number => {
  let depth = 0;
  for (let at = structure.parts[0]; at !== undefined; at = at.parts[0]) depth += 1;
  return depth;
};
