/** Who a submission comes from on its envelope: one MAIL FROM for all, or a unique one for each recipient. */
import type { Directory } from "../account/account.ts";
import { formatAddress, type Address } from "../address.ts";
import type { Submission } from "./submission.ts";

/** `fromId` is empty without a unique MAIL FROM; `mailFrom` is empty for the null reverse path. */
export type Sender = { readonly mailFrom: string; readonly fromId: string };

export type SenderPlan =
  | {
      readonly possible: true;
      /** Asked once for each recipient. */
      readonly next: () => Sender;
      /** The fromid that the submitter has put into its MAIL FROM; empty when it has not. Its sender is for one message. */
      readonly chosen: string;
    }
  /** `detail` is a sentence for the sender. */
  | { readonly possible: false; readonly detail: string };

/** RFC 5321 section 4.5.3.1.1. */
const MAX_LOCAL_PART_OCTETS = 64;
/** 16 octets in base64url without padding. */
const FROM_ID_OCTETS = 22;

const octets = (text: string): number => new TextEncoder().encode(text).length;

const same = (sender: Sender, chosen = ""): SenderPlan => ({ possible: true, next: () => sender, chosen });

const impossible = (detail: string): SenderPlan => ({ possible: false, detail });

/** A local part at the domain's separator; `tag` is empty without one. */
const splitLocal = ({ localPart }: Address, separator: string): { readonly base: string; readonly tag: string } => {
  const at = localPart.indexOf(separator);
  return at > 0 ? { base: localPart.slice(0, at), tag: localPart.slice(at + separator.length) } : { base: localPart, tag: "" };
};

/** How the recipients of a submission get their MAIL FROMs. Unique ones are for logins that the account names for that. */
export const senderPlan = (
  { account, login, from, envelope }: Submission,
  directory: Pick<Directory, "domain">,
  newFromId: () => string,
): SenderPlan => {
  if (envelope?.mailFrom === null) return same({ mailFrom: "", fromId: "" });
  const address = envelope?.mailFrom ?? from;
  if (!account.fromIdLoginAddresses.includes(login.text)) return same({ mailFrom: address.text, fromId: "" });
  const separator = directory.domain(address.domain)?.catchAllSeparator ?? null;
  if (separator === null) return impossible(`domain ${address.domain} has no catch-all separator, which a unique MAIL FROM needs`);
  const { base, tag } = splitLocal(address, separator);
  // A From address with a tag is an address as any other; only a MAIL FROM was written to be one.
  if (envelope !== undefined && tag !== "") return same({ mailFrom: address.text, fromId: tag }, tag);
  if (octets(`${base}${separator}`) + FROM_ID_OCTETS > MAX_LOCAL_PART_OCTETS)
    return impossible(`${base} is too long for a unique MAIL FROM: with one, a local part has more than ${MAX_LOCAL_PART_OCTETS} octets`);
  return {
    possible: true,
    chosen: "",
    next: () => {
      const fromId = newFromId();
      return { mailFrom: formatAddress(`${base}${separator}${fromId}`, address.domain), fromId };
    },
  };
};
