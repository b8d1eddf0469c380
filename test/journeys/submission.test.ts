import assert from "node:assert/strict";
import { createHash, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { dkimVerify } from "mailauth/lib/dkim/verify.js";
import { createTransport } from "nodemailer";
import { HOUR_MS } from "../../src/domain/clock.ts";
import type { QueuedMessage } from "../../src/domain/message/events.ts";
import { validCertificate } from "../support/certificates.ts";
import { houses, LOGIN, type House } from "../support/posthorn.ts";
import { ALL_EXTENSIONS } from "../support/scripted-remote.ts";
import { type Dialogue, smtpDialogue } from "../support/smtp-dialogue.ts";

const house = houses();

const keys = mkdtempSync(join(tmpdir(), "posthorn-keys-"));
after(() => {
  rmSync(keys, { recursive: true, force: true });
});
const dkim = generateKeyPairSync("rsa", { modulusLength: 2048 });
const file = (name: string, text: string): string => {
  writeFileSync(join(keys, name), text, { mode: 0o600 });
  return join(keys, name);
};
const tls = { certFile: file("tls.crt", validCertificate.cert), keyFile: file("tls.key", validCertificate.key) };
const keyFile = file("dkim.key", dkim.privateKey.export({ type: "pkcs8", format: "pem" }).toString());

/** A shop that submits on 587 and 465, whose login takes fromids, whose domain signs. */
const shop = (more: Parameters<typeof house>[0] = {}): Promise<House> =>
  house({
    remote: { extensions: [...ALL_EXTENSIONS, "DSN"] },
    account: { fromIdLoginAddresses: ["shop@shop.example"] },
    config: {
      listeners: {
        web: { kind: "http", address: "127.0.0.1", port: 0, allowInsecureLogin: true },
        starttls: { kind: "submission", address: "127.0.0.1", port: 0, tls },
        implicit: { kind: "submission", address: "127.0.0.1", port: 0, tls, implicitTls: true },
      },
      domains: { "shop.example": { catchAllSeparator: "+", dkim: [{ selector: "s1", keyFile }] } },
    },
    ...more,
  });

const portOf = (ours: House, listener: string): number => ours.posthorn().listeners.get(listener)!.port;

/** What an application's mail library is told. */
const client = (ours: House, listener: "starttls" | "implicit", user = LOGIN.user) =>
  createTransport({
    host: "127.0.0.1",
    port: portOf(ours, listener),
    secure: listener === "implicit",
    requireTLS: listener === "starttls",
    auth: { user, pass: LOGIN.password },
    tls: { ca: validCertificate.cert, servername: "localhost" },
  });

/** A client that says what a test writes, over TLS and logged in. */
const dialogue = async (ours: House, user = LOGIN.user): Promise<Dialogue> => {
  const visitor = await smtpDialogue(portOf(ours, "implicit"), { tls: true });
  await visitor.reply();
  await visitor.say("EHLO client.example");
  assert.match((await visitor.login(user, LOGIN.password)) ?? "", /^235 /u);
  return visitor;
};

const queuedIn = (ours: House): readonly QueuedMessage[] =>
  ours.events.flatMap(({ event }) => (event.type === "MessageQueued" ? [event] : []));

const resolver = async (name: string): Promise<string[][]> => {
  assert.equal(name, "s1._domainkey.shop.example");
  return [[`v=DKIM1; k=rsa; p=${dkim.publicKey.export({ type: "spki", format: "der" }).toString("base64")}`]];
};

describe("a message from a stock client", () => {
  for (const listener of ["starttls", "implicit"] as const) {
    it(`over ${listener} is delivered, completed and signed, and its webhook called`, async () => {
      const ours = await shop();
      const sent = await client(ours, listener).sendMail({
        ...{ from: "The Shop <orders@shop.example>", to: "bob@there.example", bcc: "hidden@there.example" },
        ...{ subject: "Grüße", text: "Danke für alles.\n.\nEnde\n", html: "<p>Danke</p>" },
        headers: { "X-Mox-Extra-Order": "7" },
        attachments: [{ filename: "a.bin", content: Buffer.from([0, 1, 2, 13, 10, 46, 255]) }],
      });
      assert.match(sent.response, /^250 2\.0\.0 queued as \d+, \d+$/u);
      await ours.quiet();
      assert.deepEqual(ours.remote.mails.flatMap(({ to }) => to).sort(), ["bob@there.example", "hidden@there.example"]);
      const content = ours.remote.mails[0]!.content;
      const text = content.toString("latin1");
      assert.match(text, /^DKIM-Signature: /u);
      assert.match(text, /\r\nReceived: from \S+ \(\[127\.0\.0\.1\]\)\r\n\tby posthorn\.example with ESMTPSA id /u);
      assert.doesNotMatch(text, /hidden@|X-Mox-Extra|^Bcc/imu);
      const { results } = await dkimVerify(content, { resolver, curTime: new Date(ours.clock.now()) });
      assert.deepEqual(
        results.map(({ status }) => status.result),
        ["pass"],
      );
      const ids = sent.response.match(/\d{5,}/gu)!.map(Number);
      assert.deepEqual(
        ours.receiver.calls
          .map(({ body }) => body as { readonly QueueMsgID: number; readonly Event: string; readonly Extra: object })
          .map(({ QueueMsgID, Event, Extra }) => ({ QueueMsgID, Event, Extra }))
          .sort((a, b) => a.QueueMsgID - b.QueueMsgID),
        ids.map((QueueMsgID) => ({ QueueMsgID, Event: "delivered", Extra: { Order: "7" } })),
      );
    });
  }

  it("is refused when its From is another's, and nothing is queued", async () => {
    const ours = await shop();
    const transport = client(ours, "implicit");
    const refusal = transport.sendMail({
      ...{ from: "boss@bank.example", to: "bob@there.example", text: "x" },
      envelope: { from: LOGIN.user, to: ["bob@there.example"] },
    });
    await assert.rejects(refusal, { responseCode: 550, response: /5\.7\.1/u });
    assert.equal(queuedIn(ours).length, 0);
  });

  it("with a wrong password is not even asked for it", async () => {
    const ours = await shop();
    await assert.rejects(client(ours, "starttls", "nobody@shop.example").sendMail({ to: "bob@there.example", text: "x" }), {
      code: "EAUTH",
    });
  });
});

describe("what a submission asks for", () => {
  it("is passed on to a next hop that offers DSN", async () => {
    const ours = await shop();
    const visitor = await dialogue(ours);
    await visitor.say("MAIL FROM:<orders@shop.example> RET=HDRS ENVID=order+2B7");
    await visitor.say("RCPT TO:<bob@there.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;old+2Bbob@there.example");
    await visitor.say("DATA");
    assert.match((await visitor.say("From: orders@shop.example\r\n\r\nHello\r\n.")) ?? "", /^250 /u);
    await ours.quiet();
    const { steps } = ours.remote;
    assert.match(steps.find(({ phase }) => phase === "MAIL")?.line ?? "", / RET=HDRS ENVID=order\+2B7(?: |$)/u);
    const rcpt = steps.find(({ phase }) => phase === "RCPT")?.line.toUpperCase() ?? "";
    assert.match(rcpt, / NOTIFY=FAILURE,DELAY(?: |$)/u);
    assert.match(rcpt, / ORCPT=RFC822;OLD\+2BBOB@THERE\.EXAMPLE/u);
    visitor.hangUp();
  });

  it("is waited for: HOLDFOR", async () => {
    const ours = await shop();
    const visitor = await dialogue(ours);
    await visitor.say("MAIL FROM:<orders@shop.example> HOLDFOR=7200");
    await visitor.say("RCPT TO:<bob@there.example>");
    await visitor.say("DATA");
    await visitor.say("From: orders@shop.example\r\n\r\nHello\r\n.");
    visitor.hangUp();
    await ours.pass(HOUR_MS);
    assert.equal(ours.remote.mails.length, 0);
    await ours.pass(HOUR_MS);
    assert.equal(ours.remote.mails.length, 1);
  });

  it("makes UTF-8 leave as such", async () => {
    const ours = await shop();
    const visitor = await dialogue(ours);
    await visitor.say("MAIL FROM:<orders@shop.example> SMTPUTF8 BODY=8BITMIME");
    await visitor.say("RCPT TO:<grüße@bücher.example>");
    await visitor.say("DATA");
    assert.match((await visitor.say("From: orders@shop.example\r\nSubject: Grüße\r\n\r\nHällo\r\n.")) ?? "", /^250 /u);
    await ours.quiet();
    const [mail] = ours.remote.mails;
    assert.match(mail?.mailLine ?? "", /(?=.*SMTPUTF8)(?=.*BODY=8BITMIME)/u);
    assert.deepEqual(mail?.to, ["grüße@xn--bcher-kva.example"]);
    assert.match(mail.content.toString("utf8"), /Subject: Grüße\r\n[^]*\r\n\r\nHällo\r\n$/u);
    visitor.hangUp();
  });
});

describe("a fromid login", () => {
  const FROM = "From: shop@shop.example\r\n\r\nHello\r\n.";

  it("may choose a fromid, once, for one recipient", async () => {
    const ours = await shop();
    const visitor = await dialogue(ours, "shop@shop.example");
    const send = async (...recipients: readonly string[]): Promise<string> => {
      assert.match((await visitor.say("MAIL FROM:<shop+order-7@shop.example>")) ?? "", /^250 /u);
      for (const recipient of recipients) await visitor.say(`RCPT TO:<${recipient}>`);
      await visitor.say("DATA");
      return (await visitor.say(FROM)) ?? "";
    };
    assert.match(await send("bob@there.example", "eve@there.example"), /^554 5\.5\.4 .*one recipient/u);
    assert.match(await send("bob@there.example"), /^250 /u);
    assert.match(await send("bob@there.example"), /^554 5\.5\.4 .*another message/u);
    await ours.quiet();
    assert.match(await send("bob@there.example"), /^554 5\.5\.4 .*another message/u);
    assert.deepEqual(
      ours.remote.mails.map(({ from }) => from),
      ["shop+order-7@shop.example"],
    );
    visitor.hangUp();
  });

  it("gets one for each recipient otherwise", async () => {
    const ours = await shop();
    const visitor = await dialogue(ours, "shop@shop.example");
    await visitor.say("MAIL FROM:<shop@shop.example>");
    await visitor.say("RCPT TO:<bob@there.example>");
    await visitor.say("RCPT TO:<eve@there.example>");
    await visitor.say("DATA");
    await visitor.say(FROM);
    await ours.quiet();
    const senders = ours.remote.mails.map(({ from }) => from);
    assert.equal(new Set(senders).size, 2);
    for (const sender of senders) assert.match(sender, /^shop\+[\w-]{22}@shop\.example$/u);
    visitor.hangUp();
  });
});

describe("limits of an account", () => {
  it("are answered as temporary, and leave nothing behind", async () => {
    const ours = await shop({ account: { messagesPerDay: 1 } });
    const visitor = await dialogue(ours);
    const send = async (): Promise<string> => {
      await visitor.say("MAIL FROM:<orders@shop.example>");
      await visitor.say("RCPT TO:<bob@there.example>");
      await visitor.say("DATA");
      return (await visitor.say("From: orders@shop.example\r\n\r\nHello\r\n.")) ?? "";
    };
    assert.match(await send(), /^250 /u);
    assert.match(await send(), /^452 4\.7\.1 .*limit of 1 messages/u);
    await ours.quiet();
    assert.equal(queuedIn(ours).length, 1);
    visitor.hangUp();
  });
});

describe("a large message", () => {
  it("of 20 MB passes through as it was", async () => {
    const ours = await shop();
    const body = `${"0123456789abcdef".repeat(62)}\r\n`.repeat(20_000);
    const visitor = await dialogue(ours);
    await visitor.say("MAIL FROM:<orders@shop.example> SIZE=20000000");
    await visitor.say("RCPT TO:<bob@there.example>");
    await visitor.say("DATA");
    visitor.send("From: orders@shop.example\r\n\r\n");
    visitor.send(body);
    assert.match((await visitor.say(".")) ?? "", /^250 /u);
    await ours.quiet();
    const { content } = ours.remote.mails[0]!;
    const sha = (octets: Uint8Array): string => createHash("sha256").update(octets).digest("hex");
    assert.equal(sha(content.subarray(content.indexOf("\r\n\r\n") + 4)), sha(Buffer.from(body)));
    visitor.hangUp();
  });
});
