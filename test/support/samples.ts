/** Plausible values of the domain, one of each: tests say only what matters to them. */
import type { Account, Directory, Domain } from "../../src/domain/account/account.ts";
import { parseAddress, type Address } from "../../src/domain/address.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, type Instant } from "../../src/domain/clock.ts";
import type { Identity } from "../../src/domain/identity.ts";
import type { MessageEvent, MessageEventType, QueuedMessage } from "../../src/domain/message/events.ts";
import type { ReceivedEvent, ReceivedEventType, ReceivedMessage } from "../../src/domain/received/events.ts";
import type { AttemptResult } from "../../src/domain/smtp-result.ts";
import type { CallResult, QueuedCall, WebhookEvent, WebhookEventType } from "../../src/domain/webhook/events.ts";

/** When the stories begin: a Monday noon. */
export const NOON: Instant = Date.UTC(2026, 5, 1, 12);

export const operator: Identity = { kind: "operator", name: "ada" };

export const rule: Identity = { kind: "holdrule", name: "7" };

export const system = (name: string): Identity => ({ kind: "system", name });

export const addressOf = (text: string): Address => {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return address;
};

export const aMessage = (changes: Partial<QueuedMessage> = {}): QueuedMessage => ({
  id: 42,
  submissionId: 41,
  account: "shop",
  mailFrom: "orders@shop.example",
  from: "orders@shop.example",
  recipient: "bob@there.example",
  recipientDomain: "there.example",
  senderDomain: "shop.example",
  fromId: "",
  contentId: 40,
  size: 1_000,
  messageId: "<order-1@shop.example>",
  subject: "Your order",
  extra: { order: "1" },
  requireTls: null,
  smtpUtf8: false,
  eightBit: false,
  transport: null,
  nextAttemptAt: NOON,
  maxAttempts: 8,
  source: "webapi",
  envelopeId: "Zc2oPq5mTkSxkB0yVQf8Yw",
  notify: null,
  returnContent: null,
  originalRecipient: "",
  ...changes,
});

export const smtpResult = (code: number, enhancedCode = "", changes: Partial<AttemptResult> = {}): AttemptResult => ({
  startedAt: NOON,
  durationMs: 20,
  code,
  enhancedCode,
  error: code >= 200 && code < 300 ? "" : "no luck",
  remoteHost: code === 0 ? "" : "mx.there.example",
  remoteAddress: code === 0 ? "" : "192.0.2.25",
  transport: "direct",
  ...changes,
});

type OutgoingCall = Extract<QueuedCall, { kind: "outgoing" }>;

export const aCall = (changes: Partial<OutgoingCall> = {}): OutgoingCall => ({
  id: 90,
  account: "shop",
  kind: "outgoing",
  url: "https://hooks.shop.example/mail",
  host: "hooks.shop.example",
  messageRef: 42,
  payload: {
    event: "delivered",
    dsn: false,
    suppressing: false,
    queueMsgId: 42,
    fromId: "",
    messageId: "<order-1@shop.example>",
    subject: "Your order",
    smtpCode: 250,
    smtpEnhancedCode: "2.0.0",
    error: "",
    extra: { order: "1" },
    bounceClass: "",
  },
  nextAttemptAt: NOON,
  maxAttempts: 12,
  after: null,
  cause: { stream: "message-42", revision: 2 },
  ...changes,
});

/** Payload of a call about a message on its way. */
export const outgoing = (call: Pick<QueuedCall, "kind" | "payload">): OutgoingCall["payload"] => {
  if (call.kind !== "outgoing") throw new Error("a call about mail that arrived");
  return (call as OutgoingCall).payload;
};

type IncomingCall = Extract<QueuedCall, { kind: "incoming" }>;

/** The call about {@link aReceivedMessage}. */
export const anIncomingCall = (changes: Partial<IncomingCall> = {}, payload: Partial<IncomingCall["payload"]> = {}): IncomingCall => ({
  id: 72,
  account: "shop",
  kind: "incoming",
  url: "https://hooks.shop.example/incoming",
  host: "hooks.shop.example",
  messageRef: 70,
  payload: {
    receivedId: 70,
    contentId: 71,
    mailFrom: "bob@there.example",
    mailFromValidated: false,
    msgFromValidated: false,
    recipient: "orders@shop.example",
    dkimVerifiedDomains: [],
    remoteAddress: "192.0.2.1",
    receivedAt: NOON,
    mailbox: "Inbox",
    automated: false,
    messageId: "<1@there.example>",
    subject: "Hello",
    ...payload,
  },
  nextAttemptAt: NOON,
  maxAttempts: 12,
  after: null,
  cause: { stream: "received-70", revision: 0 },
  ...changes,
});

