/**
 * The configuration of local mode: what a developer needs to try Posthorn on one machine, with no file, no DNS and no
 * network. Messages go through the real queue and then to this server's own SMTP port.
 */
import type { Environment } from "./environment.ts";
import { type ConfigResult, validateConfig } from "./validate.ts";

/** The login of the one account of local mode, for the first page to show. */
export type LocalLogin = { readonly account: string; readonly address: string; readonly password: string };

/** Nothing secret: the ports are open to this machine only. */
export const LOCAL_LOGIN: LocalLogin = { account: "local", address: "local@localhost", password: "posthorn" };
export const LOCAL_ADMIN_PASSWORD = "posthorn";
/** The transport that brings every message to this server's own SMTP listener. */
export const LOCAL_TRANSPORT = "local";
export const LOCAL_SMTP_LISTENER = "smtp";
export const LOCAL_HTTP_LISTENER = "http";
export const LOCAL_HTTPS_LISTENER = "https";
export const LOCAL_SUBMISSION_LISTENER = "submission";
export const LOCAL_SUBMISSIONS_LISTENER = "submissions";
/** Without `dataDir`: in the working directory. */
export const LOCAL_DATA_DIR = "data/local";

export const LOCAL_PORTS = { smtp: 1025, http: 1080, https: 1443, submission: 1587, submissions: 1465 } as const;

export type LocalOptions = {
  readonly env: Environment;
  /** Directory of the event store; `POSTHORN_DATA_DIR` wins over it. Default {@link LOCAL_DATA_DIR}. */
  readonly dataDir?: string | undefined;
  /** Where the account's outgoing events go; `POSTHORN_WEBHOOK_URL` without it. */
  readonly webhookUrl?: string | undefined;
  /** Where to tell what arrives; `POSTHORN_INCOMING_WEBHOOK_URL` without it. */
  readonly incomingWebhookUrl?: string | undefined;
  /** Ports other than {@link LOCAL_PORTS}; 0 lets the system choose. */
  readonly smtpPort?: number | undefined;
  readonly httpPort?: number | undefined;
  readonly httpsPort?: number | undefined;
  readonly submissionPort?: number | undefined;
  readonly submissionsPort?: number | undefined;
  /** Certificate and key of `localhost`, PEM files; without them nothing has TLS: there is no HTTPS, and no submission with implicit TLS. */
  readonly certificate?: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly workingDirectory?: string;
};

const LOOPBACK = ["127.0.0.0/8", "::1/128"] as const;

type Endpoint = { readonly url: string };

const endpointOf = (url: string | undefined): Endpoint | undefined => (url === undefined || url === "" ? undefined : { url });

const localAccount = (outgoingWebhook: Endpoint | undefined, incomingWebhook: Endpoint | undefined): Readonly<Record<string, unknown>> => ({
  addresses: [LOCAL_LOGIN.address, "@localhost"],
  password: LOCAL_LOGIN.password,
  fullName: "Local account",
  messagesPerDay: "unlimited",
  firstTimeRecipientsPerDay: "unlimited",
  storageQuota: "unlimited",
  keepRetiredMessagePeriod: "72h",
  keepRetiredWebhookPeriod: "72h",
  keepReceivedPeriod: "7d",
  ...(outgoingWebhook && { outgoingWebhook }),
  ...(incomingWebhook && { incomingWebhook }),
});

/**
 * The configuration of local mode, checked like any other. Variables as in {@link loadConfig} change single settings,
 * such as `POSTHORN_LISTENERS__HTTP__PORT`.
 */
export const localConfig = (options: LocalOptions): ConfigResult => {
  const workingDirectory = options.workingDirectory ?? process.cwd();
  const smtpPort = options.smtpPort ?? LOCAL_PORTS.smtp;
  const value = {
    hostName: "localhost",
    dataDir: options.dataDir ?? LOCAL_DATA_DIR,
    adminPassword: LOCAL_ADMIN_PASSWORD,
    listeners: {
      [LOCAL_SMTP_LISTENER]: { kind: "smtp", address: "127.0.0.1", port: smtpPort },
      [LOCAL_HTTP_LISTENER]: {
        kind: "http",
        address: "127.0.0.1",
        port: options.httpPort ?? LOCAL_PORTS.http,
        allowInsecureLogin: true,
        services: ["webapi", "admin", "metrics"],
      },
      [LOCAL_SUBMISSION_LISTENER]: {
        kind: "submission",
        address: "127.0.0.1",
        port: options.submissionPort ?? LOCAL_PORTS.submission,
        allowInsecureLogin: true,
        ...(options.certificate === undefined ? {} : { tls: options.certificate }),
      },
      ...(options.certificate === undefined
        ? {}
        : {
            [LOCAL_SUBMISSIONS_LISTENER]: {
              kind: "submission",
              address: "127.0.0.1",
              port: options.submissionsPort ?? LOCAL_PORTS.submissions,
              tls: options.certificate,
              implicitTls: true,
            },
            [LOCAL_HTTPS_LISTENER]: {
              kind: "http",
              address: "127.0.0.1",
              port: options.httpsPort ?? LOCAL_PORTS.https,
              tls: options.certificate,
              services: ["webapi", "admin", "metrics"],
            },
          }),
    },
    domains: { localhost: { catchAllSeparator: "+" } },
    accounts: {
      [LOCAL_LOGIN.account]: localAccount(
        endpointOf(options.webhookUrl ?? options.env["POSTHORN_WEBHOOK_URL"]),
        endpointOf(options.incomingWebhookUrl ?? options.env["POSTHORN_INCOMING_WEBHOOK_URL"]),
      ),
    },
    transports: { [LOCAL_TRANSPORT]: { kind: "smarthost", host: "127.0.0.1", port: smtpPort, tls: "none" } },
    routes: [{ transport: LOCAL_TRANSPORT }],
    webhooks: { allowedNetworks: LOOPBACK },
  };
  const result = validateConfig(
    { value, source: "local mode", lineOf: () => null, directory: workingDirectory },
    options.env,
    workingDirectory,
  );
  return result.ok ? { ok: true, config: withTransportAtListener(result.config) } : result;
};

/** The transport follows its listener when a variable has moved that. */
const withTransportAtListener = (config: Extract<ConfigResult, { ok: true }>["config"]): typeof config => {
  const listener = config.listeners[LOCAL_SMTP_LISTENER];
  const transport = config.transports[LOCAL_TRANSPORT];
  if (listener === undefined || transport?.kind !== "smarthost") return config;
  return {
    ...config,
    transports: { ...config.transports, [LOCAL_TRANSPORT]: { ...transport, host: listener.address, port: listener.port } },
  };
};
