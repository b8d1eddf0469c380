/** A Posthorn as it is run in earnest: its own process, its own data directory, everything through its ports. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Cleanup } from "../cleanup.ts";
import { startChild } from "./child.ts";
import { freePort } from "./ports.ts";

/** As `npm start` and the container run it. */
const MEMORY = ["--max-semi-space-size=16"] as const;
const PROGRAM = join(dirname(dirname(import.meta.dirname)), "src", "main.ts");
const LOGIN = "bench@bench.example";
const PASSWORD = "benchmark";
const START_MS = 60_000;
/** How often the views are asked whether they have caught up. */
const POLL_MS = 20;

export type PosthornOptions = {
  readonly cleanup: Cleanup;
  /** Where everything is delivered to. */
  readonly smtpPort: number;
  readonly webhookPort?: number;
  /** DNS server on loopback: mail goes to the exchangers that it names, at `smtpPort`, instead of through a smarthost. */
  readonly dnsPort?: number;
  /** Takes mail from other servers as well, for the login's address, and asks this DNS server where it comes from. */
  readonly mx?: { readonly port: number; readonly dnsServer: string };
  /** Takes mail from applications over SMTP as well: with TLS from the first octet where there is a certificate, else without. */
  readonly submission?: { readonly port: number; readonly tls?: { readonly certFile: string; readonly keyFile: string } };
  /** Octets; without it the server's own default. */
  readonly maxMessageSize?: number;
  /** Messages are signed with this private key. */
  readonly dkimKeyFile?: string;
  /** Puts every message on hold. */
  readonly hold?: boolean;
  /** A data directory to go on with, which stays; without it there is a new one, removed with the process. */
  readonly dataDirectory?: string;
  readonly profileDirectory?: string;
  /** Told when it ends without having been stopped. */
  readonly onCrash: (why: string) => void;
};

export type Posthorn = {
  readonly port: number;
  readonly login: string;
  readonly password: string;
  /** Resident memory of the process, octets; undefined where the system does not tell (no /proc). */
  readonly residentOctets: () => number | undefined;
  /** The most it has had since it started, or since `forgetPeak`; undefined where the system does not tell. */
  readonly peakOctets: () => number | undefined;
  /** Whether the system can do it. */
  readonly forgetPeak: () => boolean;
  /** Answer of the admin API, with how long it took from call to last octet. */
  readonly admin: (path: string) => Promise<{ readonly answer: unknown; readonly durationMs: number; readonly octets: number }>;
  /** Resolves when the views show everything that is stored. */
  readonly caughtUp: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

const submissionListener = ({ port, tls }: NonNullable<PosthornOptions["submission"]>) => ({
  ...{ kind: "submission", address: "127.0.0.1", port },
  ...(tls === undefined ? { allowInsecureLogin: true } : { tls, implicitTls: true }),
});

const configuration = (port: number, dataDir: string, options: PosthornOptions) => {
  const { smtpPort, webhookPort, mx, submission, maxMessageSize, dkimKeyFile, dnsPort, hold = false } = options;
  return {
    hostName: "posthorn.bench.example",
    dataDir,
    logLevel: "warn",
    adminPassword: PASSWORD,
    listeners: {
      http: { kind: "http", address: "127.0.0.1", port, allowInsecureLogin: true },
      ...(mx === undefined ? {} : { mx: { kind: "smtp", address: "127.0.0.1", port: mx.port } }),
      ...(submission === undefined ? {} : { submission: submissionListener(submission) }),
    },
    ...(maxMessageSize === undefined ? {} : { maxMessageSize }),
    // All of the load comes from one address.
    ...(mx === undefined ? {} : { dnsServers: [mx.dnsServer], receiving: { maxConnectionsPerAddress: 1_000 } }),
    domains: { "bench.example": dkimKeyFile === undefined ? {} : { dkim: [{ selector: "bench", keyFile: dkimKeyFile }] } },
    accounts: {
      bench: {
        addresses: [LOGIN],
        password: PASSWORD,
        messagesPerDay: "unlimited",
        firstTimeRecipientsPerDay: "unlimited",
        ...(webhookPort === undefined ? {} : { outgoingWebhook: { url: `http://127.0.0.1:${webhookPort}/` } }),
      },
    },
    ...(dnsPort === undefined ? {} : { dnsServers: [`127.0.0.1:${dnsPort}`] }),
    transports: {
      direct: { kind: "direct", port: smtpPort },
      sink: { kind: "smarthost", host: "127.0.0.1", port: smtpPort, tls: "none" },
    },
    routes: [{ transport: dnsPort === undefined ? "sink" : "direct" }],
    webhooks: { allowedNetworks: ["127.0.0.0/8"] },
    holdRules: hold ? [{}] : [],
  };
};

/** A temporary directory that goes with the benchmark, or earlier. */
export const temporaryDirectory = (cleanup: Cleanup): { readonly path: string; readonly remove: () => Promise<void> } => {
  const path = mkdtempSync(join(tmpdir(), "posthorn-bench-"));
  const remove = cleanup.add(() => {
    rmSync(path, { recursive: true, force: true });
  });
  return { path, remove };
};

const memoryOf = (pid: number, field: "VmRSS" | "VmHWM"): number | undefined => {
  try {
    const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1_024;
  } catch {
    return undefined;
  }
};

/** See proc(5): 5 resets the peak to what is resident now. */
const forgetPeak = (pid: number): boolean => {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, "5");
    return true;
  } catch {
    return false;
  }
};