export const httpResult = (status: number, changes: Partial<CallResult> = {}): CallResult => ({
  startedAt: NOON,
  durationMs: 20,
  status,
  response: "",
  error: status >= 200 && status < 300 ? "" : "no luck",
  ...changes,
});

/** Mail from somebody to the shop. */
export const aReceivedMessage = (changes: Partial<ReceivedMessage> = {}): ReceivedMessage => ({
  id: 70,
  account: "shop",
  mailFrom: "bob@there.example",
  recipient: "orders@shop.example",
  contentId: 71,
  size: 100,
  from: "bob@there.example",
  subject: "Hello",
  messageId: "<1@there.example>",
  remoteAddress: "192.0.2.1",
  mailbox: "Inbox",
  origin: "smtp",
  flags: [],
  mailFromValidated: false,
  msgFromValidated: false,
  dkimVerifiedDomains: [],
  automated: false,
  tag: "",
  report: null,
  callId: 72,
  keepUntil: null,
  ...changes,
});

type ReceivedSamples = { readonly [Type in ReceivedEventType]: Extract<ReceivedEvent, { readonly type: Type }> };

export const shopOwner: Identity = { kind: "account", name: "shop" };

export const receivedSamples: ReceivedSamples = {
  MessageReceived: { type: "MessageReceived", at: NOON, ...aReceivedMessage() },
  MessageFlagsAdded: { type: "MessageFlagsAdded", at: NOON, flags: ["\\seen"], by: shopOwner },
  MessageFlagsRemoved: { type: "MessageFlagsRemoved", at: NOON, flags: ["\\seen"], by: shopOwner },
  MessageMoved: { type: "MessageMoved", at: NOON, mailbox: "Archive", by: shopOwner },
  MessageDeleted: { type: "MessageDeleted", at: NOON, by: shopOwner },
};

/** An event of a message in a mailbox, told by what is special about it. */
export const mailed = <Type extends ReceivedEventType>(
  type: Type,
  changes: Partial<ReceivedSamples[Type]> = {},
): ReceivedSamples[Type] => ({
  ...receivedSamples[type],
  ...changes,
});

type MessageSamples = { readonly [Type in MessageEventType]: Extract<MessageEvent, { readonly type: Type }> };

/** One event of every type: the type check holds the list complete. */
export const messageSamples: MessageSamples = {
  MessageQueued: { type: "MessageQueued", at: NOON, ...aMessage() },
  MessageHeld: { type: "MessageHeld", at: NOON, by: operator },
  MessageReleased: { type: "MessageReleased", at: NOON, by: operator },
  MessageRescheduled: { type: "MessageRescheduled", at: NOON, nextAttemptAt: NOON + HOUR_MS, by: operator },
  MessageTransportSet: { type: "MessageTransportSet", at: NOON, transport: "relay", by: operator },
  MessageRequireTlsSet: { type: "MessageRequireTlsSet", at: NOON, requireTls: true, by: operator },
  DeliveryAttempted: { type: "DeliveryAttempted", at: NOON, attempt: 1, nextAttemptAt: NOON + 7.5 * MINUTE_MS },
  DeliverySucceeded: { type: "DeliverySucceeded", at: NOON, attempt: 1, result: smtpResult(250), callId: 1_001 },
  DeliveryDeferred: {
    type: "DeliveryDeferred",
    at: NOON,
    attempt: 1,
    result: smtpResult(451),
    bounce: null,
    nextAttemptAt: NOON + 7.5 * MINUTE_MS,
    callId: 1_001,
  },
  DeliveryFailed: { type: "DeliveryFailed", at: NOON, attempt: 1, result: smtpResult(550), bounce: null, suppress: null, callId: 1_001 },
  DeliveryUncertain: { type: "DeliveryUncertain", at: NOON, attempt: 1, result: smtpResult(0), policy: "wait", callId: 1_001 },
  DeliveryInterrupted: { type: "DeliveryInterrupted", at: NOON, attempt: 1, reason: "lost", nextAttemptAt: NOON },
  MessageRequeued: { type: "MessageRequeued", at: NOON, nextAttemptAt: NOON + HOUR_MS, by: operator },
  MessageSuppressed: {
    type: "MessageSuppressed",
    at: NOON,
    baseAddress: "bob@there.example",
    suppression: { stream: "recipient-shop/bob@there.example", revision: 1 },
    callId: 1_001,
  },
  MessageFailed: { type: "MessageFailed", at: NOON, reason: "failed by ada", by: operator, callId: 1_001 },
  MessageCanceled: { type: "MessageCanceled", at: NOON, by: operator, callId: 1_001 },
  DsnReceived: {
    type: "DsnReceived",
    at: NOON,
    receivedId: 77,
    matchedBy: "fromid",
    isDsn: true,
    action: "failed",
    code: 550,
    enhancedCode: "5.1.1",
    error: "no such user",
    remoteHost: "mx.there.example",
    bounce: null,
    suppress: null,
    callId: 1_001,
  },
  ComplaintReceived: {
    type: "ComplaintReceived",
    at: NOON,
    receivedId: 77,
    matchedBy: "fromid",
    feedbackType: "abuse",
    suppress: true,
    callId: 1_001,
  },
  MessageRetired: { type: "MessageRetired", at: NOON, keepUntil: NOON + DAY_MS },
  MessageRemoved: { type: "MessageRemoved", at: NOON },
};

