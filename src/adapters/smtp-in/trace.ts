/** The trace fields that a message gets when it comes in: Received everywhere, Return-Path where it stays (RFC 5321 section 4.4). */
import { isIPv6 } from "node:net";

import type { Instant } from "../../domain/clock.ts";

export type TraceFacts = {
  readonly mailFrom: string;
  readonly recipients: readonly string[];
  readonly helo: string;
  readonly remoteAddress: string;
  readonly hostName: string;
  /** SMTP, ESMTP or UTF8SMTP (RFC 6531 section 4.3), with S or A at its end. */
  readonly protocol: string;
  /** Name of the TLS cipher suite (RFC 8314 section 4.3), and the protocol's version. */
  readonly tls?: { readonly cipher: string; readonly version: string } | undefined;
  /** Names the transaction in this server's logs. */
  readonly id: string;
  readonly receivedAt: Instant;
};

/** Names and address literals; what else a client calls itself has no place in a header. */
const PLAIN_NAME = /^[A-Za-z0-9._:[\]-]{1,255}$/u;

/** The last one that was written: messages come many in a second. */
let written = { second: Number.NaN, text: "" };

/** As fields of a header write it (RFC 5322 section 3.3). */
export const dateTime = (at: Instant): string => {
  const second = Math.floor(at / 1_000);
  if (second !== written.second) written = { second, text: new Date(at).toUTCString().replace("GMT", "+0000") };
  return written.text;
};

/** Received with its line end. A recipient is named only when there is no other (section 7.2). */
export const receivedField = (facts: Omit<TraceFacts, "mailFrom">): string => {
  const { recipients, helo, remoteAddress, hostName, protocol, tls, id, receivedAt } = facts;
  const name = PLAIN_NAME.test(helo) ? helo : "unknown";
  const address = isIPv6(remoteAddress) ? `IPv6:${remoteAddress}` : remoteAddress;
  const [only, ...others] = recipients;
  const to = only === undefined || others.length > 0 ? "" : `\r\n\tfor <${only}>`;
  const suite = tls === undefined ? "" : `\r\n\ttls ${tls.cipher} (${tls.version})`;
  return `Received: from ${name} ([${address}])\r\n\tby ${hostName} with ${protocol} id ${id}${to}${suite};\r\n\t${dateTime(receivedAt)}\r\n`;
};

/** Where a message's failures are told, with its line end. */
export const returnPathField = (mailFrom: string): string => `Return-Path: <${mailFrom}>\r\n`;

/** Both of them. */
export const traceFields = (facts: TraceFacts): string => returnPathField(facts.mailFrom) + receivedField(facts);
