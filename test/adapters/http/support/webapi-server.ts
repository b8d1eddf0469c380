/** A webapi on a real socket, with an account or two and a queue that only remembers what it was given. */
import { randomBytes } from "node:crypto";
import { authenticator } from "../../../../src/adapters/auth/authenticator.ts";
import type { AuthenticatorOptions } from "../../../../src/adapters/auth/authenticator.ts";
import { basicLogin } from "../../../../src/adapters/http/auth/basic-login.ts";
import { failureLimiter } from "../../../../src/adapters/auth/failure-limiter.ts";
import { bodyReader } from "../../../../src/adapters/http/request-body.ts";
import type { BodyReaderOptions } from "../../../../src/adapters/http/request-body.ts";
import type { HttpLog, ListenOptions, Listener } from "../../../../src/adapters/http/server.ts";
import { createHttpApp, listen } from "../../../../src/adapters/http/server.ts";
import type { AnyMethod } from "../../../../src/adapters/http/webapi/method.ts";
import type { CallRecord } from "../../../../src/adapters/http/webapi/routes.ts";
import { webapiRoutes } from "../../../../src/adapters/http/webapi/routes.ts";
import type { SendOptions } from "../../../../src/adapters/http/webapi/send.ts";
import { sendMethod } from "../../../../src/adapters/http/webapi/send.ts";
import { suppressionMethods } from "../../../../src/adapters/http/webapi/suppression-methods.ts";
import { composer } from "../../../../src/adapters/mime/compose.ts";
import type { Account, Directory, Domain } from "../../../../src/domain/account/account.ts";
import { baseAddress } from "../../../../src/domain/address.ts";
import type { Suppression } from "../../../../src/domain/recipient/service.ts";
import type { Submission, Submit } from "../../../../src/domain/submission/submission.ts";
import type { VirtualClock } from "../../../support/virtual-clock.ts";
import { virtualClock } from "../../../support/virtual-clock.ts";

const account = (name: string, addresses: readonly string[], loginDisabled = false): Account => ({
  ...{ name, fullName: `The ${name}`, addresses, loginDisabled, messagesPerDay: null, firstTimeRecipientsPerDay: null },
  ...{
    storageQuota: null,
    outgoingWebhook: null,
    incomingWebhook: null,
    fromIdLoginAddresses: [],
    keepRetiredMessageMs: 0,
    keepRetiredWebhookMs: 0,
    keepReceivedMs: null,
  },
  uncertainDelivery: "retry",
});

const ACCOUNTS = [
  account("shop", ["shop@example.org", "größe@example.org", "off@disabled.example"]),
  account("other", ["other@example.org"]),
  account("gone", ["gone@example.org"], true),
];

const DOMAINS: readonly Domain[] = [
  { name: "example.org", catchAllSeparator: "+", disabled: false },
  { name: "disabled.example", catchAllSeparator: null, disabled: true },
];

const directory: Directory = {
  account: (name) => ACCOUNTS.find((candidate) => candidate.name === name),
  domain: (name) => DOMAINS.find((candidate) => candidate.name === name),
  accountOf: ({ localPart, domain }) => {
    const [base] = localPart.toLowerCase().split("+");
    return ACCOUNTS.find(({ addresses }) => addresses.includes(`${base ?? ""}@${domain}`));
  },
  accounts: () => ACCOUNTS,
};

/** Password of every account unless a test says otherwise. */
export const PASSWORD = "correct horse battery";
export const LOGIN = basic("shop@example.org", PASSWORD);

/** Authorization header for a name and a password. */
export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

export const SILENT: HttpLog = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** Suppressions in memory, by base address. */
const memorySuppressions = () => {
  const entries = new Map<string, Suppression>();
  const key = (name: string, base: string): string => `${name} ${base}`;
  return {
    suppressions: (name: string) => [...entries.values()].filter((entry) => entry.account === name),
    suppressionList: {
      add: (name: string, address: Parameters<typeof baseAddress>[0], entry: { manual: boolean; reason: string }) => {
        const base = baseAddress(address);
        if (entries.has(key(name, base))) return Promise.resolve("alreadyPresent" as const);
        const { manual, reason } = entry;
        const id = entries.size + 1;
        const named = { account: name, baseAddress: base, originalAddress: address.text };
        entries.set(key(name, base), { id, createdAt: Date.UTC(2026, 5, 1), ...named, manual, reason });
        return Promise.resolve("added" as const);
      },
      remove: (name: string, address: Parameters<typeof baseAddress>[0]) =>
        Promise.resolve(entries.delete(key(name, baseAddress(address))) ? ("removed" as const) : ("notPresent" as const)),
      present: (name: string, address: Parameters<typeof baseAddress>[0]) => Promise.resolve(entries.has(key(name, baseAddress(address)))),
    },
  };
};

