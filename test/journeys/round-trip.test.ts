/**
 * The whole way, by a real Postfix: out over STARTTLS and signed, back as its own bounce, matched, told and suppressed; and in
 * from outside to the Inbox, the incoming webhook and the webapi.
 */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { dkimVerify } from "mailauth/lib/dkim/verify.js";
import { createTransport } from "nodemailer";
import { localDns, type LocalDns } from "../support/local-dns.ts";
import { houses, LOGIN, type House } from "../support/posthorn.ts";
import { postfixMissing, realPostfix, type RealPostfix } from "../support/real-postfix.ts";
import { ALL_EXTENSIONS, scriptedRemote, type ScriptedRemote } from "../support/scripted-remote.ts";
import { testAuthority } from "../support/test-authority.ts";

const house = houses();

/** A port that is known before the server behind it is there. */
const gateway = async () => {
  let target = 0;
  const server: Server = createServer((client) => {
    const onward = connect(target, "127.0.0.1");
    client.pipe(onward).pipe(client);
    for (const socket of [client, onward]) socket.on("error", () => [client, onward].map((each) => each.destroy()));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    leadTo: (port: number): void => {
      target = port;
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
};

describe("a shop and a real Postfix", { skip: postfixMissing }, () => {
  const files = mkdtempSync(join(tmpdir(), "posthorn-round-trip-"));
  const key = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const authority = testAuthority();
  let beyond: ScriptedRemote;
  let wayBack: Awaited<ReturnType<typeof gateway>>;
  let postfix: RealPostfix;
  let dns: LocalDns;

  const file = (name: string, text: string): string => {
    writeFileSync(join(files, name), text, { mode: 0o600 });
    return join(files, name);
  };

  before(async () => {
    beyond = await scriptedRemote({
      script: ({ phase, line }) => (phase === "RCPT" && line.includes("<bouncer@") ? "550 5.1.1 No such person" : undefined),
      extensions: [...ALL_EXTENSIONS],
    });
    wayBack = await gateway();
    postfix = await realPostfix({
      hostName: "mx.receiver.example",
      relayPort: beyond.port,
      certificate: authority.issue(["mx.receiver.example"]),
      insistsOnTls: true,
      settings: [`transport_maps = inline:{{shop.example=smtp:[127.0.0.1]:${wayBack.port}}}`],
    });
    dns = await localDns({
      "receiver.example": [{ type: "MX", preference: 10, exchange: "mx.receiver.example" }],
      "mx.receiver.example": [{ type: "A", address: "127.0.0.1" }],
    });
  });
  after(async () => {
    await postfix.close();
    await wayBack.close();
    await beyond.close();
    await dns.close();
    rmSync(files, { recursive: true });
  });

  const shop = async (): Promise<House> => {
    const own = authority.issue(["localhost"]);
    const tls = { certFile: file("tls.crt", own.cert), keyFile: file("tls.key", own.key) };
    const keyFile = file("dkim.key", key.privateKey.export({ type: "pkcs8", format: "pem" }).toString());
    const ours = await house({
      network: { trustedCertificates: [authority.root] },
      account: { fromIdLoginAddresses: [LOGIN.user] },
      config: (hook) => ({
        dnsServers: [dns.server],
        listeners: {
          web: { kind: "http", address: "127.0.0.1", port: 0, allowInsecureLogin: true },
          submission: { kind: "submission", address: "127.0.0.1", port: 0, tls },
          mx: { kind: "smtp", address: "127.0.0.1", port: 0, tls },
        },
        transports: { direct: { kind: "direct", port: postfix.port } },
        routes: [],
        domains: { "shop.example": { catchAllSeparator: "+", dkim: [{ selector: "s1", keyFile }] } },
        accounts: {
          shop: {
            addresses: [LOGIN.user],
            password: LOGIN.password,
            fullName: "The Shop",
            fromIdLoginAddresses: [LOGIN.user],
            outgoingWebhook: { url: hook },
            incomingWebhook: { url: hook },
          },
        },
      }),
    });
    wayBack.leadTo(ours.posthorn().listeners.get("mx")!.port);
    return ours;
  };

  const submit = (ours: House, to: string) =>
    createTransport({
      host: "127.0.0.1",
      port: ours.posthorn().listeners.get("submission")!.port,
      requireTLS: true,
      auth: { user: LOGIN.user, pass: LOGIN.password },
      tls: { ca: authority.root, servername: "localhost" },
    }).sendMail({ from: LOGIN.user, to, subject: "Your order", text: "It is on its way.\n.dot\n" });

  const arrived = async (to: string): Promise<Buffer> => {
    for (let times = 1; ; times += 1) {
      const mail = beyond.mails.find((one) => one.to.includes(to));
      if (mail !== undefined) return mail.content;
      await beyond.saw("DOT", times);
    }
  };

  const signatureOf = async (ours: House, content: Buffer): Promise<string | undefined> => {
    const record = `v=DKIM1; k=rsa; p=${key.publicKey.export({ type: "spki", format: "der" }).toString("base64")}`;
    const { results } = await dkimVerify(content, { resolver: async () => [[record]], curTime: new Date(ours.clock.now()) });
    return results[0]?.status.result;
  };

  it("get messages across, signed and over STARTTLS, from the webapi and from a mail client", async () => {
    const ours = await shop();
    await ours.send({ To: [{ Address: "ann@receiver.example" }], Subject: "Grüße", Text: "Grüße\n" });
    await submit(ours, "bob@receiver.example");
    for (const to of ["ann@receiver.example", "bob@receiver.example"]) assert.equal(await signatureOf(ours, await arrived(to)), "pass", to);
    await ours.quiet();
    const retired = await ours.list<{ readonly id: number; readonly state: string }>("/retired");
    assert.deepEqual(
      retired.map(({ state }) => state),
      ["delivered", "delivered"],
    );
    for (const { id } of retired) {
      const { attempts } = await ours.admin<{ readonly attempts: readonly { readonly tls: object | null }[] }>("GET", `/messages/${id}`);
      assert.notEqual(attempts[0]?.tls, null);
    }
  });

  for (const how of ["webapi", "a mail client"] as const) {
    it(`match the bounce of a message from ${how}, which is told and suppresses its recipient`, async () => {
      const ours = await shop();
      const received = ours.awaitEvent("DsnReceived");
      if (how === "webapi") await ours.sendTo("bouncer@receiver.example");
      else await submit(ours, "bouncer@receiver.example");
      const { event } = await received;
      assert.deepEqual([event.action, event.code, event.enhancedCode, event.matchedBy], ["failed", 550, "5.1.1", "fromid"]);
      const told = await ours.receiver.next("failed");
      assert.partialDeepStrictEqual(told.body, { DSN: true, Suppressing: true, SMTPCode: 550, SMTPEnhancedCode: "5.1.1" });
      await ours.quiet();
      assert.deepEqual((await ours.webapi("SuppressionPresent", { EmailAddress: "bouncer@receiver.example" })).body, { Present: true });
      await ours.sendTo("bouncer@receiver.example");
      await ours.receiver.next("suppressed");
    });
  }

  it("bring mail from outside to the Inbox, the incoming webhook and, part by part, to the webapi", async () => {
    const ours = await shop();
    const outside = createTransport({
      host: "127.0.0.1",
      port: postfix.port,
      requireTLS: true,
      tls: { ca: authority.root, servername: "mx.receiver.example" },
    });
    const attachment = Buffer.from("Not a photo. ".repeat(250));
    await outside.sendMail({
      from: "ann@receiver.example",
      to: LOGIN.user,
      subject: "Re: Your order",
      text: "Thank you!\n",
      attachments: [{ filename: "photo.bin", content: attachment }],
    });
    const { event } = await ours.awaitEvent("MessageReceived");
    await ours.awaitEvent("WebhookDelivered");
    const call = ours.receiver.calls
      .map(({ body }) => body as Record<string, unknown>)
      .find((body) => body["Subject"] === "Re: Your order");
    assert.partialDeepStrictEqual(call, { Text: "Thank you!\n", Meta: { MsgID: event.id, MailboxName: "Inbox", RcptTo: LOGIN.user } });
    const { body } = await ours.webapi("MessageGet", { MsgID: event.id });
    assert.partialDeepStrictEqual(body, {
      Message: { Subject: "Re: Your order", Text: "Thank you!\n" },
      Structure: {
        ContentType: "multipart/mixed",
        Parts: [{ ContentType: "text/plain" }, { Filename: "photo.bin", DecodedSize: attachment.length }],
      },
    });
    const part = await ours.webapi("MessagePartGet", { MsgID: event.id, PartPath: [1] });
    assert.equal(part.body, attachment.toString());
  });
});
