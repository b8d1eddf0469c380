/**
 * Mail from another server: one signed message again and again, taken for good. Posthorn checks SPF, DKIM and DMARC of each;
 * Postfix, beside it, takes the same message and checks nothing.
 */
import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { dkimKey, dkimSigner } from "../../src/adapters/mime/dkim.ts";
import { formatNumber, type Figure } from "../figures.ts";
import { startDnsServer } from "../processes/dns-server.ts";
import { freePort } from "../processes/ports.ts";
import { startPosthorn, temporaryDirectory } from "../processes/posthorn.ts";
import { hasSmtpSource, smtpSource } from "../processes/smtp-source.ts";
import { inTurns, serverOptions, type Bench, type Scenario } from "../scenario.ts";
import { median } from "../statistics.ts";

const LEVELS = [
  { connections: 1, count: 1_000, quick: 200 },
  { connections: 16, count: 3_000, quick: 600 },
  { connections: 64, count: 3_000, quick: 600 },
] as const;
const WARM_UP = { connections: 16, count: 1_000 };

const SENDER = "app@sender.example";
const HEADER = [
  `From: The sender <${SENDER}>`,
  "To: The receiver <bench@bench.example>",
  "Subject: a message of the benchmark",
  "Message-ID: <benchmark@sender.example>",
  "Date: Mon, 01 Jun 2026 12:00:00 +0000",
  "MIME-Version: 1.0",
  "Content-Type: text/plain; charset=utf-8",
];
/** About a kilobyte. */
const TEXT = `${"The quick brown fox jumps over the lazy dog, and the dog lets it.".padEnd(72, ".")}\r\n`.repeat(14);

/** A message, and the records that prove where it comes from. */
const signedMessage = async (): Promise<{ readonly message: string; readonly records: Readonly<Record<string, string>> }> => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const key = dkimKey(privateKey.export({ type: "pkcs8", format: "pem" }).toString());
  const sign = dkimSigner(() => [{ selector: "bench", key }], { now: Date.now });
  const pieces = await sign([Buffer.from(`${HEADER.join("\r\n")}\r\n\r\n${TEXT}`)], "sender.example");
  return {
    message: Buffer.concat(pieces).toString(),
    records: {
      "bench._domainkey.sender.example": `v=DKIM1; k=rsa; p=${publicKey.export({ type: "spki", format: "der" }).toString("base64")}`,
      "_dmarc.sender.example": "v=DMARC1; p=reject",
      "sender.example": "v=spf1 ip4:127.0.0.1 -all",
    },
  };
};

const run = async (bench: Bench): Promise<readonly Figure[]> => {
  const { postfix, quick, cleanup } = bench;
  if (!hasSmtpSource()) {
    bench.caution("receiving was not measured: smtp-source, a part of Postfix, is not installed");
    return [];
  }
  const { message, records } = await signedMessage();
  const messageFile = join(temporaryDirectory(cleanup).path, "message");
  // smtp-source ends the lines itself.
  writeFileSync(messageFile, message.replaceAll("\r\n", "\n"));
  const mx = { port: await freePort(), dnsServer: await startDnsServer(records, cleanup) };
  const server = await startPosthorn({ ...serverOptions(bench), mx });
  const load = (port: number, connections: number, count: number): Promise<number> =>
    smtpSource({ port, connections, count, from: SENDER, to: "bench@bench.example", messageFile }, cleanup);

  await load(mx.port, WARM_UP.connections, WARM_UP.count);
  const figures: Figure[] = [];
  for (const { connections, ...counts } of LEVELS) {
    const count = quick ? counts.quick : counts.count;
    bench.progress(`${connections} connections`);
    const { own, peer } = await inTurns(
      bench.rounds,
      async () => {
        const rate = await load(mx.port, connections, count);
        await server.caughtUp();
        return rate;
      },
      postfix && (() => load(postfix.holdPort, connections, count)),
    );
    const rate = median(own);
    figures.push({
      name: `received over SMTP, ${connections} connection${connections === 1 ? "" : "s"}`,
      value: rate,
      unit: "/s",
      detail: `SPF, DKIM and DMARC checked${peer.length === 0 ? "" : `; Postfix, which checks nothing: ${formatNumber(median(peer))} /s`}`,
    });
  }
  await server.stop();
  return figures;
};

export const receive: Scenario = { name: "receive", about: "taking mail from other servers", run };
