/** Ways for messages to leave: transports, the routes that choose among them, and rules that hold messages back. */
import { z } from "zod";

import { password } from "./credential.ts";
import { count, domainName, flag, line, localAddresses, name, port, remoteHost } from "./values.ts";

/** As whom this server appears to the other side; what is not set is as everywhere. */
const appearance = {
  /** Name in EHLO. */
  ehloName: domainName.optional(),
  /** Addresses of this machine to dial from. */
  localAddresses: localAddresses.optional(),
};

/** To the mail exchangers of the recipient's domain. */
const direct = z.strictObject({
  kind: z.literal("direct"),
  port: port.default(25),
  ...appearance,
});

/** Through another server. */
const smarthost = z.strictObject({
  kind: z.literal("smarthost"),
  host: remoteHost,
  port,
  /** `starttls` insists on it: the attempt fails when the server does not offer it. */
  tls: z.enum(["none", "starttls", "implicit"]).default("starttls"),
  /** Whether the server's certificate must be valid for its name. */
  verifyCertificate: flag.default(true),
  auth: z.strictObject({ user: line, password }).optional(),
  ...appearance,
});

/** Nowhere: every attempt fails for good. */
const fail = z.strictObject({
  kind: z.literal("fail"),
  code: count(500, 599).default(550),
  message: line.default("Delivery by this route is not allowed"),
});

export const transport = z.discriminatedUnion("kind", [direct, smarthost, fail]);

/** A domain, or `.domain` for all domains below it. */
const domainPattern = z.string().transform((text, context): string => {
  const below = text.startsWith(".");
  const domain = domainName.safeParse(below ? text.slice(1) : text);
  if (domain.success) return `${below ? "." : ""}${domain.data}`;
  context.addIssue({ code: "custom", message: `${JSON.stringify(text.slice(0, 300))} is not a domain name or ".domain"` });
  return z.NEVER;
});

/** The first route whose set fields all match is taken; with none, a message goes direct. */
export const route = z.strictObject({
  accounts: z.array(name).default([]),
  senderDomains: z.array(domainPattern).default([]),
  recipientDomains: z.array(domainPattern).default([]),
  /** From this attempt on: lets a smarthost take over what direct delivery could not deliver. */
  minAttempt: count(1, 100).default(1),
  transport: name,
});

/** Messages that match all set fields are put on hold; a rule without fields holds everything. Null = not set. */
export const holdRule = z.strictObject({
  account: name.nullable().default(null),
  senderDomain: domainName.nullable().default(null),
  recipientDomain: domainName.nullable().default(null),
});
