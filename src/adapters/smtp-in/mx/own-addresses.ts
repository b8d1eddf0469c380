/**
 * For whom mail from the internet is taken: for addresses of this server's accounts and nobody else, so that it can never be
 * used to reach a third party. What stands before the last "@" is the recipient domain's own matter (RFC 5321 section
 * 2.3.11): `user%other.example@own.example` and `other.example!user@own.example` are local parts like others.
 */
import { type Account, type Directory, type Domain } from "../../../domain/account/account.ts";
import { type Address, asciiDomain, formatAddress, parseAddress, tagOf } from "../../../domain/address.ts";
import { BAD_RECIPIENT, isBarePostmaster, lacksSmtpUtf8, NEEDS_SMTPUTF8 } from "../envelope-address.ts";
import type { Refusal } from "../refusal.ts";

/** Whose mail it is. */
export type OwnRecipient = {
  /** Canonical. */
  readonly address: string;
  readonly account: string;
  /** What followed the separator in the local part; empty without. */
  readonly tag: string;
};

export type RefusalReason = "syntax" | "relay" | "disabled" | "unknown" | "full";

export type RecipientAnswer =
  | { readonly kind: "own"; readonly recipient: OwnRecipient }
  | { readonly kind: "refused"; readonly reason: RefusalReason; readonly refusal: Refusal };

export type OwnAddressOptions = {
  readonly directory: Pick<Directory, "accountOf" | "domain">;
  /** Who gets mail for a domain's postmaster when nobody has that address; for `<postmaster>`, the domain is undefined. */
  readonly postmaster: (domain: string | undefined) => Account | undefined;
  /** Whether an account has no room for so many more octets. */
  readonly isFull: (account: Account, octets: number) => boolean;
  /** Name of this server: that of the postmaster's domain where none is given. */
  readonly hostName: string;
};

export type RecipientCircumstances = {
  /** Address that the client connected to. */
  readonly localAddress: string;
  readonly smtpUtf8: boolean;
  /** As announced; 0 when it was not. */
  readonly octets: number;
};

const badSyntax = (refusal: Refusal): RecipientAnswer => ({ kind: "refused", reason: "syntax", refusal });

const refused = (reason: RefusalReason, code: number, enhancedCode: string, text: string): RecipientAnswer => ({
  kind: "refused",
  reason,
  refusal: { code, enhancedCode, text },
});

const RELAYING = refused("relay", 550, "5.7.1", "Relaying denied: this domain is not served here");
const DISABLED = refused("disabled", 550, "5.7.1", "This domain takes no mail");
const UNKNOWN = refused("unknown", 550, "5.1.1", "No such user here");
const FULL = refused("full", 452, "4.2.2", "The mailbox is full");

const isPostmaster = (localPart: string): boolean => localPart.toLowerCase() === "postmaster";

/**
 * Who is asked at this server's own name: the postmaster, and whoever answers one of its failure reports, which come from
 * MAILER-DAEMON there. Such an answer is by a person who does not understand what failed, so it goes to the person who may.
 * It cannot go round in circles: no report of this server ever leaves by SMTP.
 */
const isForTheHost = ({ localPart }: Address): boolean => isPostmaster(localPart) || localPart.toLowerCase() === "mailer-daemon";

/** `[192.0.2.1]` and `[IPv6:2001:db8::1]` as the address inside. */
const literalOf = (domain: string): string | undefined => /^\[(?:ipv6:)?(.+)\]$/u.exec(domain)?.[1];

/** In its own case: it may be an id that somebody made up. An address that an account has as it is has none. */
const tagFor = (address: Address, account: Account, separator: string | null): string => {
  const isOwnAsItIs = account.addresses.includes(formatAddress(address.localPart.toLowerCase(), address.domain));
  return separator === null || isOwnAsItIs ? "" : tagOf(address, separator);
};

/** Decides about one RCPT TO. The address comes without angle brackets and source route (RFC 5321 appendix C). */
export const ownAddresses = ({ directory, postmaster, isFull, hostName }: OwnAddressOptions) => {
  const own = (address: string, account: Account | undefined, tag = ""): RecipientAnswer =>
    account === undefined ? UNKNOWN : { kind: "own", recipient: { address, account: account.name, tag } };
  const host = asciiDomain(hostName) ?? hostName.toLowerCase();
  const isAskedHere = (address: Address): boolean => address.domain === host && isForTheHost(address);

  const atDomainOfAccounts = (address: Address, domain: Domain, octets: number): RecipientAnswer => {
    if (domain.disabled) return DISABLED;
    const account = directory.accountOf(address);
    if (isAskedHere(address) || isPostmaster(address.localPart)) return own(address.text, account ?? postmaster(domain.name));
    if (account === undefined) return UNKNOWN;
    if (isFull(account, octets)) return FULL;
    return own(address.text, account, tagFor(address, account, domain.catchAllSeparator));
  };

  return (text: string, { localAddress, smtpUtf8, octets }: RecipientCircumstances): RecipientAnswer => {
    // RFC 5321 section 4.5.1: the postmaster can always be reached, without a domain too.
    if (isBarePostmaster(text)) return own(`postmaster@${hostName}`, postmaster(undefined));
    if (lacksSmtpUtf8(text, smtpUtf8)) return badSyntax(NEEDS_SMTPUTF8);
    const address = parseAddress(text);
    if (address === undefined) return badSyntax(BAD_RECIPIENT);
    const literal = literalOf(address.domain);
    if (literal !== undefined) {
      return literal === localAddress.toLowerCase() && isPostmaster(address.localPart)
        ? own(address.text, postmaster(undefined))
        : RELAYING;
    }
    const domain = directory.domain(address.domain);
    if (domain !== undefined) return atDomainOfAccounts(address, domain, octets);
    return isAskedHere(address) ? own(address.text, postmaster(undefined)) : RELAYING;
  };
};
