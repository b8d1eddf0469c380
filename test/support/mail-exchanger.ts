/** A receiver of mail from the internet for tests, on a port of its own, with accounts, a clock and a DNS of its own. */
import { afterEach } from "node:test";

import { directoryFrom } from "../../src/adapters/directory/configured-directory.ts";
import { recordLookups } from "../../src/adapters/dns/record-lookups.ts";
import { senderChecks } from "../../src/adapters/mail-auth/sender-checks.ts";
import { isAutomated } from "../../src/adapters/mime/reader/automated.ts";
import { readHeader } from "../../src/adapters/mime/reader/mail-header.ts";
import type { SmtpListener } from "../../src/adapters/smtp-in/listening.ts";
import { CONDUCT_LIMITS, type ConductLimits, conductOf } from "../../src/adapters/smtp-in/mx/conduct.ts";
import { mxReceiver, type MxReceiverOptions } from "../../src/adapters/smtp-in/mx/mx-receiver.ts";
import { ownAddresses } from "../../src/adapters/smtp-in/mx/own-addresses.ts";
import type { TakenMail } from "../../src/adapters/smtp-in/mx/take-mail.ts";
import { roomFor } from "../../src/adapters/smtp-in/room.ts";
import { type LocalDns, localDns, type Zone } from "./local-dns.ts";
import { type Dialogue, smtpDialogue } from "./smtp-dialogue.ts";
import { virtualClock, type VirtualClock } from "./virtual-clock.ts";

type Stage = {
  readonly port: number;
  readonly receiver: SmtpListener;
  readonly clock: VirtualClock;
  readonly mails: TakenMail[];
  /** What became of messages, and why recipients were refused. */
  readonly results: string[];
  readonly errors: unknown[];
  /** Already connected. */
  readonly client: Dialogue;
  readonly connect: () => Promise<Dialogue>;
};

export type StageOptions = Partial<MxReceiverOptions> & { readonly zone?: Zone; readonly limits?: Partial<ConductLimits> };

const anAccount = (addresses: readonly string[], storageQuota: number | null = null) => ({
  addresses,
  fullName: "",
  messagesPerDay: null,
  firstTimeRecipientsPerDay: null,
  storageQuota,
  loginDisabled: false,
  fromIdLoginAddresses: [],
  keepRetiredMessagePeriod: 0,
  keepRetiredWebhookPeriod: 0,
  keepReceivedPeriod: null,
  uncertainDelivery: "retry" as const,
});

/** `own.example` with `app` and the full `hoarder`, `all.example` with a catch-all, and `off.example`, which is disabled. */
export const houseDirectory = directoryFrom({
  domains: {
    "own.example": { catchAllSeparator: "+", disabled: false },
    "all.example": { catchAllSeparator: "+", disabled: false },
    "plain.example": { catchAllSeparator: null, disabled: false },
    "off.example": { catchAllSeparator: null, disabled: true },
    "xn--bcher-kva.example": { catchAllSeparator: null, disabled: false },
  },
  accounts: {
    app: anAccount([
      "app@own.example",
      "app+fixed@own.example",
      "user@off.example",
      "app@plain.example",
      "größe@own.example",
      "a@xn--bcher-kva.example",
    ]),
    hoarder: anAccount(["hoarder@own.example"], 1_000),
    everything: anAccount(["@all.example"]),
  },
});

export const houseRecipients = ownAddresses({
  directory: houseDirectory,
  hostName: "mx.own.example",
  postmaster: () => houseDirectory.account("app"),
  isFull: ({ name, storageQuota }, octets) => storageQuota !== null && (name === "hoarder" ? 900 : 0) + Math.max(1, octets) > storageQuota,
});

/** For a test file: receivers with a client; all gone after each test. */
export const mailExchangers = (): ((options?: StageOptions) => Promise<Stage>) => {
  const ends: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });
  return async ({ zone = {}, limits = {}, ...options } = {}) => {
    const clock = virtualClock();
    const dns: LocalDns = await localDns(zone);
    const lookups = recordLookups(clock, { servers: [dns.server], tries: 1 });
    const mails: TakenMail[] = [];
    const results: string[] = [];
    const errors: unknown[] = [];
    const receiver = mxReceiver({
      address: "127.0.0.1",
      port: 0,
      hostName: "mx.own.example",
      clock,
      maxMessageSize: 1_000_000,
      room: roomFor(4_000_000),
      maxRecipients: 100,
      maxConnections: 100,
      dmarc: "reject",
      checks: senderChecks({ lookups, clock, hostName: "mx.own.example" }),
      readHeader,
      isAutomated,
      parseReport: () => Promise.resolve(null),
      recipient: houseRecipients,
      conduct: conductOf({ clock, limits: { ...CONDUCT_LIMITS, ...limits }, networkOf: (address) => address }),
      store: (mail) => {
        mails.push(mail);
        return Promise.resolve();
      },
      onMessage: (result) => results.push(result),
      onRecipientRefused: (reason) => results.push(reason),
      onError: (error) => errors.push(error),
      ...options,
    });
    const port = await receiver.listen();
    const clients: Dialogue[] = [];
    const connect = async (): Promise<Dialogue> => {
      const client = await smtpDialogue(port);
      clients.push(client);
      return client;
    };
    ends.push(async () => {
      for (const client of clients) client.hangUp();
      await receiver.close();
      await dns.close();
    });
    return { port, receiver, clock, mails, results, errors, connect, client: await connect() };
  };
};

/** A message without its final dot. */
export const LETTER =
  "From: App <app@sender.example>\r\nTo: app@own.example\r\nSubject: Hi\r\nMessage-ID: <1@sender.example>\r\n\r\nHello.\r\n";

/** Octet for octet. */
export const textOf = ({ content }: TakenMail): string => Buffer.concat(content).toString("latin1");
