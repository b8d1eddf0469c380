/**
 * A real Postfix on loopback ports of its own, with its own configuration, queue and certificate: nothing of the system's
 * is touched. What it takes it relays to where a test says. Only root can start one, and it has to be installed.
 */
import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";

import type { TestCertificate } from "./certificates.ts";

export type RealPostfix = {
  readonly port: number;
  readonly version: string;
  /** What it has logged so far. */
  readonly log: () => Promise<string>;
  readonly close: () => Promise<void>;
};

export type PostfixOptions = {
  readonly hostName: string;
  /** Where it hands on everything that it takes, its own bounces too. */
  readonly relayPort: number;
  readonly certificate?: TestCertificate;
  /** Refuses mail that does not come over TLS. */
  readonly insistsOnTls?: boolean;
  /** Recipients that it refuses, with the action of access(5): `550 5.1.1 No such user`. */
  readonly refuses?: Readonly<Record<string, string>>;
  /** Rules of header_checks(5). */
  readonly headerChecks?: readonly string[];
  /** More lines of main.cf. */
  readonly settings?: readonly string[];
};

const COMMAND = "/usr/sbin/postfix";
const START_MS = 20_000;

/** Why tests with a real Postfix are skipped; false when they are not. */
export const postfixMissing: string | false = !existsSync(COMMAND)
  ? "Postfix is not installed"
  : process.getuid?.() === 0
    ? false
    : "Postfix can only be started by root";

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
};

const mainCf = (root: string, options: PostfixOptions): string => {
  const { hostName, relayPort, certificate, insistsOnTls = false, settings = [] } = options;
  return [
    "compatibility_level = 3.6",
    `queue_directory = ${root}/queue`,
    `data_directory = ${root}/lib`,
    `maillog_file_prefixes = ${root}`,
    `maillog_file = ${root}/log`,
    `myhostname = ${hostName}`,
    "mydestination =",
    "alias_maps =",
    "local_recipient_maps =",
    "inet_interfaces = 127.0.0.1",
    "inet_protocols = ipv4",
    "mynetworks = 127.0.0.0/8",
    `relayhost = [127.0.0.1]:${relayPort}`,
    "smtp_tls_security_level = none",
    "biff = no",
    "append_dot_mydomain = no",
    "bounce_size_limit = 20000",
    `header_checks = regexp:${root}/header_checks`,
    `smtpd_recipient_restrictions = check_recipient_access texthash:${root}/recipients, permit_mynetworks, reject`,
    ...(certificate === undefined
      ? ["smtpd_tls_security_level = none"]
      : [
          `smtpd_tls_security_level = ${insistsOnTls ? "encrypt" : "may"}`,
          `smtpd_tls_cert_file = ${root}/cert.pem`,
          `smtpd_tls_key_file = ${root}/key.pem`,
        ]),
    ...settings,
    "",
  ].join("\n");
};

const SERVICES = ["bounce", "defer", "trace"].map((name) => `${name} unix - - n - 0 bounce`);

const masterCf = (port: number): string =>
  [
    `127.0.0.1:${port} inet n - n - - smtpd`,
    "pickup unix n - n 60 1 pickup",
    "cleanup unix n - n - 0 cleanup",
    "qmgr unix n - n 300 1 qmgr",
    "tlsmgr unix - - n 1000? 1 tlsmgr",
    "rewrite unix - - n - - trivial-rewrite",
    ...SERVICES,
    "verify unix - - n - 1 verify",
    "flush unix n - n 1000? 0 flush",
    "proxymap unix - - n - - proxymap",
    "proxywrite unix - - n - 1 proxymap",
    "smtp unix - - n - - smtp",
    "relay unix - - n - - smtp",
    "showq unix n - n - - showq",
    "error unix - - n - - error",
    "retry unix - - n - - error",
    "discard unix - - n - - discard",
    "anvil unix - - n - 1 anvil",
    "scache unix - - n - 1 scache",
    "postlog unix-dgram n - n - 1 postlogd",
    "",
  ].join("\n");

const idOf = (option: "-u" | "-g"): number => Number(execFileSync("id", [option, "postfix"], { encoding: "utf8" }));

const answering = async (port: number): Promise<void> => {
  const giveUpAt = performance.now() + START_MS;
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    try {
      await once(socket, "data");
      return;
    } catch (error) {
      if (performance.now() > giveUpAt) throw new Error("Postfix does not answer", { cause: error });
      await pause(20);
    } finally {
      socket.destroy();
    }
  }
};

/** Starts one. Ask {@link postfixMissing} before. */
export const realPostfix = async (options: PostfixOptions): Promise<RealPostfix> => {
  const root = mkdtempSync(join(tmpdir(), "posthorn-postfix-"));
  const port = await freePort();
  chmodSync(root, 0o755); // its processes run as another user
  for (const directory of ["etc", "queue", "lib"]) mkdirSync(join(root, directory), { mode: 0o755 });
  chownSync(join(root, "lib"), idOf("-u"), idOf("-g"));
  const { certificate, refuses = {}, headerChecks = [] } = options;
  writeFileSync(join(root, "etc/main.cf"), mainCf(root, options));
  writeFileSync(join(root, "etc/master.cf"), masterCf(port));
  writeFileSync(join(root, "header_checks"), `${headerChecks.join("\n")}\n`);
  writeFileSync(
    join(root, "recipients"),
    Object.entries(refuses)
      .map(([address, action]) => `${address} ${action}\n`)
      .join(""),
  );
  if (certificate !== undefined) {
    writeFileSync(join(root, "cert.pem"), certificate.cert);
    writeFileSync(join(root, "key.pem"), certificate.key, { mode: 0o600 });
  }
  const order = (what: string) => promisify(execFile)(COMMAND, ["-c", join(root, "etc"), what]);
  const close = async (): Promise<void> => {
    await order("stop").catch(() => undefined);
    rmSync(root, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await order("start");
    await answering(port);
  } catch (error) {
    await close();
    throw error;
  }
  const version = execFileSync("/usr/sbin/postconf", ["-dh", "mail_version"], { encoding: "utf8" }).trim();
  const log = async (): Promise<string> => {
    return readFile(join(root, "log"), "utf8").catch(() => "");
  };
  return { port, version, log, close };
};
