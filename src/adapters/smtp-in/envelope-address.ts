/** Addresses in the paths of MAIL and RCPT, the same for every kind of listener. */
import { type Address, asciiDomain, parseAddress } from "../../domain/address.ts";
import type { Refusal } from "./refusal.ts";

export const BAD_SENDER: Refusal = { code: 501, enhancedCode: "5.1.7", text: "MAIL FROM is not an email address" };
export const BAD_RECIPIENT: Refusal = { code: 501, enhancedCode: "5.1.3", text: "RCPT TO is not an email address" };
export const NEEDS_SMTPUTF8: Refusal = { code: 553, enhancedCode: "5.6.7", text: "An address beyond ASCII needs the parameter SMTPUTF8" };

/**
 * Whether a path may not be said in this transaction. RFC 6531 section 3.3 asks for SMTPUTF8 also where only the domain is
 * not ASCII.
 */
export const lacksSmtpUtf8 = (path: string, smtpUtf8: boolean): boolean => !smtpUtf8 && !/^[\u0000-\u007f]*$/u.test(path);

/** RFC 5321 section 4.1.1.3: the one recipient that needs no domain. */
export const isBarePostmaster = (path: string): boolean => path.toLowerCase() === "postmaster";

/** The address in a path, or why it cannot be; `bad` when it is none. */
export const addressIn = (path: string, smtpUtf8: boolean, bad: Refusal): Address | Refusal =>
  lacksSmtpUtf8(path, smtpUtf8) ? NEEDS_SMTPUTF8 : (parseAddress(path) ?? bad);

/** Octets of a path without its brackets (RFC 5321 section 4.5.3.1.3). */
const MAX_PATH_OCTETS = 254;

/** Of the characters that stand for themselves, and nothing that is invisible or means something in a header. */
const PLAIN_CHARACTERS = /^[^\s\u0000-\u0020\u007f-\u009f"(),:;<>@[\\\]\u200b\u2060\ufeff]+$/u;

/**
 * The sender in another server's path: canonical, empty for the null reverse path. Taken are also a local part of more than 64
 * octets, as some forwarders make, and dots at its ends or side by side, which some providers let their users have.
 */
export const senderIn = (path: string, smtpUtf8: boolean): string | Refusal => {
  if (path === "") return "";
  const address = addressIn(path, smtpUtf8, BAD_SENDER);
  if (!("code" in address)) return address.text;
  if (address !== BAD_SENDER) return address;
  const at = path.lastIndexOf("@");
  const localPart = path.slice(0, at);
  const domain = at < 0 ? undefined : asciiDomain(path.slice(at + 1));
  const isUsable = domain !== undefined && PLAIN_CHARACTERS.test(localPart) && Buffer.byteLength(path) <= MAX_PATH_OCTETS;
  return isUsable ? `${localPart}@${domain}` : address;
};
