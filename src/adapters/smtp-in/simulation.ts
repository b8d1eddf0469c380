/**
 * Addresses that fail on purpose, so that an application can see in local mode how it takes each kind of failure. What
 * happens is written in the local part: at its end what, at its beginning where.
 */
import { parseAddress } from "../../domain/address.ts";

export type Simulated =
  | { readonly kind: "reply"; readonly code: number; readonly enhancedCode: string; readonly text: string }
  /** No answer for {@link SILENCE_MS}. */
  | { readonly kind: "silence" };

/** Where in a transaction. */
export type SimulationPoint = "mailFrom" | "rcptTo" | "data";

export const SILENCE_MS = 60 * 60 * 1_000;

/** Endings with a meaning of their own. A number from 400 to 599 is the third kind. */
const ENDINGS: readonly (readonly [ending: string, code: number])[] = [
  ["temperror", 451],
  ["permerror", 550],
];

const PREFIXES: Readonly<Record<SimulationPoint, string>> = { mailFrom: "mailfrom", rcptTo: "rcptto", data: "" };

const CODE_AT_END = /(?<!\d)[45]\d\d$/u;

/**
 * The class alone says enough: with an enhanced code of its own meaning, such as 5.1.1, every code would look like a
 * mailbox that does not exist.
 */
const replyWith = (code: number, ending: string): Simulated => ({
  kind: "reply",
  code,
  enhancedCode: `${code < 500 ? 4 : 5}.0.0`,
  text: `Failing on purpose: the address ends in ${ending}`,
});

const byEnding = (localPart: string): Simulated | undefined => {
  if (localPart.endsWith("timeout")) return { kind: "silence" };
  for (const [ending, code] of ENDINGS) if (localPart.endsWith(ending)) return replyWith(code, ending);
  const code = CODE_AT_END.exec(localPart)?.[0];
  return code === undefined ? undefined : replyWith(Number(code), code);
};

/**
 * What an address makes happen at a point of the transaction; undefined = nothing. It is the sender's address at MAIL
 * FROM, a recipient's else. A tag is not part of it when what stands before the tag has a meaning: a unique MAIL FROM
 * must not take it away.
 */
export const simulationOf = (address: string, point: SimulationPoint): Simulated | undefined => {
  // Quotes are no part of what it says.
  const localPart = (parseAddress(address)?.localPart ?? address.slice(0, address.lastIndexOf("@"))).toLowerCase();
  if (!localPart.startsWith(PREFIXES[point])) return undefined;
  const tag = localPart.indexOf("+");
  return byEnding(localPart) ?? (tag > 0 ? byEnding(localPart.slice(0, tag)) : undefined);
};
