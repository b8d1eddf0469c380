/** Mail in an account's mailboxes: how it came, and what its owner does with it. */
import type { Instant } from "../clock.ts";
import type { Identity } from "../identity.ts";
import type { Report } from "./report.ts";

type Event<Type extends string, Data = unknown> = { readonly type: Type; readonly at: Instant } & Readonly<Data>;

/** Mailboxes that every account has; nothing else can be moved to. */
export const MAILBOXES = ["Inbox", "Drafts", "Sent", "Archive", "Trash", "Junk"] as const;
export type Mailbox = (typeof MAILBOXES)[number];

/** A message in a mailbox, as it was put there. */
export type ReceivedMessage = {
  readonly id: number;
  readonly account: string;
  /** Envelope sender; empty for the null reverse path. */
  readonly mailFrom: string;
  /** Envelope recipient; of a copy in Sent: empty. */
  readonly recipient: string;
  readonly contentId: number;
  readonly size: number;
  /** Address, subject and Message-ID of the header, decoded; empty when missing. */
  readonly from: string;
  readonly subject: string;
  readonly messageId: string;
  /** Of the SMTP client; empty when the message was made here. */
  readonly remoteAddress: string;
  readonly mailbox: Mailbox;
  /** How it came: over SMTP, as a copy of what the account sent, or as a DSN of this server. */
  readonly origin: "smtp" | "sent" | "report";
  /** Flags from the start, such as `\\seen` of a sent copy; in lower case, as in every event. */
  readonly flags: readonly string[];
  /** Whether SPF holds for the envelope sender's domain. */
  readonly mailFromValidated: boolean;
  /** Whether DMARC holds for the From domain, or SPF or DKIM aligned with it where it publishes no policy. */
  readonly msgFromValidated: boolean;
  readonly dkimVerifiedDomains: readonly string[];
  /** Sent by a program rather than a person (webapi: incoming webhooks). */
  readonly automated: boolean;
  /** What followed the separator in the recipient's local part: perhaps a fromid; empty without. */
  readonly tag: string;
  /** What it reports about mail of ours; null when it is no report. */
  readonly report: Report | null;
  /** Id of the webhook call that will tell about it, if one does. */
  readonly callId: number;
  /** When the server deletes it if nobody has; null = never. As the account's settings were when it came. */
  readonly keepUntil: Instant | null;
};

export type ReceivedEvent =
  | Event<"MessageReceived", ReceivedMessage>
  | Event<"MessageFlagsAdded", { readonly flags: readonly string[]; readonly by: Identity }>
  | Event<"MessageFlagsRemoved", { readonly flags: readonly string[]; readonly by: Identity }>
  | Event<"MessageMoved", { readonly mailbox: Mailbox; readonly by: Identity }>
  /** Gone for its owner; the stream is deleted once every reader has passed this event. */
  | Event<"MessageDeleted", { readonly by: Identity }>;

export type ReceivedEventType = ReceivedEvent["type"];

/** The part of the system that deletes what was kept long enough. */
export const RETENTION: Identity = { kind: "system", name: "retention" };

/** Stream of one received message. */
export const receivedStream = (id: number): string => `received-${id}`;
