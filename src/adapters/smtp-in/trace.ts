/** The trace fields that a message gets when it arrives where it stays (RFC 5321 section 4.4). */
import { isIPv6 } from "node:net";

import type { Instant } from "../../domain/clock.ts";

export type TraceFacts = {
  readonly mailFrom: string;
  readonly recipients: readonly string[];
  readonly helo: string;
  readonly remoteAddress: string;
  readonly hostName: string;
  /** SMTP, ESMTP or UTF8SMTP (RFC 6531 section 4.3). */
  readonly protocol: string;
  /** Names the transaction in this server's logs. */
  readonly id: string;
  readonly receivedAt: Instant;
};

/** Names and address literals; what else a client calls itself has no place in a header. */
const PLAIN_NAME = /^[A-Za-z0-9._:[\]-]{1,255}$/u;

const dateTime = (at: Instant): string => new Date(at).toUTCString().replace("GMT", "+0000");

/** Return-Path and Received, each with its line end. A recipient is named only when there is no other (section 7.2). */
export const traceFields = ({ mailFrom, recipients, helo, remoteAddress, hostName, protocol, id, receivedAt }: TraceFacts): string => {
  const name = PLAIN_NAME.test(helo) ? helo : "unknown";
  const address = isIPv6(remoteAddress) ? `IPv6:${remoteAddress}` : remoteAddress;
  const [only, ...others] = recipients;
  const to = only === undefined || others.length > 0 ? "" : `\r\n\tfor <${only}>`;
  return (
    `Return-Path: <${mailFrom}>\r\n` +
    `Received: from ${name} ([${address}])\r\n\tby ${hostName} with ${protocol} id ${id}${to};\r\n\t${dateTime(receivedAt)}\r\n`
  );
};
