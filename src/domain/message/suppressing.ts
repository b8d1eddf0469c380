/** Whether a final failure puts the recipient on the suppression list: the rules as tables. */
import type { SuppressionDecision } from "./events.ts";

/** Reply codes that say the mailbox itself is at fault (RFC 5321 section 4.2.3, RFC 7504). */
const MAILBOX_CODES: ReadonlySet<number> = new Set([521, 550, 551, 553, 556]);

/** Enhanced codes, without their class, that say so (RFC 3463 section 3): bad or moved mailbox, bad domain, disabled, not authorized. */
const MAILBOX_ENHANCED: ReadonlySet<string> = new Set(["1.1", "1.2", "1.3", "1.6", "2.1", "7.1"]);

/** This many failed messages in a row suppress whatever the codes were. */
export const FAILURES_IN_A_ROW = 3;

/** What followed the class digit: `5.1.1` gives `1.1`. */
const subject = (enhancedCode: string): string => enhancedCode.slice(enhancedCode.indexOf(".") + 1);

/**
 * Decides for a message that failed for good. `failuresBefore` counts the messages of this account to this address that
 * failed in a row before it. Without an SMTP code (0: DNS, network) nothing is known about the mailbox: null.
 */
export const suppressionDecision = (code: number, enhancedCode: string, failuresBefore: number): SuppressionDecision | null => {
  if (code === 0) return null;
  const detail = subject(enhancedCode);
  const shown = enhancedCode === "" ? `${code}` : `${code} ${enhancedCode}`;
  // x.7.x is a refusal by policy or for the content, which says nothing about the mailbox; x.7.1 names the recipient.
  const policy = detail.startsWith("7.") && detail !== "7.1";
  if (code >= 500 && MAILBOX_ENHANCED.has(detail)) return { rule: "enhanced-code", reason: `delivery failed with ${shown}` };
  if (MAILBOX_CODES.has(code) && !policy) return { rule: "smtp-code", reason: `delivery failed with ${shown}` };
  if (failuresBefore + 1 >= FAILURES_IN_A_ROW) {
    return { rule: "three-in-a-row", reason: `${failuresBefore + 1} messages in a row failed, the last with ${shown}` };
  }
  return null;
};