const healthy = async (port: number, withinMs: number, ended: () => string | undefined): Promise<void> => {
  const giveUpAt = performance.now() + withinMs;
  for (;;) {
    const failure = ended();
    if (failure !== undefined) throw new Error(`Posthorn did not start: ${failure}`);
    const response = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
    await response?.arrayBuffer();
    if (response?.ok === true) return;
    if (performance.now() > giveUpAt) throw new Error(`Posthorn was not healthy within ${withinMs} ms`);
    await pause(POLL_MS);
  }
};

/** Starts one and waits until it is healthy. */
export const startPosthorn = async (options: PosthornOptions): Promise<Posthorn> => {
  const { cleanup, dataDirectory, profileDirectory, onCrash } = options;
  const directory = temporaryDirectory(cleanup);
  const port = await freePort();
  const configFile = join(directory.path, "posthorn.json");
  writeFileSync(configFile, JSON.stringify(configuration(port, dataDirectory ?? join(directory.path, "data"), options)), { mode: 0o600 });
  const profiling = profileDirectory === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileDirectory}`];
  const child = startChild(process.execPath, [...MEMORY, ...profiling, PROGRAM, "serve", "--config", configFile], { cleanup });
  let failure: string | undefined;
  let isStopping = false;
  const stop = cleanup.add(async () => {
    isStopping = true;
    await child.stop();
    await directory.remove();
  });
  void child.ended.then(({ code, complaint }) => {
    failure = `it ended with ${code}: ${complaint}`;
    if (!isStopping) onCrash(`Posthorn ended by itself with ${code}: ${complaint}`);
  });
  await healthy(port, START_MS, () => failure);

  const authorization = `Basic ${Buffer.from(`admin:${PASSWORD}`).toString("base64")}`;
  const admin: Posthorn["admin"] = async (path) => {
    const startedAt = performance.now();
    const response = await fetch(`http://127.0.0.1:${port}/admin/api/v0${path}`, { headers: { authorization } });
    const text = await response.text();
    const durationMs = performance.now() - startedAt;
    if (!response.ok) throw new Error(`the admin API answered ${response.status} to ${path}: ${text}`);
    return { answer: JSON.parse(text) as unknown, durationMs, octets: text.length };
  };

  return {
    port,
    login: LOGIN,
    password: PASSWORD,
    residentOctets: () => memoryOf(child.pid, "VmRSS"),
    peakOctets: () => memoryOf(child.pid, "VmHWM"),
    forgetPeak: () => forgetPeak(child.pid),
    admin,
    caughtUp: async () => {
      for (;;) {
        const { answer } = await admin("/views");
        if ((answer as { readonly lag: number }).lag === 0) return;
        await pause(POLL_MS);
      }
    },
    stop,
  };
};
