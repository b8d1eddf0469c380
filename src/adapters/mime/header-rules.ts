/**
 * What may not come into a header from outside: characters that end a line, fields that the composer or the mail
 * system writes itself, names that are no field names. A refusal is the sentence that the sender gets.
 */

// C0, DEL and C1: none of them is text (RFC 5322 section 3.2.5), and CR, LF and NEL end lines.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** RFC 5322 section 2.2: printable ASCII without the colon. The length keeps `name: value` foldable. */
const FIELD_NAME = /^[\x21-\x39\x3b-\x7e]{1,76}$/;

/** Fields that appear once and have their place in the request, and those that only the mail system may add. */
const RESERVED: ReadonlySet<string> = new Set([
  ...["from", "to", "cc", "bcc", "reply-to", "subject", "date", "message-id", "in-reply-to", "references", "mime-version"],
  ...["received", "return-path", "dkim-signature", "domainkey-signature", "authentication-results", "received-spf"],
  ...["arc-seal", "arc-message-signature", "arc-authentication-results", "resent-bcc"],
]);

/** RFC 5322 section 3.6 allows these once; they may come from the request, but only once. */
const ONCE: ReadonlySet<string> = new Set(["sender", "user-agent", "x-mailer"]);

const MAX_HEADERS = 500;
const MAX_VALUE = 65_536;

/** Whether text has a character that must not be in a header. */
export const hasControl = (text: string): boolean => CONTROL.test(text);

/** Says what is wrong with a further header, or undefined. */
const headerFault = (name: string, value: string): string | undefined => {
  if (hasControl(name) || hasControl(value)) return `header ${JSON.stringify(name)} has control characters`;
  if (!FIELD_NAME.test(name)) return `${JSON.stringify(name)} is not a header name`;
  const lower = name.toLowerCase();
  if (RESERVED.has(lower) || lower.startsWith("content-")) return `header ${name} cannot be set with Headers`;
  if (value.length > MAX_VALUE) return `header ${name} is too long`;
  return undefined;
};

/** Says what is wrong with the further headers of a message, or undefined when they may be written. */
export const headersFault = (headers: readonly (readonly [name: string, value: string])[]): string | undefined => {
  if (headers.length > MAX_HEADERS) return `more than ${MAX_HEADERS} headers`;
  const once = new Set<string>();
  for (const [name, value] of headers) {
    const fault = headerFault(name, value);
    if (fault !== undefined) return fault;
    const lower = name.toLowerCase();
    if (ONCE.has(lower) && once.has(lower)) return `header ${name} is given twice`;
    once.add(lower);
  }
  return undefined;
};
