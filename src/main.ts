/** Where the program begins: the command line, and what its server commands do. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { runCli } from "./adapters/cli/cli.ts";
import { CommandFailure, EXIT } from "./adapters/cli/failure.ts";
import type { ServerCommands } from "./adapters/cli/server-commands.ts";
import { localhostCertificate } from "./adapters/certificate/self-signed.ts";
import { formatConfigErrors } from "./adapters/config/errors.ts";
import { exampleConfig } from "./adapters/config/example.ts";
import { loadConfig } from "./adapters/config/load.ts";
import * as localMode from "./adapters/config/local.ts";
import type { Config } from "./adapters/config/schema.ts";
import type { ConfigResult } from "./adapters/config/validate.ts";
import { parseDuration } from "./adapters/config/values.ts";
import { openSqliteStore } from "./adapters/event-store/sqlite/open.ts";
import { hashPassword } from "./adapters/auth/password-hash.ts";
import { rebuildViews } from "./adapters/views/rebuild.ts";
import { runServer } from "./server/run.ts";
import type { Posthorn } from "./server/start.ts";

const { env } = process;
const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { readonly version: string };

const valid = (result: ConfigResult): Config => {
  if (!result.ok) throw new CommandFailure(EXIT.refused, formatConfigErrors(result.errors));
  return result.config;
};

const places = ({ listeners }: Posthorn): string =>
  [...listeners].map(([name, { address, port }]) => `${name} ${address}:${port}`).join(", ");

const serve: ServerCommands["serve"] = ({ config }) =>
  runServer({
    config: valid(loadConfig({ path: config, env })),
    version,
    announce: (posthorn) => `Posthorn ${version} is ready: ${places(posthorn)}`,
  });

const localData = (dataDir: string | undefined): string => resolve(env["POSTHORN_DATA_DIR"] ?? dataDir ?? localMode.LOCAL_DATA_DIR);

const local: ServerCommands["local"] = ({ webhookUrl, incomingWebhookUrl, dataDir, smtpPort, httpPort }) => {
  const directory = localData(dataDir);
  const certificate = localhostCertificate(directory);
  // Whoever moves the other ports runs more than one of these.
  const more = httpPort === undefined ? {} : { httpsPort: 0, submissionPort: 0, submissionsPort: 0 };
  const urls = { webhookUrl, incomingWebhookUrl };
  const config = valid(localMode.localConfig({ env, dataDir: directory, ...urls, smtpPort, httpPort, certificate, ...more }));
  const { account, address, password } = localMode.LOCAL_LOGIN;
  return runServer({
    config,
    version,
    local: {
      account,
      login: { address, password },
      adminPassword: localMode.LOCAL_ADMIN_PASSWORD,
      smtpListener: localMode.LOCAL_SMTP_LISTENER,
      transport: localMode.LOCAL_TRANSPORT,
    },
    announce: (posthorn) => {
      const port = posthorn.listeners.get(localMode.LOCAL_HTTP_LISTENER)?.port ?? 0;
      return `Posthorn ${version} runs in local mode: ${places(posthorn)}\nOpen http://localhost:${port}/ (login ${address}, password ${password})`;
    },
  });
};

const rebuild: ServerCommands["rebuildViews"] = async ({ config, local: isLocal, dataDir }) => {
  const directory = isLocal ? localData(dataDir) : resolve(dataDir ?? valid(loadConfig({ path: config, env })).dataDir);
  const startedAt = performance.now();
  const store = await openSqliteStore({ directory });
  try {
    const { events, position } = await rebuildViews({ store, directory });
    const seconds = (performance.now() - startedAt) / 1_000;
    return `built the views in ${directory} from ${events} events, up to position ${position}, in ${seconds.toFixed(1)} s`;
  } finally {
    await store.close();
  }
};

const checkConfig: ServerCommands["checkConfig"] = ({ config }) => {
  const result = loadConfig({ path: config, env });
  return result.ok ? { ok: true, text: "the configuration is valid" } : { ok: false, text: formatConfigErrors(result.errors) };
};

/** Without a command, and with options of local mode alone, it is local mode that is meant. */
const LOCAL_OPTIONS = new Set(["--webhook-url", "--incoming-webhook-url", "--data", "--smtp-port", "--http-port"]);
const words = process.argv.slice(2);
const [first] = words;
const isLocal = first === undefined || LOCAL_OPTIONS.has(first.split("=")[0] ?? "");

/** Whoever reads what is said may have heard enough (`posthorn … | head`). A server goes on without them. */
const isServer = isLocal || first === "local" || first === "serve";
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    if (!isServer) process.exit();
  });
}

process.exitCode = await runCli(
  {
    version,
    environment: env,
    defaults: { url: `http://localhost:${localMode.LOCAL_PORTS.http}`, password: localMode.LOCAL_ADMIN_PASSWORD },
    parseDuration,
    now: Date.now,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    serve,
    local,
    rebuildViews: rebuild,
    exampleConfig,
    checkConfig,
    hashPassword,
  },
  isLocal ? ["local", ...words] : words,
);
