/**
 * Reads parameters of MAIL and RCPT by a table: one for each command and kind of listener. What is not in the table is
 * refused with 555, as RFC 5321 section 4.1.1.11 asks, so that nobody believes that he was promised something. Here are the
 * reading, the parameters that every listener knows, and the tables of those that take mail from other servers.
 */
import { badParameter, type PathCommand } from "./command-line.ts";
import type { Refusal } from "./refusal.ts";

/** What every listener is asked for with MAIL FROM, each as if it were missing until it is read. */
export type CommonWishes = {
  /** SIZE (RFC 1870), octets; 0 = not said. */
  size: number;
  /** SMTPUTF8 (RFC 6531). */
  smtpUtf8: boolean;
};

export type CommonTerms = {
  /** Octets. */
  readonly maxMessageSize: number;
};

/** Puts a value where it belongs, or says what is wrong with it. `value` is null without one. */
export type ParameterReader<Wishes, Terms> = (wishes: Wishes, value: string | null, terms: Terms) => Refusal | undefined;

/** By upper-case keyword. */
export type ParameterTable<Wishes, Terms> = Readonly<Record<string, ParameterReader<Wishes, Terms>>>;

export const takesNone = (keyword: string): Refusal => badParameter(`${keyword} takes no value`);

const size: ParameterReader<CommonWishes, CommonTerms> = (wishes, value, { maxMessageSize }) => {
  if (value === null || !/^\d{1,20}$/.test(value)) return badParameter("SIZE is a number of octets");
  wishes.size = Number(value);
  if (wishes.size <= maxMessageSize) return undefined;
  return { code: 552, enhancedCode: "5.3.4", text: `Messages may have ${maxMessageSize} octets` };
};

/** What comes is taken with 8-bit octets or without: nothing is kept of it. */
const body: ParameterReader<CommonWishes, CommonTerms> = (_wishes, value) =>
  value !== null && /^(?:7BIT|8BITMIME)$/i.test(value) ? undefined : badParameter("BODY is 7BIT or 8BITMIME");

/** For tables of MAIL FROM. */
export const COMMON_PARAMETERS: ParameterTable<CommonWishes, CommonTerms> = {
  SIZE: size,
  BODY: body,
  SMTPUTF8: (wishes, value) => {
    wishes.smtpUtf8 = true;
    return value === null ? undefined : takesNone("SMTPUTF8");
  },
};

/** Goes through a command's parameters; the same `wishes` filled, or what is wrong with them. */
export const readParameters = <Wishes, Terms>(
  { parameters }: PathCommand,
  table: ParameterTable<Wishes, Terms>,
  wishes: Wishes,
  terms: Terms,
): Wishes | Refusal => {
  for (const [keyword, value] of parameters) {
    const reader = Object.hasOwn(table, keyword) ? table[keyword] : undefined;
    if (reader === undefined) return { code: 555, enhancedCode: "5.5.4", text: `${keyword.slice(0, 40)} is no parameter here` };
    const refusal = reader(wishes, value, terms);
    if (refusal !== undefined) return refusal;
  }
  return wishes;
};

/** What other servers ask for: EHLO offers them SIZE, 8BITMIME and SMTPUTF8, and nothing that has parameters of RCPT. */
export const arrivalWishes = (command: PathCommand, terms: CommonTerms): CommonWishes | Refusal =>
  readParameters(command, COMMON_PARAMETERS, { size: 0, smtpUtf8: false }, terms);

/** Why a RCPT of another server is refused for its parameters; undefined when it has none. */
export const arrivalRecipientRefusal = (command: PathCommand): Refusal | undefined => {
  const read = readParameters(command, {}, {}, undefined);
  return "code" in read ? read : undefined;
};
