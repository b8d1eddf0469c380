/** Reads message/delivery-status (RFC 3464) and message/global-delivery-status (RFC 6533). */
import { DSN_ACTIONS, type DsnAction } from "../../../domain/message/events.ts";
import type { RecipientReport, Report } from "../../../domain/received/report.ts";
import { headerFields, type Fields } from "../reader/header-fields.ts";
import { hostName, plain, recipientAddress } from "./report-values.ts";
import type { Returned } from "./returned-header.ts";
import { statusCodes } from "./status-codes.ts";

/** Recipients that are kept of one report. */
const MAX_RECIPIENTS = 100;

const FINAL = /^final-recipient[ \t]*:/iu;

/**
 * The blocks of fields, between lines that are empty or blank. Where a system forgets those lines, the next Final-Recipient
 * begins a block. The first block is about the message, unless it names a recipient.
 */
const blocksOf = (octets: Uint8Array): readonly Fields[] => {
  const text = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString("latin1");
  const blocks: string[][] = [];
  let open: string[] = [];
  const close = (): void => {
    if (open.length > 0) blocks.push(open);
    open = [];
  };
  for (const line of text.split(/\r\n|\r|\n/u)) {
    if (line.trim() === "") close();
    else {
      if (FINAL.test(line) && open.some((each) => FINAL.test(each))) close();
      open.push(line);
    }
    // One more than is kept tells that there were more.
    if (blocks.length > MAX_RECIPIENTS + 1) break;
  }
  close();
  return blocks.map((lines) => headerFields(Buffer.from(lines.join("\r\n"), "latin1")));
};

const isKnown = (word: string): word is DsnAction => (DSN_ACTIONS as readonly string[]).includes(word);

/** Sendmail puts a remark behind it: `relayed (to non-DSN-aware mailer)`. */
const actionOf = (field: string): DsnAction => {
  const [word = ""] = /[a-z]+/iu.exec(field.slice(0, 100)) ?? [];
  const action = word.toLowerCase();
  return isKnown(action) ? action : "unrecognized";
};

const recipientReport = (fields: Fields): RecipientReport => {
  const first = (name: string): string => fields.first(name) ?? "";
  const { code, enhancedCode, text } = statusCodes(first("diagnostic-code"), first("status"));
  return {
    finalRecipient: recipientAddress(first("final-recipient")),
    originalRecipient: recipientAddress(first("original-recipient")),
    action: actionOf(first("action")),
    code,
    enhancedCode,
    diagnostic: text,
    remoteHost: hostName(first("remote-mta")),
  };
};

const namesRecipient = (fields: Fields): boolean => fields.has("final-recipient") || fields.has("original-recipient");

/** @param octets - the decoded part, bounded by the caller. */
export const readDeliveryStatus = (octets: Uint8Array, returned: Returned): Report => {
  const blocks = blocksOf(octets);
  // Per-message fields may come in a block of their own or, where the empty line is missing, in the first recipient's.
  const [about] = blocks;
  const first = (name: string): string => about?.first(name) ?? "";
  const messageId = returned.messageId === "" ? plain(first("x-original-message-id")) : returned.messageId;
  return {
    kind: "dsn",
    originalEnvelopeId: plain(first("original-envelope-id")),
    reportingHost: hostName(first("reporting-mta")),
    recipients: blocks.filter(namesRecipient).slice(0, MAX_RECIPIENTS).map(recipientReport),
    returned: { messageId },
  };
};
