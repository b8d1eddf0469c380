/** Mail from other servers, from a socket of theirs to what is stored of it, through the whole server. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, describe, it } from "node:test";
import { createTransport } from "nodemailer";

import type { ReceivedEvent } from "../../src/domain/received/events.ts";
import { aftermath } from "../support/aftermath.ts";
import { validCertificate } from "../support/certificates.ts";
import { type LocalDns, localDns, type Zone } from "../support/local-dns.ts";
import { LETTER } from "../support/mail-exchanger.ts";
import { houses, type House } from "../support/posthorn.ts";
import { type Program, program } from "../support/program.ts";
import { keyOf, signedBy, textAt } from "../support/signed-mail.ts";
import { type Dialogue, smtpDialogue } from "../support/smtp-dialogue.ts";

const house = houses();
const files = mkdtempSync(join(tmpdir(), "posthorn-receiving-"));
after(() => {
  rmSync(files, { recursive: true, force: true });
});
const servers: LocalDns[] = [];
const clients: Dialogue[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.hangUp();
  for (const server of servers.splice(0)) await server.close();
});

const ZONE: Zone = {
  ...keyOf("sender.example"),
  ...textAt("sender.example", "v=spf1 ip4:127.0.0.1 -all"),
  ...textAt("elsewhere.example", "v=spf1 -all"),
  ...textAt("_dmarc.sender.example", "v=DMARC1; p=reject"),
  ...textAt("_dmarc.doubtful.example", "v=DMARC1; p=quarantine"),
};

const file = (name: string, text: string): string => {
  writeFileSync(join(files, name), text, { mode: 0o600 });
  return join(files, name);
};

type MessageReceived = Extract<ReceivedEvent, { type: "MessageReceived" }>;
type Json = Readonly<Record<string, unknown>>;

/** A shop whose domain takes mail, with a catch-all at another domain of it. */
const shop = async (
  more: { readonly receiving?: Json; readonly account?: Json; readonly mx?: Json; readonly directory?: string } = {},
): Promise<House> => {
  const dns = await localDns(ZONE);
  servers.push(dns);
  return house({
    ...(more.directory === undefined ? {} : { directory: more.directory }),
    account: { addresses: ["orders@shop.example", "@mail.example"], ...more.account },
    config: {
      dnsServers: [dns.server],
      listeners: {
        web: { kind: "http", address: "127.0.0.1", port: 0, allowInsecureLogin: true },
        mx: { kind: "smtp", address: "127.0.0.1", port: 0, ...more.mx },
      },
      domains: { "shop.example": { catchAllSeparator: "+" }, "mail.example": {}, "closed.example": { disabled: true } },
      receiving: more.receiving ?? {},
    },
  });
};

const connect = async (ours: House): Promise<Dialogue> => {
  const client = await smtpDialogue(ours.posthorn().listeners.get("mx")!.port);
  clients.push(client);
  return client;
};

/** The reply to the final dot. */
const bring = async (ours: House, message: string, from: string, ...to: string[]): Promise<string> => {
  const client = await connect(ours);
  await client.upToData(from, ...to);
  return (await client.say(`${message}.`)) ?? "";
};

const received = (ours: House): readonly MessageReceived[] =>
  ours.events.flatMap(({ event }) => (event.type === "MessageReceived" ? [event] : []));

