/** How webhook calls leave, as the configuration says it. */
import type { Config } from "../adapters/config/schema.ts";
import { readMail } from "../adapters/mime/reader/read-mail.ts";
import { webhookCaller } from "../adapters/webhook/webhook-caller.ts";
import type { Clock } from "../domain/clock.ts";
import type { ContentStore } from "../domain/event-log.ts";
import type { Caller } from "../domain/webhook/caller.ts";

export const callerFor = (
  config: Config,
  parts: {
    readonly contents: ContentStore;
    readonly clock: Clock;
    readonly userAgent: string;
    readonly onError: (error: unknown) => void;
  },
): Caller =>
  webhookCaller({
    ...parts,
    readMail,
    authorization: (account, kind) => {
      const settings = config.accounts[account];
      return (kind === "incoming" ? settings?.incomingWebhook : settings?.outgoingWebhook)?.authorization;
    },
    allowedNetworks: config.webhooks.allowedNetworks,
    connectionsPerHost: config.webhooks.maxConcurrentPerHost,
    keptConnections: config.webhooks.maxConcurrent,
  });
