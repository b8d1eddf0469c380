/** The machine-readable part of a DSN: the fields of RFC 3464 section 2, in UTF-8 where RFC 6533 section 3 needs it. */
import type { SenderNotice } from "../../domain/message/sender-notice.ts";
import { headerDate, headerField } from "./header-text.ts";

const NON_ASCII = /[^\u0000-\u007f]/u;

/** Whether an address of the report cannot be written in ASCII. */
export const isInternationalNotice = ({ message: { mailFrom, recipient, originalRecipient } }: SenderNotice): boolean =>
  [mailFrom, recipient, originalRecipient].some((address) => NON_ASCII.test(address));

const MAX_VALUE = 900;
const MAX_WORD = 200;

/** One line of text from elsewhere: without controls, bounded, in words that can be folded, and in ASCII unless it may be more. */
const clean = (text: string, isInternational: boolean): string => {
  const line = text.slice(0, MAX_VALUE).replace(/[\p{Cc}\p{Cs}\u2028\u2029]/gu, " ");
  const written = isInternational ? line : line.replace(/[^\x20-\x7e]/gu, "?");
  return written
    .split(" ")
    .filter((word) => word !== "")
    .map((word) => word.slice(0, MAX_WORD))
    .join(" ");
};

const typed = (address: string): string => `${NON_ASCII.test(address) ? "utf-8" : "rfc822"}; ${address}`;

/** As the submitter gave it: its own type and the address behind it (RFC 3461 section 4.2). */
const original = (given: string): string => {
  const [, type = "rfc822", address = given] = /^([A-Za-z0-9-]{1,40}) ?; ?(.*)$/su.exec(given) ?? [];
  return `${type}; ${address}`;
};

const UNTOLD = { failed: "5.0.0", delayed: "4.0.0", relayed: "2.0.0" } as const;

/** RFC 3463 status: as the server gave it, else as much as its code says. */
export const statusOf = ({ action, reply }: SenderNotice): string => {
  if (reply === null) return UNTOLD[action];
  if (/^[245]\.\d{1,3}\.\d{1,3}$/u.test(reply.enhancedCode)) return reply.enhancedCode;
  const digit = Math.floor(reply.code / 100);
  return digit === 2 || digit === 4 || digit === 5 ? `${digit}.0.0` : UNTOLD[action];
};

/** What the server said, as it said it, or what happened in words of ours under a type of ours (RFC 3464 section 2.3.6). */
const diagnostic = ({ reply, reason }: SenderNotice): string => {
  if (reply === null) return `x-posthorn; ${reason}`;
  const { code, enhancedCode, error } = reply;
  if (code === 0) return error === "" ? "" : `x-posthorn; ${error}`;
  const codes = [`${code}`, enhancedCode].filter((part) => part !== "");
  // The text may start with the codes itself.
  const text = codes.reduce((rest, part) => (rest.startsWith(part) ? rest.slice(part.length).trimStart() : rest), error);
  return `smtp; ${[...codes, text].filter((part) => part !== "").join(" ")}`;
};

/** A host by its name, else by its address as a literal. */
const remote = ({ reply }: SenderNotice): string => {
  if (reply === null || reply.remoteAddress === "") return "";
  if (reply.remoteHost !== "" && reply.remoteHost !== reply.remoteAddress) return `dns; ${reply.remoteHost}`;
  return `dns; [${reply.remoteAddress.includes(":") ? "IPv6:" : ""}${reply.remoteAddress}]`;
};

const dateOf = (at: number | null): string => (at === null ? "" : headerDate(at, 0));

type Fields = readonly (readonly [name: string, value: string])[];

const lines = (fields: Fields, isInternational: boolean): string =>
  fields
    .map(([name, value]) => [name, clean(value, isInternational)] as const)
    .filter(([, value]) => value !== "")
    .map(([name, value]) => headerField(name, value) ?? "")
    .join("");

/** Both blocks of fields, each line with its CRLF, with the empty line between them. */
export const deliveryStatus = (notice: SenderNotice, hostName: string): string => {
  const isInternational = isInternationalNotice(notice);
  const { message, action, arrivedAt, lastAttemptAt, retryUntil } = notice;
  const ofMessage: Fields = [
    ["Original-Envelope-Id", message.envelopeId],
    ["Reporting-MTA", `dns; ${hostName}`],
    ["Arrival-Date", dateOf(arrivedAt)],
  ];
  const ofRecipient: Fields = [
    ["Original-Recipient", message.originalRecipient === "" ? "" : original(message.originalRecipient)],
    ["Final-Recipient", typed(message.recipient)],
    ["Action", action],
    ["Status", statusOf(notice)],
    ["Remote-MTA", remote(notice)],
    ["Diagnostic-Code", diagnostic(notice)],
    ["Last-Attempt-Date", dateOf(lastAttemptAt)],
    ["Will-Retry-Until", dateOf(retryUntil)],
  ];
  return `${lines(ofMessage, isInternational)}\r\n${lines(ofRecipient, isInternational)}`;
};