describe("mail from another server", () => {
  it("is in the mailboxes of all its recipients, with what is known about it", async () => {
    const ours = await shop();
    assert.match(
      await bring(ours, await signedBy("sender.example", LETTER), "app@sender.example", "orders+tag@shop.example", "anybody@mail.example"),
      /^250 /u,
    );
    await ours.quiet();
    const [first, second] = received(ours);
    assert.ok(first !== undefined && second !== undefined);
    assert.deepEqual(
      [first.recipient, first.tag, second.recipient, second.tag],
      ["orders+tag@shop.example", "tag", "anybody@mail.example", ""],
    );
    const { mailFromValidated, msgFromValidated, dkimVerifiedDomains, mailbox, account, subject, contentId } = first;
    assert.deepEqual(
      { mailFromValidated, msgFromValidated, dkimVerifiedDomains, mailbox, account, subject, contentId },
      {
        mailFromValidated: true,
        msgFromValidated: true,
        dkimVerifiedDomains: ["sender.example"],
        mailbox: "Inbox",
        account: "shop",
        subject: "Hi",
        contentId: second.contentId,
      },
    );
    const { body } = await ours.webapi("MessageGet", { MsgID: first.id });
    assert.equal((body as { readonly Meta: { readonly MsgFromValidated: boolean } }).Meta.MsgFromValidated, true);
  });

  it("is refused, put aside or taken as its From domain asks", async () => {
    const ours = await shop();
    assert.match(await bring(ours, LETTER, "x@elsewhere.example", "orders@shop.example"), /^550 5\.7\.1 .*DMARC/u);
    assert.match(await bring(ours, LETTER.replace("app@sender", "app@doubtful"), "x@elsewhere.example", "orders@shop.example"), /^250 /u);
    assert.match(await bring(ours, LETTER.replace("app@sender", "app@elsewhere"), "x@elsewhere.example", "orders@shop.example"), /^250 /u);
    await ours.quiet();
    assert.deepEqual(
      received(ours).map(({ mailbox, mailFromValidated }) => [mailbox, mailFromValidated]),
      [
        ["Junk", false],
        ["Inbox", false],
      ],
    );
    const marking = await shop({ receiving: { dmarc: "mark" } });
    assert.match(await bring(marking, LETTER, "x@elsewhere.example", "orders@shop.example"), /^250 /u);
    await marking.quiet();
    assert.deepEqual(
      received(marking).map(({ mailbox }) => mailbox),
      ["Junk"],
    );
  });

  it("is never passed on to somebody else", async () => {
    const ours = await shop();
    const client = await connect(ours);
    await client.reply();
    await client.say("EHLO client.example");
    await client.say("MAIL FROM:<orders@shop.example>");
    for (const [path, reply] of [
      ["bob@there.example", "550 5.7.1"],
      ["@shop.example:bob@there.example", "550 5.7.1"],
      ["bob%there.example@shop.example", "550 5.1.1"],
      ["there.example!bob@shop.example", "550 5.1.1"],
      ["bob@there.example@shop.example", "501 5.1.3"],
      ['"bob@there.example"@shop.example', "550 5.1.1"],
      ["bob@[127.0.0.1]", "550 5.7.1"],
      ["bob@[IPv6:::1]", "550 5.7.1"],
      ["bob@localhost", "550 5.7.1"],
      ["bob@closed.example", "550 5.7.1"],
      ["bob", "501 5.1.3"],
      ["", "501 5.1.3"],
    ] as const) {
      const asked = client.say(`RCPT TO:<${path}>`);
      // Who guesses so often is answered late.
      while (!(await Promise.race([asked.then(() => true), new Promise<boolean>((resolve) => setImmediate(resolve, false))])))
        ours.clock.advance(100);
      assert.ok((await asked)?.startsWith(reply), `${path}: ${await asked}`);
    }
    assert.match((await client.say("DATA")) ?? "", /^503 /u);
    await ours.quiet();
    assert.deepEqual([received(ours).length, ours.remote.mails.length], [0, 0]);
  });

  it("comes over TLS, from a stock client", async () => {
    const tls = { certFile: file("tls.crt", validCertificate.cert), keyFile: file("tls.key", validCertificate.key) };
    const ours = await shop({ mx: { tls } });
    const transport = createTransport({
      host: "127.0.0.1",
      port: ours.posthorn().listeners.get("mx")!.port,
      requireTLS: true,
      tls: { ca: validCertificate.cert, servername: "localhost" },
    });
    await transport.sendMail({ from: "x@elsewhere.example", to: "orders@shop.example", subject: "Grüße", text: "Hello." });
    await ours.quiet();
    const [message] = received(ours);
    assert.equal(message?.subject, "Grüße");
    const { body } = await ours.webapi("MessageRawGet", { MsgID: message.id });
    assert.match(String(body), /with ESMTPS id/u);
  });

  it("reaches a postmaster whom nobody has as an address", async () => {
    const ours = await shop();
    assert.match(
      await bring(
        ours,
        LETTER.replace("app@sender", "app@elsewhere"),
        "",
        "postmaster@shop.example",
        "postmaster",
        "MAILER-DAEMON@posthorn.example",
      ),
      /^250 /u,
    );
    await ours.quiet();
    assert.deepEqual(
      received(ours).map(({ recipient, account }) => [recipient, account]),
      [
        ["postmaster@shop.example", "shop"],
        ["postmaster@posthorn.example", "shop"],
        ["MAILER-DAEMON@posthorn.example", "shop"],
      ],
    );
  });

  it("is taken as long as there is room", async () => {
    const ours = await shop({ account: { storageQuota: "1KB" } });
    const letter = LETTER.replace("app@sender", "app@elsewhere");
    assert.match(await bring(ours, letter + `${"x".repeat(70)}\r\n`.repeat(20), "", "orders@shop.example"), /^250 /u);
    await ours.quiet();
    const client = await connect(ours);
    await client.reply();
    await client.say("EHLO client.example");
    await client.say("MAIL FROM:<>");
    assert.match((await client.say("RCPT TO:<orders@shop.example>")) ?? "", /^452 4\.2\.2 /u);
  });

  it("is limited to so many connections of one client", async () => {
    const ours = await shop({ receiving: { maxConnectionsPerAddress: 3 } });
    const replies = [];
    for (let index = 0; index < 5; index += 1) replies.push(((await (await connect(ours)).reply()) ?? "").slice(0, 3));
    assert.deepEqual(replies, ["220", "220", "220", "421", "421"]);
  });

  it("is counted", async () => {
    const ours = await shop();
    await bring(ours, LETTER, "x@elsewhere.example", "orders@shop.example", "nobody@shop.example");
    await bring(ours, LETTER.replace("app@sender", "app@elsewhere"), "", "orders@shop.example");
    const text = await (await fetch(`${ours.base()}/metrics`)).text();
    assert.match(text, /^posthorn_messages_received_total\{result="policy"\} 1$/mu);
    assert.match(text, /^posthorn_messages_received_total\{result="accepted"\} 1$/mu);
    assert.match(text, /^posthorn_recipients_refused_total\{reason="unknown"\} 1$/mu);
  });
});

