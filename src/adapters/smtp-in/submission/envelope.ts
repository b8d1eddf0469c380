/** The envelope of a transaction: who may be in it, and what was asked for on it. */
import type { Account, Directory } from "../../../domain/account/account.ts";
import { type Address, needsSmtpUtf8 } from "../../../domain/address.ts";
import { pathCommand } from "../command-line.ts";
import { addressIn, BAD_RECIPIENT, BAD_SENDER, isBarePostmaster } from "../envelope-address.ts";
import type { Refusal } from "../refusal.ts";
import { type MailTerms, type MailWishes, mailWishes, type RecipientWishes, recipientWishes } from "./parameters.ts";

/** Who is logged in. */
export type Login = { readonly account: Account; readonly address: Address };

export type EnvelopeRecipient = { readonly address: Address } & Readonly<RecipientWishes>;

export type Envelope = {
  readonly login: Login;
  /** Null = the null reverse path. */
  readonly mailFrom: Address | null;
  readonly wishes: Readonly<MailWishes>;
  /** By canonical address: one copy for each, and the last word counts. */
  readonly recipients: Map<string, EnvelopeRecipient>;
};

export type EnvelopeTerms = MailTerms & { readonly directory: Directory; readonly maxRecipients: number; readonly hostName: string };

const NOT_YOURS: Refusal = { code: 550, enhancedCode: "5.7.1", text: "MAIL FROM is not an address of the account that is logged in" };
const DISABLED: Refusal = { code: 550, enhancedCode: "5.7.1", text: "The domain of MAIL FROM is disabled" };

/** Begins an envelope with a MAIL command. */
export const openEnvelope = (command: Buffer, login: Login, terms: EnvelopeTerms): Envelope | Refusal => {
  const parsed = pathCommand(command, "MAIL FROM");
  if ("code" in parsed) return parsed;
  const wishes = mailWishes(parsed, terms);
  if ("code" in wishes) return wishes;
  const recipients = new Map<string, EnvelopeRecipient>();
  // RFC 8098 section 3: what answers of itself comes from nobody.
  if (parsed.path === "") return { login, mailFrom: null, wishes, recipients };
  const mailFrom = addressIn(parsed.path, wishes.smtpUtf8, BAD_SENDER);
  if ("code" in mailFrom) return mailFrom;
  if (terms.directory.accountOf(mailFrom)?.name !== login.account.name) return NOT_YOURS;
  return terms.directory.domain(mailFrom.domain)?.disabled === true ? DISABLED : { login, mailFrom, wishes, recipients };
};

/** Adds the recipient of a RCPT command; undefined when that is done. */
export const addRecipient = (envelope: Envelope, command: Buffer, terms: EnvelopeTerms): Refusal | undefined => {
  const parsed = pathCommand(command, "RCPT TO");
  if ("code" in parsed) return parsed;
  const wishes = recipientWishes(parsed);
  if ("code" in wishes) return wishes;
  const path = isBarePostmaster(parsed.path) ? `${parsed.path}@${terms.hostName}` : parsed.path;
  const address = addressIn(path, envelope.wishes.smtpUtf8, BAD_RECIPIENT);
  if ("code" in address) return address;
  if (envelope.recipients.size >= terms.maxRecipients && !envelope.recipients.has(address.text)) {
    return { code: 452, enhancedCode: "4.5.3", text: `A message may have ${terms.maxRecipients} recipients: send the rest in another` };
  }
  envelope.recipients.set(address.text, { address, ...wishes });
  return undefined;
};

/** Whether the envelope sender needs SMTPUTF8 from here on. */
export const senderNeedsUtf8 = ({ mailFrom }: Envelope): boolean => mailFrom !== null && needsSmtpUtf8(mailFrom);
