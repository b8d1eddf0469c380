/** How events that were stored in an older shape become what they would be today. */
import type { DomainEventType } from "../../domain/events.ts";
import type { Upcaster } from "./event-codec.ts";

type Data = Readonly<Record<string, unknown>>;

const adding =
  (added: Data): Upcaster =>
  (data) => ({ ...data, ...added });

const withBounceClass: Upcaster = (data) => ({ ...data, payload: { ...(data["payload"] as Data), bounceClass: "" } });

/** From version n to n + 1, in order, for the types that have changed since they were first stored. */
export const upcasters: { readonly [Type in DomainEventType]?: readonly Upcaster[] } = {
  MessageQueued: [adding({ envelopeId: "", notify: null, returnContent: null, originalRecipient: "" })],
  DeliveryDeferred: [adding({ bounce: null })],
  DeliveryFailed: [adding({ bounce: null })],
  // What was no DSN was not told apart.
  DsnReceived: [adding({ isDsn: true })],
  WebhookQueued: [withBounceClass],
  MessageReceived: [
    (data) => ({
      ...data,
      origin: "smtp",
      flags: [],
      mailFromValidated: false,
      msgFromValidated: false,
      dkimVerifiedDomains: [],
      automated: false,
      tag: "",
      report: null,
      // Nobody is told about it: the number only has to be one that no call has.
      callId: data["id"],
      keepUntil: null,
    }),
  ],
};