/** An event of a message, told by what is special about it. */
export const happened = <Type extends MessageEventType>(type: Type, changes: Partial<MessageSamples[Type]> = {}): MessageSamples[Type] => ({
  ...messageSamples[type],
  ...changes,
});

type WebhookSamples = { readonly [Type in WebhookEventType]: Extract<WebhookEvent, { readonly type: Type }> };

export const webhookSamples: WebhookSamples = {
  WebhookQueued: { type: "WebhookQueued", at: NOON, ...aCall() },
  WebhookUnblocked: { type: "WebhookUnblocked", at: NOON },
  WebhookAttempted: { type: "WebhookAttempted", at: NOON, attempt: 1, nextAttemptAt: NOON + MINUTE_MS },
  WebhookDelivered: { type: "WebhookDelivered", at: NOON, attempt: 1, result: httpResult(200) },
  WebhookDeferred: { type: "WebhookDeferred", at: NOON, attempt: 1, result: httpResult(500), nextAttemptAt: NOON + MINUTE_MS },
  WebhookFailed: { type: "WebhookFailed", at: NOON, attempt: 1, result: httpResult(410) },
  WebhookInterrupted: { type: "WebhookInterrupted", at: NOON, attempt: 1, reason: "lost", nextAttemptAt: NOON },
  WebhookRescheduled: { type: "WebhookRescheduled", at: NOON, nextAttemptAt: NOON + HOUR_MS, by: operator },
  WebhookSuperseded: { type: "WebhookSuperseded", at: NOON, supersededBy: 91 },
  WebhookCanceled: { type: "WebhookCanceled", at: NOON, by: operator },
  WebhookRetired: { type: "WebhookRetired", at: NOON, keepUntil: NOON + DAY_MS },
  WebhookRemoved: { type: "WebhookRemoved", at: NOON },
};

/** An event of a webhook call, told by what is special about it. */
export const called = <Type extends WebhookEventType>(type: Type, changes: Partial<WebhookSamples[Type]> = {}): WebhookSamples[Type] => ({
  ...webhookSamples[type],
  ...changes,
});

export const anAccount = (changes: Partial<Account> = {}): Account => ({
  name: "shop",
  fullName: "The Shop",
  addresses: ["orders@shop.example", "news@shop.example"],
  loginDisabled: false,
  messagesPerDay: null,
  firstTimeRecipientsPerDay: null,
  storageQuota: null,
  outgoingWebhook: null,
  incomingWebhook: null,
  fromIdLoginAddresses: [],
  keepRetiredMessageMs: DAY_MS,
  keepRetiredWebhookMs: DAY_MS,
  keepReceivedMs: null,
  uncertainDelivery: "retry",
  ...changes,
});

/** Accounts and domains that a test may change while it runs. */
export const directoryOf = (accounts: Account[], domains: readonly Domain[] = []): Directory => {
  const known = [{ name: "shop.example", catchAllSeparator: "+", disabled: false }, ...domains];
  return {
    account: (name) => accounts.find((account) => account.name === name),
    domain: (name) => known.findLast((domain) => domain.name === name),
    accountOf: ({ text }) => accounts.find(({ addresses }) => addresses.includes(text)),
    accounts: () => accounts,
  };
};
