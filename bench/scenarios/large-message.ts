/** One message of 25 MB through a server that had only small ones before: what it adds to its memory at the most. */
import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { localhostCertificate } from "../../src/adapters/certificate/self-signed.ts";
import { atMost, formatNumber, type Figure } from "../figures.ts";
import { freePort } from "../processes/ports.ts";
import { startPosthorn, temporaryDirectory, type Posthorn } from "../processes/posthorn.ts";
import { handIn } from "../processes/smtp-client.ts";
import { serverOptions, type Bench, type Scenario } from "../scenario.ts";

const MEGABYTE = 1_000_000;
const MESSAGE_OCTETS = 25 * MEGABYTE;
/** The server adds fields and a signature of its own. */
const MAX_MESSAGE_OCTETS = MESSAGE_OCTETS + 100_000;
const MOST_ADDED = 60;
const WARM_UP = 300;
/** Time for memory that is not needed any more to be given back. */
const SETTLE_MS = 2_000;

const HEADER = [
  "From: bench@bench.example",
  "To: user@sink.example",
  "Subject: a message of the benchmark",
  "MIME-Version: 1.0",
  'Content-Type: multipart/mixed; boundary="=_part"',
].join("\r\n");
const ATTACHMENT = "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64";

/** A message of so many octets, of which most are an attachment. */
const messageOf = (octets: number): Buffer => {
  const start = `${HEADER}\r\n\r\n--=_part\r\nContent-Type: text/plain\r\n\r\nSee the file.\r\n--=_part\r\n${ATTACHMENT}\r\n\r\n`;
  const end = "--=_part--\r\n";
  const lines = Math.max(1, Math.floor((octets - start.length - end.length) / 78));
  return Buffer.concat([
    Buffer.from(start),
    Buffer.alloc(lines * 78, `${"VGhlIHF1aWNrIGJyb3duIGZveC4u".repeat(3).slice(0, 76)}\r\n`),
    Buffer.from(end),
  ]);
};

type Passage = { readonly addedMegabytes: number; readonly acceptedMs: number; readonly passedMs: number };
type Way = { readonly port: number; readonly tls: boolean };

const pass = async ({ sink }: Bench, server: Posthorn, { port, tls }: Way, message: Buffer): Promise<Passage> => {
  const { login, password } = server;
  const before = server.residentOctets() ?? Number.NaN;
  if (!server.forgetPeak()) throw new Error("this system does not tell the peak of a process's memory");
  const delivered = sink.reached(sink.count() + 1);
  const startedAt = performance.now();
  await handIn({ port, tls, login, password, to: "user@sink.example", message });
  const acceptedMs = performance.now() - startedAt;
  await delivered;
  const passedMs = performance.now() - startedAt;
  await server.caughtUp();
  return { addedMegabytes: ((server.peakOctets() ?? Number.NaN) - before) / MEGABYTE, acceptedMs, passedMs };
};

/** A fresh server each time: one that had a large message before has its memory still. */
const measure = async (bench: Bench, tls: boolean): Promise<Passage> => {
  const { path, remove } = temporaryDirectory(bench.cleanup);
  const dkimKeyFile = join(path, "dkim.key");
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  writeFileSync(dkimKeyFile, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  const way = { port: await freePort(), tls };
  const submission = { port: way.port, ...(tls ? { tls: localhostCertificate(path) } : {}) };
  const server = await startPosthorn({ ...serverOptions(bench), submission, dkimKeyFile, maxMessageSize: MAX_MESSAGE_OCTETS });
  const small = messageOf(1_000);
  for (let message = 0; message < WARM_UP; message += 1) await pass(bench, server, way, small);
  await pause(SETTLE_MS);
  const passage = await pass(bench, server, way, messageOf(MESSAGE_OCTETS));
  await server.stop();
  await remove();
  return passage;
};

const run = async (bench: Bench): Promise<readonly Figure[]> => {
  const figures: Figure[] = [];
  for (const tls of [false, true]) {
    const passages: Passage[] = [];
    for (let round = 0; round < bench.rounds; round += 1) {
      bench.progress(`${tls ? "with" : "without"} TLS`);
      passages.push(await measure(bench, tls));
    }
    const most = Math.max(...passages.map(({ addedMegabytes }) => addedMegabytes));
    const seconds = (times: readonly number[]): string => `${formatNumber(Math.max(...times) / 1_000)} s`;
    const accepted = seconds(passages.map(({ acceptedMs }) => acceptedMs));
    figures.push({
      name: `Memory added by a message of 25 MB, submitted ${tls ? "over TLS" : "without TLS"}`,
      value: most,
      unit: "MB",
      target: atMost(most, MOST_ADDED, "MB"),
      detail: `the most of ${passages.length}; accepted in ${accepted}, delivered in ${seconds(passages.map(({ passedMs }) => passedMs))}`,
    });
  }
  return figures;
};

export const largeMessage: Scenario = { name: "large", about: "memory of one large message, from SMTP to SMTP", run };
