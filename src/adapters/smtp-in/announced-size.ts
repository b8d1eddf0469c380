/** What clients announce about the size of their messages, before they send them (RFC 1870). */
import type { SMTPServerAddress } from "smtp-server";

/** Octets that MAIL FROM announced with SIZE; 0 without. */
export const announcedOctets = (mailFrom: SMTPServerAddress | false): number => {
  const size = mailFrom === false || mailFrom.args === false ? undefined : mailFrom.args["SIZE"];
  return typeof size === "string" && /^\d+$/u.test(size) ? Number(size) : 0;
};