export type ServerOptions = Partial<Pick<SendOptions, "submit" | "sign" | "maxMessageSize" | "maxRecipients">> & {
  readonly auth?: Partial<AuthenticatorOptions>;
  readonly bodies?: BodyReaderOptions;
  readonly listener?: Partial<ListenOptions>;
  readonly basePath?: string;
  readonly trustForwarded?: boolean;
  readonly log?: HttpLog;
  /** Methods besides Send and those on suppressions. */
  readonly methods?: readonly AnyMethod[];
};

export type TestServer = {
  /** Such as `http://127.0.0.1:1234`. */
  readonly origin: string;
  readonly port: number;
  readonly submissions: Submission[];
  readonly calls: CallRecord[];
  readonly clock: VirtualClock;
  readonly close: Listener["close"];
  /** Calls a method with a URL-encoded form, and parses a JSON answer. */
  readonly call: (method: string, request: unknown, authorization?: string) => Promise<Answer>;
};

export type Answer = { readonly status: number; readonly body: Readonly<Record<string, unknown>>; readonly headers: Headers };

/** Accepts everything and numbers it. */
const acceptAll =
  (submissions: Submission[]): Submit =>
  (submission) => {
    submissions.push(submission);
    const queued = submission.recipients.map(({ text }, index) => ({ id: 1000 + index, recipient: text, fromId: "" }));
    return Promise.resolve({ accepted: true, submissionId: submissions.length, queued });
  };

/** Starts a webapi on a free loopback port. */
export const startWebapi = async (options: ServerOptions = {}): Promise<TestServer> => {
  const clock = virtualClock();
  const submissions: Submission[] = [];
  const calls: CallRecord[] = [];
  const log = options.log ?? SILENT;
  const composing = composer({ hostname: "mail.example.org", userAgent: "posthorn/test", random: (octets) => randomBytes(octets) });
  const accept = acceptAll(submissions);
  const { submit = accept, sign, maxRecipients } = options;
  const send = sendMethod({
    ...{ directory, clock, composer: composing, submit, maxMessageSize: options.maxMessageSize ?? 1_000_000 },
    ...(sign === undefined ? {} : { sign }),
    ...(maxRecipients === undefined ? {} : { maxRecipients }),
  });
  const verifier = authenticator({ directory, passwordOf: () => PASSWORD, clock, cost: { ln: 4, r: 8, p: 1 }, ...options.auth });
  const login = basicLogin({ authenticator: verifier, limiter: failureLimiter(clock), trustForwarded: options.trustForwarded ?? false });
  const webapi = webapiRoutes({
    ...{
      basePath: options.basePath ?? "/webapi/",
      methods: [send, ...suppressionMethods(memorySuppressions()), ...(options.methods ?? [])],
      login,
      log,
    },
    ...{ bodies: bodyReader(options.bodies), onCall: (record: CallRecord) => calls.push(record) },
  });
  const listener = await listen(createHttpApp({ mounts: [webapi], log }), { address: "127.0.0.1", port: 0, ...options.listener });
  const origin = `http://127.0.0.1:${listener.port}`;
  const call = async (method: string, request: unknown, authorization = LOGIN): Promise<Answer> => {
    const body = new URLSearchParams({ request: typeof request === "string" ? request : JSON.stringify(request) });
    const response = await fetch(`${origin}/webapi/v0/${method}`, { method: "POST", body, headers: { authorization } });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
    return { status: response.status, body: isJson ? (JSON.parse(text) as Answer["body"]) : { text }, headers: response.headers };
  };
  return { origin, port: listener.port, submissions, calls, clock, close: listener.close, call };
};
