/** Message-IDs that this server makes (RFC 5322 section 3.6.4). */
import type { Instant } from "../../domain/clock.ts";

/**
 * They begin with the time, so that those of one hour stand together in an index of millions: finding a message by what a
 * DSN returns then costs a page of it now and then, not one for each message.
 *
 * @param token - what nobody else makes in the same millisecond: letters, digits, `-` and `_`.
 */
export const messageIdOf = (now: Instant, token: string, hostName: string): string =>
  `<${Math.max(0, Math.floor(now)).toString(36).padStart(8, "0")}.${token}@${hostName}>`;
