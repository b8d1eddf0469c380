/** Which hosts take a domain's mail, in the order in which they are to be tried (RFC 5321 section 5.1, RFC 7505). */
import type { Lookup, MxRecord, Resolver } from "../dns/resolver.ts";
import { permanent, temporary, type Trouble } from "./trouble.ts";

/** A host to try. `addresses` is asked for only when a connection has to be opened. */
export type MailHost = { readonly name: string; readonly addresses: () => Promise<Lookup<string>> };

/** `secure`: DNSSEC proves that these are the hosts. */
export type MailHosts = { readonly hosts: readonly MailHost[]; readonly secure: boolean } | { readonly trouble: Trouble };

/** Hosts of one domain that are tried at most; a domain may list hundreds. */
const MAX_HOSTS = 10;

const literalAddress = (domain: string): string | undefined => /^\[(?:ipv6:)?([0-9a-f:.]+)\]$/u.exec(domain)?.[1];

/** A host whose address is known: nothing is looked up. */
export const fixedHost = (name: string, address: string): MailHost => {
  const found = { status: "found", records: [address] } as const;
  return { name, addresses: () => Promise.resolve(found) };
};

/** By preference, in random order among equals, which spreads the load as their owner wants it. */
const ordered = (records: readonly MxRecord[], random: () => number): readonly MxRecord[] =>
  records
    .map((record) => ({ record, lot: random() }))
    .sort((a, b) => a.record.preference - b.record.preference || a.lot - b.lot)
    .map(({ record }) => record);

/** Without the records that lead back here: this host, and those that are no better than it. */
const beyond = (records: readonly MxRecord[], ownName: string): readonly MxRecord[] => {
  const own = records.find(({ exchange }) => exchange === ownName);
  return own === undefined ? records : records.filter(({ preference }) => preference < own.preference);
};

/**
 * Looks up where mail for `domain` goes. `ownName` is this server's name, to see loops. A domain that does not exist or
 * has no mail host fails for good without a code; a null MX with the code that RFC 7505 section 4.1 gives it, because its
 * owner has said that the address takes no mail; anything that could not be asked may pass.
 */
export const mailHosts = async (domain: string, resolver: Resolver, ownName: string, random: () => number): Promise<MailHosts> => {
  const literal = literalAddress(domain);
  if (literal !== undefined) return { hosts: [fixedHost(literal, literal)], secure: false };
  const hostOf = (name: string): MailHost => ({ name, addresses: () => resolver.addresses(name) });
  const found = await resolver.mx(domain);
  switch (found.status) {
    case "noDomain":
      return { trouble: permanent(`the domain ${domain} does not exist`, "5.1.2") };
    case "failed":
      return { trouble: temporary(found.reason, "4.4.3") };
    case "noData":
      return { hosts: [hostOf(domain)], secure: found.secure === true };
    case "found":
      break;
  }
  if (found.records.every(({ exchange }) => exchange === "")) {
    return { trouble: permanent(`the domain ${domain} takes no mail (null MX)`, "5.1.10", 556) };
  }
  const records = beyond(
    found.records.filter(({ exchange }) => exchange !== ""),
    ownName,
  );
  if (records.length === 0) return { trouble: permanent(`mail for ${domain} loops back to this server`, "5.4.6") };
  return {
    hosts: ordered(records, random)
      .slice(0, MAX_HOSTS)
      .map(({ exchange }) => hostOf(exchange)),
    secure: found.secure === true,
  };
};

/** What it means that a mail host has no address, for the last host that could be tried. */
export const addressTrouble = (domain: string, host: string, lookup: Exclude<Lookup<string>, { readonly status: "found" }>): Trouble => {
  if (lookup.status === "failed") return temporary(lookup.reason, "4.4.3");
  // The domain itself stands in for a missing MX: without an address it simply has no mail server.
  if (host === domain) return permanent(`the domain ${domain} has neither mail exchangers nor an address`, "5.1.2");
  return temporary(`the mail exchanger ${host} of ${domain} has no address`, "4.4.4");
};
