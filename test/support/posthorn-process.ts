/** A Posthorn with a configuration file in a process of its own, to be killed. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { adminCall, webapiCall, type ApiAnswer } from "./http-client.ts";
import { program, type Program } from "./program.ts";

const READY = /is ready: .*web 127\.0\.0\.1:(\d+), submission 127\.0\.0\.1:(\d+)/u;
export const LOGIN = { user: "orders@shop.example", password: "a secret of the shop" };
const ADMIN_PASSWORD = "a secret of the operator";

/** Where the processes of one test keep their data, one after the other, and what is around them. */
export type Premises = {
  /** For the configuration; the data directory is `data` in it unless said otherwise. */
  readonly directory: string;
  readonly smarthostPort: number;
  readonly webhookUrl: string;
  readonly dataDir?: string;
  /** Command that runs the program as its child and ends with it: a tracer. */
  readonly under?: readonly string[];
};

export type PosthornProcess = Pick<Program, "exited" | "signal"> & {
  /** Resolves when it listens; rejects when it ends before. */
  readonly ready: Promise<void>;
  /** Where clients log in over SMTP, in the clear; known when it is ready. */
  readonly submissionPort: () => number;
  /** Calls the webapi; rejects when there is no answer. */
  readonly webapi: (method: string, request: unknown) => Promise<ApiAnswer>;
  readonly admin: (method: string, path: string, body?: unknown) => Promise<unknown>;
};

const writeConfig = ({ directory, smarthostPort, webhookUrl, dataDir = join(directory, "data") }: Premises): string => {
  const config = {
    hostName: "posthorn.example",
    dataDir,
    logLevel: "error",
    adminPassword: ADMIN_PASSWORD,
    listeners: {
      web: { kind: "http", address: "127.0.0.1", port: 0, allowInsecureLogin: true },
      submission: { kind: "submission", address: "127.0.0.1", port: 0, allowInsecureLogin: true },
    },
    domains: { "shop.example": {} },
    accounts: {
      shop: {
        addresses: [LOGIN.user],
        password: LOGIN.password,
        messagesPerDay: "unlimited",
        firstTimeRecipientsPerDay: "unlimited",
        outgoingWebhook: { url: webhookUrl, mode: "every" },
      },
    },
    transports: { smarthost: { kind: "smarthost", host: "127.0.0.1", port: smarthostPort, tls: "none" } },
    routes: [{ transport: "smarthost" }],
    webhooks: { allowedNetworks: ["127.0.0.0/8"] },
  };
  mkdirSync(directory, { recursive: true });
  const file = join(directory, "posthorn.json");
  writeFileSync(file, JSON.stringify(config));
  return file;
};

/** Starts it; whoever starts it sees to its end. */
export const posthornProcess = (premises: Premises): PosthornProcess => {
  const running = program(["serve", "--config", writeConfig(premises)], premises.under === undefined ? {} : { under: premises.under });
  let base = "";
  let submissionPort = 0;
  const ready = running.said(READY).then(([, port = "", submission = ""]) => {
    base = `http://127.0.0.1:${port}`;
    submissionPort = Number(submission);
  });
  // Nobody may wait for it to be ready.
  ready.catch(() => undefined);

  return {
    ...{ ready, exited: running.exited, signal: running.signal },
    submissionPort: () => submissionPort,
    webapi: (method, request) => webapiCall(base, LOGIN, method, request),
    admin: async (method, path, body) => {
      const { status, body: answer } = await adminCall(base, ADMIN_PASSWORD, method, path, body);
      if (status !== 200) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(answer)}`);
      return answer;
    },
  };
};
