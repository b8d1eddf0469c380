/** The whole configuration: what the file may say, and the shape the program gets. */
import { z } from "zod";

import { account, domain } from "./account.ts";
import { password, passwordHash } from "./credential.ts";
import { listener } from "./listener.ts";
import { holdRule, route, transport } from "./outbound.ts";
import { count, dnsServer, domainKey, domainName, flag, localAddresses, name, network, path, perMinute, size } from "./values.ts";

export const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;

/** Named ways to store events. The kind decides about the other keys. */
const eventStore = z.discriminatedUnion("kind", [z.strictObject({ kind: z.literal("embedded") })]);

const delivery = z.strictObject({
  /** SMTP transactions at the same time: in all, and to one recipient domain. */
  maxConcurrent: count(1, 10_000).default(200),
  maxConcurrentPerDomain: count(1, 1_000).default(20),
  /** SMTP transactions started per minute to one recipient domain; null = no limit. */
  maxPerMinutePerDomain: perMinute.default(null),
  /** Addresses of this machine to dial from, those of the other side's family; empty = the system chooses. */
  localAddresses: localAddresses.default([]),
  /** Whether MTA-STS policies of recipients' domains are looked for and obeyed. */
  mtaSts: flag.default(true),
});

const webhooks = z.strictObject({
  /** Private, loopback and link-local networks that webhooks may call; public ones are always allowed. */
  allowedNetworks: z.array(network).max(1_000).default([]),
  maxConcurrent: count(1, 10_000).default(200),
  maxConcurrentPerHost: count(1, 1_000).default(32),
});

/** Mail from other servers. */
const receiving = z.strictObject({
  /** Account that gets mail for a postmaster whom no account has as an address; without it the first that has one in the domain. */
  postmaster: name.optional(),
  /** What is done with mail that fails the DMARC policy `reject` of its From domain: refused, or stored in Junk. */
  dmarc: z.enum(["reject", "mark"]).default("reject"),
  /** Connections at the same time from one IPv4 address or IPv6 /64. */
  maxConnectionsPerAddress: count(1, 100_000).default(50),
  /** Of one message. RFC 5321 section 4.5.3.1.8 asks for 100 at least. */
  maxRecipients: count(100, 10_000).default(1_000),
});

/** Mail from clients that log in over SMTP. */
const submission = z.strictObject({
  /** Connections at the same time from one IPv4 address or IPv6 /64. */
  maxConnectionsPerAddress: count(1, 100_000).default(100),
  /** Of one message. RFC 5321 section 4.5.3.1.8 asks for 100 at least. */
  maxRecipients: count(100, 10_000).default(1_000),
});

export const configSchema = z.strictObject({
  /** Name of this server in SMTP greetings, Message-IDs and Received headers. */
  hostName: domainName,
  /** Directory of the event store and the views. */
  dataDir: path,
  logLevel: z.enum(LOG_LEVELS).default("info"),
  eventStore: eventStore.prefault({ kind: "embedded" }),
  adminPassword: password.optional(),
  adminPasswordHash: passwordHash.optional(),
  /** Octets. */
  maxMessageSize: size.refine((octets) => octets >= 1_000 && octets <= 1e9, "must be from 1KB to 1GB").default(25e6),
  /** Empty = those of the system. */
  dnsServers: z.array(dnsServer).max(10).default([]),
  /** Whose word is taken that DNSSEC proves an answer, which DANE needs: servers on this machine, any of the above, or nobody's. */
  dnssec: z.enum(["auto", "trusted", "off"]).default("auto"),
  listeners: z.record(name, listener),
  domains: z.record(domainKey, domain).default({}),
  accounts: z.record(name, account).default({}),
  transports: z.record(name, transport).default({}),
  routes: z.array(route).max(1_000).default([]),
  holdRules: z.array(holdRule).max(1_000).default([]),
  receiving: receiving.prefault({}),
  submission: submission.prefault({}),
  delivery: delivery.prefault({}),
  webhooks: webhooks.prefault({}),
});

/** A valid configuration: durations in milliseconds, sizes in octets, paths absolute, names canonical, secrets in place. */
export type Config = z.output<typeof configSchema>;

export type ListenerConfig = Config["listeners"][string];
export type HttpListenerConfig = Extract<ListenerConfig, { kind: "http" }>;
export type AccountConfig = Config["accounts"][string];
export type DomainConfig = Config["domains"][string];
export type TransportConfig = Config["transports"][string];
export type RouteConfig = Config["routes"][number];

/** Keys whose values are secret. Each may be given as `<key>File` instead: the path of a file that holds it. */
export const SECRET_KEYS = ["password", "passwordHash", "adminPassword", "adminPasswordHash", "authorization"] as const;
