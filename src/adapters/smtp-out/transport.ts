/** The ways a message can leave, and the choice among them. */
import type { Delivery } from "../../domain/delivery.ts";

/** Name of the transport that is used when nothing else is said, and always there. */
export const DIRECT = "direct";

/** As whom this server appears to the other side; what is not said is as everywhere. */
export type Appearance = {
  /** Name in EHLO. */
  readonly ehloName?: string;
  /** Addresses of this machine to dial from. */
  readonly localAddresses?: readonly string[];
};

export type Direct = Appearance & {
  readonly kind: "direct";
  /** Of the mail exchangers; 25 unless said otherwise. */
  readonly port?: number;
};

export type Smarthost = Appearance & {
  readonly kind: "smarthost";
  /** Name, looked up as the system does it (hosts file too), or address. */
  readonly host: string;
  readonly port: number;
  /** `starttls` insists on it. */
  readonly tls: "none" | "starttls" | "implicit";
  /** Whether the certificate must be valid for `host`. */
  readonly verifyCertificate: boolean;
  readonly auth?: { readonly user: string; readonly password: string };
};

/**
 * - `direct`: to the mail exchangers of the recipient's domain.
 * - `smarthost`: everything through another server.
 * - `fail`: nothing leaves; every message gets this reply.
 * - `local`: everything to this server's own SMTP port, each recipient in a transaction of its own, because there
 *   recipients fail on purpose at DATA, where a failure would be shared.
 */
export type Transport =
  | Direct
  | Smarthost
  | { readonly kind: "fail"; readonly code: number; readonly message: string }
  | { readonly kind: "local"; readonly host: string; readonly port: number };

/** Which messages take a transport. An empty list matches all; `.example.com` matches the domains below example.com. */
export type Route = {
  readonly accounts: readonly string[];
  readonly senderDomains: readonly string[];
  readonly recipientDomains: readonly string[];
  /** From this attempt on, counted from 1: lets a smarthost take over what direct delivery could not deliver. */
  readonly minAttempt: number;
  readonly transport: string;
};

const domainMatches = (patterns: readonly string[], domain: string): boolean =>
  patterns.length === 0 || patterns.some((pattern) => (pattern.startsWith(".") ? domain.endsWith(pattern) : domain === pattern));

const routeMatches = (route: Route, delivery: Delivery): boolean =>
  delivery.attempt >= route.minAttempt &&
  (route.accounts.length === 0 || route.accounts.includes(delivery.account)) &&
  domainMatches(route.senderDomains, delivery.senderDomain) &&
  domainMatches(route.recipientDomains, delivery.recipientDomain);

/** Name of the transport that a delivery takes: the operator's choice, else the first matching route's, else `direct`. */
export const transportFor = (delivery: Delivery, routes: readonly Route[]): string =>
  delivery.transport ?? routes.find((route) => routeMatches(route, delivery))?.transport ?? DIRECT;
