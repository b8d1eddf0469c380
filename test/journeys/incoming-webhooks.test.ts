/** Mail for an own address: into the Inbox, told to the incoming webhook, fetched part by part. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { MINUTE_MS } from "../../src/domain/clock.ts";
import { localDns, type LocalDns } from "../support/local-dns.ts";
import { houses, LOGIN, type House } from "../support/posthorn.ts";
import { program, type Program } from "../support/program.ts";
import { smtpDialogue } from "../support/smtp-dialogue.ts";
import { webhookReceiver, type ReceivedCall, type WebhookReceiver } from "../support/webhook-receiver.ts";

type IncomingBody = {
  readonly From: readonly { readonly Name: string; readonly Address: string }[];
  readonly Subject: string;
  readonly MessageID: string;
  readonly Text: string;
  readonly HTML: string;
  readonly Structure: {
    readonly ContentType: string;
    readonly Parts: readonly { readonly Filename: string; readonly DecodedSize: number }[];
  };
  readonly Meta: {
    readonly MsgID: number;
    readonly MailFrom: string;
    readonly RcptTo: string;
    readonly RemoteIP: string;
    readonly Received: string;
    readonly MailboxName: string;
    readonly Automated: boolean;
  };
};

const told = (call: ReceivedCall | undefined): IncomingBody => call?.body as unknown as IncomingBody;

const LETTER = [
  "From: Bob <bob@there.example>",
  "To: orders@shop.example",
  "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=",
  "Message-ID: <1@there.example>",
  "Date: Mon, 1 Jun 2026 12:00:00 +0000",
  "MIME-Version: 1.0",
  'Content-Type: multipart/mixed; boundary="m"',
  "",
  "--m",
  "Content-Type: text/plain; charset=utf-8",
  "Content-Transfer-Encoding: quoted-printable",
  "",
  "Is it on its way=3F",
  "--m",
  "Content-Type: application/octet-stream",
  'Content-Disposition: attachment; filename="order.bin"',
  "Content-Transfer-Encoding: base64",
  "",
  "AAH/",
  "--m--",
];

const deliver = async (port: number, to: readonly string[], letter: readonly string[], from = "bob@there.example"): Promise<void> => {
  const dialogue = await smtpDialogue(port);
  assert.match((await dialogue.upToData(from, ...to)) ?? "", /^354/u);
  assert.match((await dialogue.say([...letter, "."].join("\r\n"))) ?? "", /^250/u);
  dialogue.hangUp();
};

const house = houses();

describe("mail for an own address", () => {
  let dns: LocalDns;

  before(async () => {
    dns = await localDns({});
  });
  after(() => dns.close());

  const receiving = async (): Promise<{ readonly ours: House; readonly deliverTo: (...to: readonly string[]) => Promise<void> }> => {
    const ours = await house({
      config: (hook) => ({
        dnsServers: [dns.server],
        listeners: {
          web: { kind: "http", address: "127.0.0.1", port: 0, allowInsecureLogin: true },
          mail: { kind: "smtp", address: "127.0.0.1", port: 0 },
        },
        accounts: {
          shop: {
            addresses: [LOGIN.user, "shop@shop.example"],
            password: LOGIN.password,
            outgoingWebhook: { url: hook, authorization: "Bearer out" },
            incomingWebhook: { url: `${hook}/incoming`, authorization: "Bearer in" },
          },
        },
      }),
    });
    const port = ours.posthorn().listeners.get("mail")?.port ?? 0;
    return { ours, deliverTo: (...to) => deliver(port, to, LETTER) };
  };

  it("is told to the incoming webhook, and fetched part by part", async () => {
    const { ours, deliverTo } = await receiving();
    await deliverTo("orders+7@shop.example");
    await ours.awaitEvent("WebhookDelivered");
    const [call, ...others] = ours.receiver.calls;
    assert.deepEqual([call?.path, call?.headers.authorization, others.length], ["/hook/incoming", "Bearer in", 0]);
    assert.match(String(call?.headers["x-mox-webhook-id"]), /^[1-9]\d*$/u);
    assert.equal(call?.headers["x-mox-webhook-attempt"], "1");
    const body = told(call);
    assert.deepEqual(
      [body.From, body.Subject, body.MessageID, body.Text, body.HTML],
      [[{ Name: "Bob", Address: "bob@there.example" }], "Grüße", "<1@there.example>", "Is it on its way?", ""],
    );
    assert.deepEqual(
      [body.Structure.ContentType, ...body.Structure.Parts.map(({ Filename, DecodedSize }) => [Filename, DecodedSize])],
      ["multipart/mixed", ["", 17], ["order.bin", 3]],
    );
    const { MsgID, ...meta } = body.Meta;
    assert.deepEqual(meta, {
      MailFrom: "bob@there.example",
      MailFromValidated: false,
      MsgFromValidated: false,
      RcptTo: "orders+7@shop.example",
      DKIMVerifiedDomains: [],
      RemoteIP: "127.0.0.1",
      Received: new Date(ours.clock.now()).toISOString(),
      MailboxName: "Inbox",
      Automated: false,
    });
    const { body: part } = await ours.webapi("MessagePartGet", { MsgID, PartPath: [0] });
    assert.equal(String(part), "Is it on its way?");
    const { body: message } = await ours.webapi("MessageGet", { MsgID });
    assert.equal((message as { readonly Message: { readonly Text: string } }).Message.Text, body.Text);
  });

  it("is told for each recipient, again and again until somebody listens", async () => {
    const { ours, deliverTo } = await receiving();
    ours.receiver.answer = () => 503;
    await deliverTo("orders@shop.example", "shop@shop.example");
    for (const attempt of [1, 2]) {
      await ours.awaitEvent("WebhookDeferred", (event) => event.attempt === attempt);
      await ours.quiet();
      if (attempt === 2) ours.receiver.answer = () => 200;
      await ours.pass(attempt * MINUTE_MS * 1.02);
    }
    const calls = ours.receiver.calls.map(({ headers, body }) => [
      headers["x-mox-webhook-id"],
      told({ path: "", headers, body }).Meta.RcptTo,
    ]);
    assert.equal(calls.length, 6);
    assert.equal(new Set(calls.map(([id]) => id)).size, 2);
    assert.deepEqual(new Set(calls.map(([, to]) => to)), new Set(["orders@shop.example", "shop@shop.example"]));
    const rows = await ours.list("/webhooks/retired?event=incoming");
    assert.deepEqual(
      rows.map(({ event, kind, state }) => [event, kind, state]),
      Array(2).fill(["incoming", "incoming", "delivered"]),
    );
  });

  it("is told all the same when it was deleted before anybody listened", async () => {
    const { ours, deliverTo } = await receiving();
    ours.receiver.answer = () => 503;
    await deliverTo("orders@shop.example");
    await ours.awaitEvent("WebhookDeferred");
    const MsgID = told(ours.receiver.calls[0]).Meta.MsgID;
    assert.equal((await ours.webapi("MessageDelete", { MsgID })).status, 200);
    await ours.quiet();
    ours.receiver.answer = () => 200;
    await ours.pass(MINUTE_MS * 1.02);
    // What waits to be told is kept until then.
    assert.equal(told(ours.receiver.calls[1]).Text, "Is it on its way?");
  });
});

describe("mail in local mode", () => {
  const directory = mkdtempSync(join(tmpdir(), "posthorn-local-"));
  let receiver: WebhookReceiver;
  let server: Program;
  let port = 0;

  before(async () => {
    receiver = await webhookReceiver();
    server = program(["--incoming-webhook-url", receiver.url, "--data", directory, "--smtp-port", "0", "--http-port", "0"]);
    const [, found = ""] = await server.said(/\bsmtp 127\.0\.0\.1:(\d+)/u);
    port = Number(found);
  });
  after(async () => {
    await receiver.close();
    server.signal("SIGTERM");
    await server.exited;
    rmSync(directory, { recursive: true, force: true });
  });

  it("is told with its whole body", async () => {
    const heard = new Promise<ReceivedCall>((resolve) => {
      receiver.answer = (call) => {
        resolve(call);
        return 200;
      };
    });
    await deliver(port, ["local+tag@localhost"], ["Auto-Submitted: auto-replied", ...LETTER]);
    const { Text, Subject, Meta, Structure } = told(await heard);
    assert.deepEqual([Text, Subject, Structure.Parts.length], ["Is it on its way?", "Grüße", 2]);
    assert.deepEqual([Meta.MailFrom, Meta.RcptTo, Meta.Automated], ["bob@there.example", "local+tag@localhost", true]);
  });
});