describe("mail that was acknowledged", () => {
  const READY = /is ready: .*mx 127\.0\.0\.1:(\d+)/u;
  let running: Program | undefined;
  after(async () => {
    running?.signal("SIGKILL");
    await running?.exited;
  });

  const start = async (dns: string): Promise<number> => {
    const config = {
      hostName: "posthorn.example",
      dataDir: join(files, "data"),
      logLevel: "error",
      dnsServers: [dns],
      listeners: { mx: { kind: "smtp", address: "127.0.0.1", port: 0 } },
      domains: { "shop.example": {} },
      accounts: { shop: { addresses: ["@shop.example"], password: "a secret of the shop" } },
    };
    running = program(["serve", "--config", file("posthorn.json", JSON.stringify(config))]);
    const [, port = ""] = await running.said(READY);
    return Number(port);
  };

  it("is there after the server was killed, also in the middle of more", async () => {
    const dns = await localDns(ZONE);
    servers.push(dns);
    const acknowledged: string[] = [];
    let number = 0;
    for (let round = 0; round < 2; round += 1) {
      const port = await start(dns.server);
      const traffic = Array.from({ length: 4 }, async () => {
        const client = await smtpDialogue(port);
        clients.push(client);
        await client.reply();
        await client.say("EHLO client.example");
        for (;;) {
          const recipient = `n${(number += 1)}@shop.example`;
          for (const line of ["MAIL FROM:<x@elsewhere.example>", `RCPT TO:<${recipient}>`, "DATA"])
            if ((await client.say(line)) === undefined) return;
          const reply = await client.say(`${LETTER.replace("app@sender", "app@elsewhere")}.`);
          if (reply?.startsWith("250 ") !== true) return;
          acknowledged.push(recipient);
          if (acknowledged.length % 40 === 0) running?.signal("SIGKILL");
        }
      });
      await Promise.all(traffic);
      await running?.exited;
    }
    const { events, contentIds, integrity } = await aftermath(join(files, "data"));
    const stored = new Map(
      events.flatMap(({ event }) => (event.type === "MessageReceived" ? [[event.recipient, event.contentId] as const] : [])),
    );
    assert.ok(acknowledged.length >= 80);
    for (const recipient of acknowledged) assert.ok(contentIds.includes(stored.get(recipient) ?? -1), recipient);
    assert.deepEqual(integrity, ["ok", "ok"]);
  });
});
