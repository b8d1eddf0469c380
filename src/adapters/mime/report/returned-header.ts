/** What the header of the returned message tells: by which names the message can be found. */
import { headerFields } from "../reader/header-fields.ts";
import { bareAddress, plain } from "./report-values.ts";

/** All empty where missing. */
export type Returned = {
  /** With its angle brackets. */
  readonly messageId: string;
  /** Canonical Return-Path, which the last hop writes: MAIL FROM as it arrived (RFC 5321 section 4.4). */
  readonly mailFrom: string;
  /** The recipient, where the reporting system writes it into the header instead of its report, as Microsoft's does. */
  readonly recipient: string;
};

export const NOTHING_RETURNED: Returned = { messageId: "", mailFrom: "", recipient: "" };

/** @param octets - the part, or its beginning. */
export const readReturnedHeader = (octets: Uint8Array): Returned => {
  // Some put an empty line in front.
  const start = octets.findIndex((octet) => octet !== 13 && octet !== 10);
  const fields = headerFields(octets.subarray(Math.max(start, 0)));
  const messageId = plain(fields.first("message-id") ?? "");
  return {
    messageId: /<[^<>\s]+>/u.exec(messageId)?.[0] ?? messageId,
    mailFrom: bareAddress(fields.first("return-path") ?? ""),
    recipient: bareAddress(fields.first("x-hmxmroriginalrecipient") ?? ""),
  };
};
