/** Classes of refusals: what a failure says about its cause, whatever words the remote side found for it. */

/** From the recipient's side to the sender's, then the way between them. */
export const BOUNCE_CLASSES = [
  "bad-address",
  "inactive-mailbox",
  "mailbox-full",
  "greylisting",
  "rate-limit",
  "policy",
  "content",
  "spam",
  "reputation",
  "authentication",
  "too-large",
  "loop",
  "protocol",
  "infrastructure",
  "unknown",
] as const;
export type BounceClass = (typeof BOUNCE_CLASSES)[number];
