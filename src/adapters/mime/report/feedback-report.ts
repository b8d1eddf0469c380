/** Reads message/feedback-report (RFC 5965): what a mail system tells about a complaint of one of its users. */
import type { Report } from "../../../domain/received/report.ts";
import { headerFields } from "../reader/header-fields.ts";
import { bareAddress, plain, recipientAddress } from "./report-values.ts";
import type { Returned } from "./returned-header.ts";

const MAX_RECIPIENTS = 100;
/** Longest name of a type of feedback. */
const MAX_TYPE = 40;

const unique = (addresses: readonly string[]): readonly string[] => [...new Set(addresses.filter((address) => address !== ""))];

/** @param octets - the decoded part, bounded by the caller. */
export const readFeedbackReport = (octets: Uint8Array, returned: Returned): Report => {
  const start = octets.findIndex((octet) => octet !== 13 && octet !== 10);
  const fields = headerFields(octets.subarray(Math.max(start, 0)));
  const [type = ""] = /[a-z0-9-]+/iu.exec(plain(fields.first("feedback-type") ?? "")) ?? [];
  const named = fields.all("original-rcpt-to").slice(0, MAX_RECIPIENTS).map(recipientAddress);
  const mailFrom = bareAddress(fields.first("original-mail-from") ?? "");
  return {
    kind: "complaint",
    feedbackType: type === "" ? "other" : type.slice(0, MAX_TYPE).toLowerCase(),
    originalEnvelopeId: plain(fields.first("original-envelope-id") ?? ""),
    originalRecipients: unique([...named, returned.recipient]),
    originalMailFrom: mailFrom === "" ? returned.mailFrom : mailFrom,
    returned: { messageId: returned.messageId },
  };
};
