/**
 * What an account knows about one address that it sends to: whether it ever wrote to it, how often in a row delivery
 * failed, and whether it is suppressed. One stream per account and base address.
 */
import type { Instant } from "../clock.ts";
import type { EventReference, Identity } from "../identity.ts";

type Event<Type extends string, Data = unknown> = {
  readonly type: Type;
  readonly at: Instant;
  readonly account: string;
  readonly baseAddress: string;
} & Readonly<Data>;

export type RecipientEvent =
  /** First message of the account to this address: what the limit on first-time recipients counts. */
  | Event<"RecipientContacted">
  /** A message failed for good; `failures` counts those in a row. */
  | Event<"RecipientDeliveryFailed", { readonly failures: number; readonly cause: EventReference }>
  /** A delivery after failures: the count starts again. */
  | Event<"RecipientDeliveryRecovered", { readonly cause: EventReference }>
  | Event<
      "SuppressionAdded",
      {
        readonly id: number;
        readonly originalAddress: string;
        /** Added by a person rather than by a failed delivery. */
        readonly manual: boolean;
        readonly reason: string;
        /** The event that caused it; null when a person added it. */
        readonly cause: EventReference | null;
        readonly by: Identity;
      }
    >
  | Event<"SuppressionRemoved", { readonly id: number; readonly by: Identity }>;

/** Stream of one recipient of one account. */
export const recipientStream = (account: string, baseAddress: string): string => `recipient-${encodeURIComponent(account)}/${baseAddress}`;

/** The account and base address that a recipient's stream is about. Throws for another kind of stream: a bug. */
export const parseRecipientStream = (stream: string): { readonly account: string; readonly baseAddress: string } => {
  const slash = stream.indexOf("/");
  if (!stream.startsWith("recipient-") || slash < 0) throw new Error(`${stream} is no recipient's stream`);
  return { account: decodeURIComponent(stream.slice("recipient-".length, slash)), baseAddress: stream.slice(slash + 1) };
};
