/** Accounts and domains as the core sees them: who may send what, and what happens to their mail afterwards. */
import type { Address } from "../address.ts";
import type { UncertainPolicy } from "../message/events.ts";
import type { OutgoingEvent } from "../webhook/events.ts";

/** Where an account wants to hear about its outgoing messages. The secret Authorization value is not part of this. */
export type OutgoingWebhook = {
  readonly url: string;
  /** Events to call for; null = all but `complained`, which has to be asked for. */
  readonly events: ReadonlySet<OutgoingEvent> | null;
  /** `latest`: a newer event takes the place of a call still waiting. `every`: all events, in order per message. */
  readonly mode: "latest" | "every";
};

export type Account = {
  readonly name: string;
  readonly fullName: string;
  /** Own addresses in their canonical text; an entry `@domain` stands for every local part of it. */
  readonly addresses: readonly string[];
  readonly loginDisabled: boolean;
  /** Messages per 24 hours; null = unlimited. */
  readonly messagesPerDay: number | null;
  /** Addresses never written to before, per 24 hours; null = unlimited. */
  readonly firstTimeRecipientsPerDay: number | null;
  /** Octets the account may store before no mail is taken in and no copies are kept for it; null = unlimited. */
  readonly storageQuota: number | null;
  readonly outgoingWebhook: OutgoingWebhook | null;
  /** Where it wants to hear of mail that arrives. */
  readonly incomingWebhook: { readonly url: string } | null;
  /** Login addresses whose messages get a unique MAIL FROM, canonical text. */
  readonly fromIdLoginAddresses: readonly string[];
  readonly keepRetiredMessageMs: number;
  readonly keepRetiredWebhookMs: number;
  /** How long mail in its mailboxes is kept; null = until the account deletes it. */
  readonly keepReceivedMs: number | null;
  readonly uncertainDelivery: UncertainPolicy;
};

export type Domain = {
  /** Lower-case A-label name. */
  readonly name: string;
  /** Separates a local part from a tag or fromid, such as `+`; null = tags are not recognised. */
  readonly catchAllSeparator: string | null;
  /** A disabled domain neither sends nor receives. */
  readonly disabled: boolean;
};

/** The accounts and domains of this server at the moment of asking. Lookups are by canonical, lower-case names. */
export type Directory = {
  readonly account: (name: string) => Account | undefined;
  readonly domain: (name: string) => Domain | undefined;
  /** Whose address this is, tags after a catch-all separator left aside; undefined for strangers' addresses. */
  readonly accountOf: (address: Address) => Account | undefined;
  readonly accounts: () => readonly Account[];
};
