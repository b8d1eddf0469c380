/** Local mode: an SMTP port of its own that takes what the queue delivers, and pages that show it. */
import type { Middleware } from "koa";
import type { Config } from "../adapters/config/schema.ts";
import { localPages } from "../adapters/http/local/local-pages.ts";
import type { LocalInfo } from "../adapters/http/local/start-page.ts";
import type { HttpLog } from "../adapters/http/server.ts";
import type { ArrivalAnswer } from "../adapters/smtp-in/intake.ts";
import { readHeader } from "../adapters/mime/reader/mail-header.ts";
import { localReceiver, type LocalReceiver } from "../adapters/smtp-in/receiver.ts";
import type { Room } from "../adapters/smtp-in/room.ts";
import type { StoreWithContents } from "../adapters/event-store/event-store.ts";
import { parseCursor } from "../adapters/views/queries/page.ts";
import type { Views } from "../adapters/views/open-views.ts";
import type { Directory } from "../domain/account/account.ts";
import { parseAddress, tagOf } from "../domain/address.ts";
import type { Clock } from "../domain/clock.ts";
import type { EventLog } from "../domain/event-log.ts";
import type { Receive } from "../domain/received/receive.ts";
import { saidOfItself } from "./local-arrival.ts";

/** What makes a configuration one of local mode. */
export type LocalMode = {
  /** Account that gets mail for addresses that nobody has. */
  readonly account: string;
  readonly login: { readonly address: string; readonly password: string };
  readonly adminPassword: string;
  /** Names in the configuration: the SMTP listener, and the transport that leads to it. */
  readonly smtpListener: string;
  readonly transport: string;
};

/** It came from this machine, and nobody was asked. */
const UNCHECKED = { mailFromValidated: false, msgFromValidated: false, dkimVerifiedDomains: [] } as const;

const NOT_READY: ArrivalAnswer = { accepted: false, code: 451, enhancedCode: "4.3.2", text: "The server is starting" };

/** The receiver, which answers 451 until it is told where mail goes. */
export const receiverFor = (
  config: Config,
  local: LocalMode,
  parts: { readonly clock: Clock; readonly directory: Directory; readonly log: HttpLog; readonly room: Room },
): { readonly receiver: LocalReceiver; readonly deliverTo: (receive: Receive) => void; readonly address: string } => {
  const { clock, directory, log, room } = parts;
  const listener = config.listeners[local.smtpListener];
  if (listener === undefined) throw new Error(`local mode has no listener ${local.smtpListener}`);
  let receive: Receive | undefined;

  const ownerOf = (recipient: string): string => {
    const address = parseAddress(recipient);
    return (address && directory.accountOf(address)?.name) ?? local.account;
  };

  const tagIn = (recipient: string): string => {
    const address = parseAddress(recipient);
    const separator = address && directory.domain(address.domain)?.catchAllSeparator;
    return address && separator ? tagOf(address, separator) : "";
  };

  const receiver = localReceiver({
    address: listener.address,
    port: listener.port,
    hostName: config.hostName,
    clock,
    maxMessageSize: config.maxMessageSize,
    room,
    readHeader,
    onError: (error) => {
      log.error({ err: error }, "receiving mail failed");
    },
    onMessage: async ({ mailFrom, recipients, content, remoteAddress, from, subject, messageId }) => {
      if (receive === undefined) return NOT_READY;
      const owned = recipients.map((address) => ({ address, account: ownerOf(address), tag: tagIn(address) }));
      const facts = { ...UNCHECKED, ...(await saidOfItself(mailFrom, content)) };
      await receive({ mailFrom, content, remoteAddress, from, subject, messageId, ...facts, recipients: owned });
      return { accepted: true };
    },
  });
  return { receiver, deliverTo: (target) => void (receive = target), address: listener.address };
};

export type PageParts = {
  readonly config: Config;
  readonly local: LocalMode;
  readonly version: string;
  readonly views: Views;
  readonly events: EventLog;
  readonly store: StoreWithContents;
  readonly clock: Clock;
  readonly log: HttpLog;
  readonly ports: ReadonlyMap<string, { readonly address: string; readonly port: number }>;
};

const infoOf = ({ config, local, version, ports }: PageParts): LocalInfo => ({
  version,
  listeners: [...ports].map(([name, { address, port }]) => {
    const listener = config.listeners[name];
    if (listener?.kind === "submission") {
      const protocol = listener.implicitTls ? "SMTP over TLS" : listener.tls === undefined ? "SMTP" : "SMTP with STARTTLS";
      return { protocol, address, port, what: "submission: takes mail from clients that log in" };
    }
    if (listener?.kind !== "http")
      return { protocol: "SMTP", address, port, what: "takes what the queue delivers, and mail from anywhere on this machine" };
    const protocol = listener.tls === undefined ? "HTTP" : "HTTPS";
    return { protocol, address, port, what: "webapi, admin API, metrics, health and these pages" };
  }),
  login: local.login,
  adminPassword: local.adminPassword,
  webhookUrl: config.accounts[local.account]?.outgoingWebhook?.url,
  incomingWebhookUrl: config.accounts[local.account]?.incomingWebhook?.url,
  dataDir: config.dataDir,
});

export const pagesFor = (parts: PageParts): Middleware => {
  const { views, events, store, clock, log } = parts;
  return localPages({
    queries: views.queries,
    parseCursor,
    log: events,
    content: store.contents,
    clock,
    info: () => infoOf(parts),
    onError: (error) => {
      log.error({ err: error }, "a page could not be shown");
    },
  });
};
