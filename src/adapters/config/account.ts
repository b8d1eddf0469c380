/** Accounts and domains as the file names them. */
import { z } from "zod";

import { OUTGOING_EVENTS } from "../../domain/webhook/events.ts";
import { password, passwordHash } from "./credential.ts";
import { accountAddress, duration, flag, keepPeriod, limit, line, loginAddress, path, quota } from "./values.ts";

/** Value of an Authorization header: visible ASCII and spaces (RFC 9110 section 5.5). */
const authorization = z
  .string()
  .min(1)
  .max(8_192)
  .regex(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/u, "must be printable ASCII without line breaks, as a header value is");

type Endpoint = { readonly url: string; readonly authorization?: string | undefined };

/**
 * Address of a webhook. A login in the URL becomes an Authorization header here, because the URL is stored in events
 * and shown, and a secret must not be.
 */
const withoutLogin = <T extends Endpoint>(endpoint: T, context: z.RefinementCtx): T => {
  const url = URL.parse(endpoint.url);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:") || endpoint.url.length > 2_048) {
    context.addIssue({ code: "custom", path: ["url"], message: "is not an http or https URL" });
    return z.NEVER;
  }
  url.hash = "";
  if (url.username === "" && url.password === "") return { ...endpoint, url: url.href };
  if (endpoint.authorization !== undefined) {
    context.addIssue({ code: "custom", path: ["url"], message: "has a login although authorization is set: keep one of them" });
    return z.NEVER;
  }
  try {
    const login = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    url.username = "";
    url.password = "";
    return { ...endpoint, url: url.href, authorization: `Basic ${Buffer.from(login).toString("base64")}` };
  } catch {
    context.addIssue({ code: "custom", path: ["url"], message: "has a login with a broken % sequence" });
    return z.NEVER;
  }
};

const outgoingWebhook = z
  .strictObject({
    url: z.string(),
    authorization: authorization.optional(),
    /** Empty = all but `complained`, which has to be named. */
    events: z.array(z.enum(OUTGOING_EVENTS)).default([]),
    mode: z.enum(["latest", "every"]).default("latest"),
  })
  .transform(withoutLogin);

const incomingWebhook = z.strictObject({ url: z.string(), authorization: authorization.optional() }).transform(withoutLogin);

export const account = z
  .strictObject({
    addresses: z.array(accountAddress).min(1).max(10_000),
    password: password.optional(),
    passwordHash: passwordHash.optional(),
    fullName: z.union([line, z.literal("")]).default(""),
    /** Null = unlimited, here and below. */
    messagesPerDay: limit.default(1_000),
    firstTimeRecipientsPerDay: limit.default(200),
    storageQuota: quota.default(null),
    loginDisabled: flag.default(false),
    outgoingWebhook: outgoingWebhook.optional(),
    incomingWebhook: incomingWebhook.optional(),
    fromIdLoginAddresses: z.array(loginAddress).max(1_000).default([]),
    /** Milliseconds; 0 = not kept. */
    keepRetiredMessagePeriod: duration.default(72 * 3_600_000),
    keepRetiredWebhookPeriod: duration.default(72 * 3_600_000),
    /** How long mail in the mailboxes is kept; null = until it is deleted. */
    keepReceivedPeriod: keepPeriod.default(null),
    uncertainDelivery: z.enum(["retry", "stop", "wait"]).default("retry"),
  })
  .check(({ value, issues }) => {
    const { password: plain, passwordHash: hash, loginDisabled } = value;
    const complain = (message: string): void => void issues.push({ code: "custom", input: undefined, path: ["password"], message });
    if (plain !== undefined && hash !== undefined) complain("stands beside passwordHash: keep one of them");
    if (plain === undefined && hash === undefined && !loginDisabled) {
      complain("is missing: set password, passwordFile or passwordHash, or loginDisabled: true");
    }
  });

const dkimSelector = z.strictObject({
  selector: z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/u, "is not a DKIM selector"),
  /** PEM file with an RSA or Ed25519 private key. */
  keyFile: path,
  /** Header fields to sign; without it the signer's own choice. */
  headers: z
    .array(z.string().regex(/^[!-9;-~]{1,76}$/u, "is not a header name"))
    .min(1)
    .optional(),
});

export const domain = z.strictObject({
  /** Null = tags are not recognised. */
  catchAllSeparator: z
    .string()
    .regex(/^[!#$%&'*+/=?^_`{|}~.-]{1,4}$/u, 'must be one to four of the characters that addresses allow, such as "+"')
    .nullable()
    .default(null),
  disabled: flag.default(false),
  dkim: z.array(dkimSelector).max(20).default([]),
});
