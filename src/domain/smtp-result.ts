/** What an attempt to deliver came to, as the remote side and the network told it. */
import type { Instant } from "./clock.ts";

/** How the connection was protected; absent from a result when no TLS was negotiated. */
export type TlsFacts = {
  /** For example `TLSv1.3`. */
  readonly version: string;
  readonly cipher: string;
  /** Whether the certificate was verified: against a trusted root and the host's name, or by DANE. */
  readonly verified: boolean;
};

/** Which rules for TLS held for an attempt to reach a mail exchanger. */
export type PolicyFacts = {
  /** `dane` (RFC 7672), `mta-sts` (RFC 8461), `require-tls` (RFC 8689); `none`: TLS where it is offered, with any certificate. */
  readonly decidedBy: "dane" | "mta-sts" | "require-tls" | "none";
  /**
   * What the DNS answers about the way were worth: `unavailable` where no resolver that validates them is in use, so that
   * nobody could look for DANE; `ignored` where the sender asked to ignore policies (`TLS-Required: No`).
   */
  readonly dnssec: "secure" | "insecure" | "unavailable" | "ignored";
  /** Mode of the MTA-STS policy of the recipient's domain; absent when there is none. */
  readonly mtaSts?: "enforce" | "testing";
};

/** One attempt, kept for ever in the event that ends it. */
export type AttemptResult = {
  readonly startedAt: Instant;
  readonly durationMs: number;
  /** SMTP reply code; 0 when no reply was read (DNS, network, TLS, time out). */
  readonly code: number;
  /** Enhanced status code with its class, such as `5.1.1` (RFC 3463); empty when none was given. */
  readonly enhancedCode: string;
  /** The reply's text, or what went wrong; empty when delivered. At most a few hundred characters. */
  readonly error: string;
  /** The name and address connected to; empty when no connection was made. */
  readonly remoteHost: string;
  readonly remoteAddress: string;
  readonly tls?: TlsFacts;
  /** Of direct delivery; absent when nothing was dialled. */
  readonly policy?: PolicyFacts;
  /** The next hop offers DSN (RFC 3461): what was said about reports was passed on to it, with the duty to send them. */
  readonly dsnPassedOn?: true;
  /** Name of the transport used, `direct` for MX delivery. */
  readonly transport: string;
  /**
   * Commands and replies of an attempt that did not deliver, one a line, `> ` before what was sent and `< ` before what
   * came; without credentials and content, and bounded. Absent when no connection was made.
   */
  readonly transcript?: readonly string[];
};

/**
 * How an attempt ended.
 * - `delivered`: a 2xx reply to the final dot (or to this recipient and then the final dot).
 * - `rejected`: a reply of 4xx or 5xx, or trouble before the final dot was sent. Whether it is permanent follows from
 *   the code (RFC 5321 section 4.2.1) or, without a code, from `permanent`.
 * - `uncertain`: the final dot was sent and no reply came: nobody knows whether the remote took it.
 * - `interrupted`: this process gave the attempt up before the final dot, to stop.
 */
export type DeliveryOutcome =
  | { readonly kind: "delivered"; readonly result: AttemptResult }
  | { readonly kind: "rejected"; readonly permanent: boolean; readonly result: AttemptResult }
  | { readonly kind: "uncertain"; readonly result: AttemptResult }
  | { readonly kind: "interrupted"; readonly reason: string };
