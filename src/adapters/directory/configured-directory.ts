/** The accounts and domains of the configuration file, as the core asks for them. */
import type { Account, Directory, Domain } from "../../domain/account/account.ts";
import { type Address, formatAddress } from "../../domain/address.ts";
import type { OutgoingEvent } from "../../domain/webhook/events.ts";

/** What of a domain's settings matters here. */
export type DirectoryDomain = { readonly catchAllSeparator: string | null; readonly disabled: boolean };

/** What of an account's settings matters here: durations in milliseconds, null = unlimited, addresses canonical. */
export type DirectoryAccount = {
  readonly addresses: readonly string[];
  readonly fullName: string;
  readonly messagesPerDay: number | null;
  readonly firstTimeRecipientsPerDay: number | null;
  readonly storageQuota: number | null;
  readonly loginDisabled: boolean;
  readonly outgoingWebhook?:
    { readonly url: string; readonly events: readonly OutgoingEvent[]; readonly mode: "latest" | "every" } | undefined;
  readonly incomingWebhook?: { readonly url: string } | undefined;
  readonly fromIdLoginAddresses: readonly string[];
  readonly keepRetiredMessagePeriod: number;
  readonly keepRetiredWebhookPeriod: number;
  readonly keepReceivedPeriod: number | null;
  readonly uncertainDelivery: Account["uncertainDelivery"];
};

export type DirectorySettings = {
  readonly domains: Readonly<Record<string, DirectoryDomain>>;
  readonly accounts: Readonly<Record<string, DirectoryAccount>>;
};

const accountFrom = (name: string, settings: DirectoryAccount): Account => {
  const webhook = settings.outgoingWebhook;
  return {
    name,
    fullName: settings.fullName,
    addresses: settings.addresses,
    loginDisabled: settings.loginDisabled,
    messagesPerDay: settings.messagesPerDay,
    firstTimeRecipientsPerDay: settings.firstTimeRecipientsPerDay,
    storageQuota: settings.storageQuota,
    outgoingWebhook:
      webhook === undefined
        ? null
        : { url: webhook.url, events: webhook.events.length === 0 ? null : new Set(webhook.events), mode: webhook.mode },
    incomingWebhook: settings.incomingWebhook === undefined ? null : { url: settings.incomingWebhook.url },
    fromIdLoginAddresses: settings.fromIdLoginAddresses,
    keepRetiredMessageMs: settings.keepRetiredMessagePeriod,
    keepRetiredWebhookMs: settings.keepRetiredWebhookPeriod,
    keepReceivedMs: settings.keepReceivedPeriod,
    uncertainDelivery: settings.uncertainDelivery,
  };
};

/**
 * A directory that never changes. An address belongs to the account that names it; else to the one that names it
 * without its tag (`user` of `user+tag`, where the domain's separator is `+`); else to the one that names `@domain`.
 * Local parts are compared without regard to case.
 */
export const directoryFrom = ({ domains, accounts }: DirectorySettings): Directory => {
  const domainByName = new Map<string, Domain>(
    Object.entries(domains).map(([name, { catchAllSeparator, disabled }]) => [name, { name, catchAllSeparator, disabled }]),
  );
  const accountByName = new Map(Object.entries(accounts).map(([name, settings]) => [name, accountFrom(name, settings)]));
  const owners = new Map<string, Account>();
  for (const account of accountByName.values()) for (const address of account.addresses) owners.set(address, account);
  const all = [...accountByName.values()];

  const accountOf = ({ localPart, domain }: Address): Account | undefined => {
    const local = localPart.toLowerCase();
    const exact = owners.get(formatAddress(local, domain));
    if (exact !== undefined) return exact;
    const separator = domainByName.get(domain)?.catchAllSeparator ?? null;
    const cut = separator === null ? -1 : local.indexOf(separator);
    const base = cut > 0 ? owners.get(formatAddress(local.slice(0, cut), domain)) : undefined;
    return base ?? owners.get(`@${domain}`);
  };

  return {
    account: (name) => accountByName.get(name.toLowerCase()),
    domain: (name) => domainByName.get(name.toLowerCase()),
    accountOf,
    accounts: () => all,
  };
};
