/** Mail from other servers: the listeners of the kind `smtp`, and what the configuration says about them. */
import { readFileSync } from "node:fs";
import { networksOf } from "../adapters/auth/networks.ts";
import type { Config, ListenerConfig } from "../adapters/config/schema.ts";
import { recordLookups } from "../adapters/dns/record-lookups.ts";
import type { HttpLog } from "../adapters/http/server.ts";
import { senderChecks } from "../adapters/mail-auth/sender-checks.ts";
import { isAutomated } from "../adapters/mime/reader/automated.ts";
import { readHeader } from "../adapters/mime/reader/mail-header.ts";
import { parseReport } from "../adapters/mime/report/parse-report.ts";
import type { Metrics } from "../adapters/observability/metrics.ts";
import { CONDUCT_LIMITS, conductOf } from "../adapters/smtp-in/mx/conduct.ts";
import { mxReceiver } from "../adapters/smtp-in/mx/mx-receiver.ts";
import { ownAddresses } from "../adapters/smtp-in/mx/own-addresses.ts";
import type { TakenMail } from "../adapters/smtp-in/mx/take-mail.ts";
import type { Room } from "../adapters/smtp-in/room.ts";
import type { Account, Directory } from "../domain/account/account.ts";
import { parseAddress } from "../domain/address.ts";
import type { Clock } from "../domain/clock.ts";
import type { Receive } from "../domain/received/receive.ts";
import type { ReadModel } from "../domain/runtime/read-model.ts";

export type ReceivingParts = {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: HttpLog;
  readonly directory: Directory;
  readonly readModel: Pick<ReadModel, "storedOctets">;
  readonly receive: Receive;
  /** For messages that come in at the same time. */
  readonly room: Room;
  readonly recorded: Pick<Metrics, "messageReceived" | "recipientRefused">;
};

export type OpenedListener = {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly close: () => Promise<void>;
};

type SmtpListenerConfig = Extract<ListenerConfig, { kind: "smtp" }>;

/**
 * Who reads a postmaster's mail: whoever has the address, then the account that the configuration names, then the first
 * with an address in the domain, then the first of all.
 */
export const postmasterOf = (config: Pick<Config, "hostName" | "receiving">, directory: Directory) => {
  const named = config.receiving.postmaster;
  const ownerIn = (domain: string): Account | undefined => {
    const address = directory.domain(domain)?.disabled === false ? parseAddress(`postmaster@${domain}`) : undefined;
    return address && directory.accountOf(address);
  };
  return (domain: string | undefined): Account | undefined =>
    ownerIn(domain ?? config.hostName) ??
    (named === undefined ? undefined : directory.account(named)) ??
    directory.accounts().find(({ addresses }) => domain !== undefined && addresses.some((address) => address.endsWith(`@${domain}`))) ??
    directory.accounts()[0];
};

const smtpListeners = ({ listeners }: Config, except: string | undefined): readonly (readonly [string, SmtpListenerConfig])[] =>
  Object.entries(listeners).flatMap(([name, listener]) => (listener.kind === "smtp" && name !== except ? [[name, listener] as const] : []));

const recipientsFor = ({ config, directory, readModel }: ReceivingParts) =>
  ownAddresses({
    directory,
    hostName: config.hostName,
    postmaster: postmasterOf(config, directory),
    // Without an announced size a full mailbox takes nothing, and any other takes one more.
    isFull: ({ name, storageQuota }, octets) => storageQuota !== null && readModel.storedOctets(name) + Math.max(octets, 1) > storageQuota,
  });

const handlersOf = ({ log, receive, recorded }: ReceivingParts) => ({
  store: async (mail: TakenMail): Promise<void> => {
    await receive(mail);
  },
  onMessage: (result: string, { id, remoteAddress }: { readonly id: string; readonly remoteAddress: string }): void => {
    recorded.messageReceived(result);
    log.debug({ session: id, remoteAddress, result }, "a message came in");
  },
  onRecipientRefused: (
    reason: string,
    _address: string,
    { id, remoteAddress }: { readonly id: string; readonly remoteAddress: string },
  ): void => {
    recorded.recipientRefused(reason);
    log.debug({ session: id, remoteAddress, reason }, "a recipient was refused");
  },
  onError: (error: unknown): void => {
    log.error({ err: error }, "receiving mail failed");
  },
});

const pem = ({ certFile, keyFile }: { readonly certFile: string; readonly keyFile: string }) => ({
  cert: readFileSync(certFile, "utf8"),
  key: readFileSync(keyFile, "utf8"),
});

/** Opens all of them. Throws when one cannot be opened; those that were are closed then. */
export const listenForMail = async (parts: ReceivingParts, localListener: string | undefined): Promise<readonly OpenedListener[]> => {
  const { config, clock } = parts;
  const { hostName, maxMessageSize, receiving } = config;
  const shared = {
    hostName,
    clock,
    maxMessageSize,
    room: parts.room,
    dmarc: receiving.dmarc,
    maxRecipients: receiving.maxRecipients,
    checks: senderChecks({ lookups: recordLookups(clock, { servers: config.dnsServers }), clock, hostName }),
    readHeader,
    isAutomated,
    parseReport,
    recipient: recipientsFor(parts),
    conduct: conductOf({
      clock,
      limits: { ...CONDUCT_LIMITS, perAddress: receiving.maxConnectionsPerAddress },
      networkOf: (address) => networksOf(address)[0] ?? address,
    }),
    ...handlersOf(parts),
  };
  const opened: OpenedListener[] = [];
  try {
    for (const [name, { address, port, tls, maxConnections }] of smtpListeners(config, localListener)) {
      const receiver = mxReceiver({ ...shared, address, port, maxConnections, ...(tls === undefined ? {} : { tls: pem(tls) }) });
      opened.push({ name, address, port: await receiver.listen(), close: receiver.close });
    }
  } catch (error) {
    await Promise.all(opened.map(({ close }) => close()));
    throw error;
  }
  return opened;
};
