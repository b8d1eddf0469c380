/** What comes back about messages: from the remote's socket to the webhook, the suppression list and the history. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, describe, it } from "node:test";
import { viewsPath } from "../../src/adapters/views/rebuild.ts";
import { removeViews } from "../../src/adapters/views/views-file.ts";
import { localDns, type LocalDns } from "../support/local-dns.ts";
import { houses, LOGIN, type House, type Submission } from "../support/posthorn.ts";
import { smtpDialogue } from "../support/smtp-dialogue.ts";

const house = houses();
const servers: LocalDns[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

const EVENTS = ["delivered", "failed", "delayed", "relayed", "expanded", "unrecognized", "suppressed", "complained"];

/** A shop that takes mail, whose login has unique MAIL FROMs unless said otherwise. */
const shop = async ({
  unique = true,
  events = EVENTS,
}: { readonly unique?: boolean; readonly events?: readonly string[] } = {}): Promise<House> => {
  const dns = await localDns({});
  servers.push(dns);
  return house({
    webhook: { events },
    account: unique ? { fromIdLoginAddresses: [LOGIN.user] } : {},
    config: {
      dnsServers: [dns.server],
      listeners: {
        web: { kind: "http", address: "127.0.0.1", port: 0, allowInsecureLogin: true },
        mx: { kind: "smtp", address: "127.0.0.1", port: 0 },
      },
    },
  });
};

/** Sends to bob, and waits until it is delivered. */
const sent = async (ours: House): Promise<Submission & { readonly messageId: string; readonly mailFrom: string }> => {
  const { Submissions, MessageID } = await ours.send("bob@there.example");
  await ours.receiver.next("delivered");
  await ours.quiet();
  return { ...Submissions[0]!, messageId: MessageID, mailFrom: ours.remote.mails.at(-1)!.from };
};

/** Brings a message to the port for mail from elsewhere, from nobody. */
const bring = async (ours: House, to: string, message: string): Promise<void> => {
  const client = await smtpDialogue(ours.posthorn().listeners.get("mx")!.port);
  try {
    assert.match((await client.upToData("", to)) ?? "", /^354/u);
    assert.match((await client.say(`${message.replaceAll(/\r?\n/gu, "\r\n")}\r\n.`)) ?? "", /^250/u);
  } finally {
    client.hangUp();
  }
  await ours.quiet();
};

const shape = (name: string): string => readFileSync(new URL(`../adapters/mime/report/shapes/${name}.eml`, import.meta.url), "utf8");

const dsn = (fields: { readonly action?: string; readonly envelopeId?: string; readonly messageId?: string } = {}): string =>
  [
    "From: MAILER-DAEMON@mx.there.example (Mail Delivery System)",
    "Subject: About your message",
    "MIME-Version: 1.0",
    'Content-Type: multipart/report; report-type=delivery-status; boundary="R"',
    "",
    "--R",
    "",
    "Something happened.",
    "--R",
    "Content-Type: message/delivery-status",
    "",
    "Reporting-MTA: dns; mx.there.example",
    ...(fields.envelopeId === undefined ? [] : [`Original-Envelope-Id: ${fields.envelopeId}`]),
    "",
    "Final-Recipient: rfc822; bob@there.example",
    `Action: ${fields.action ?? "failed"}`,
    "Status: 5.1.1",
    "Diagnostic-Code: smtp; 550 5.1.1 no such user",
    "",
    "--R",
    "Content-Type: text/rfc822-headers",
    "",
    `Message-ID: ${fields.messageId ?? "<unheard-of@there.example>"}`,
    "",
    "--R--",
  ].join("\n");

const present = async ({ webapi }: House): Promise<boolean> =>
  ((await webapi("SuppressionPresent", { EmailAddress: "bob@there.example" })).body as { readonly Present: boolean }).Present;

type History = {
  readonly message: { readonly state: string; readonly feedback: string; readonly feedbackCode: number };
  readonly feedback: readonly { readonly said: string; readonly matchedBy: string; readonly suppressing: boolean }[];
  readonly events: readonly { readonly text: string }[];
};

const historyOf = (ours: House, id: number): Promise<History> => ours.admin<History>("GET", `/messages/${id}`);

describe("a bounce that comes back to a unique MAIL FROM", () => {
  it("makes the webhook call, lists the address with its cause, and is part of the history", async () => {
    const ours = await shop();
    const { QueueMsgID, FromID, mailFrom } = await sent(ours);
    assert.equal(mailFrom, `orders+${FromID}@shop.example`);
    await bring(ours, mailFrom, shape("postfix"));
    const { body } = await ours.receiver.next("failed");
    assert.deepEqual(
      [body.DSN, body.Suppressing, body.QueueMsgID, body.FromID, body.SMTPCode, body.SMTPEnhancedCode],
      [true, true, QueueMsgID, FromID, 550, "5.1.1"],
    );
    assert.match(body.Error, /User unknown/u);
    assert.equal(await present(ours), true);
    const added = await ours.awaitEvent("SuppressionAdded");
    const noted = await ours.awaitEvent("DsnReceived");
    assert.deepEqual(added.event.cause, { stream: noted.stream, revision: noted.revision });
    const { message, feedback, events } = await historyOf(ours, QueueMsgID);
    assert.deepEqual([message.state, message.feedback, message.feedbackCode], ["delivered", "failed", 550]);
    assert.deepEqual(
      feedback.map(({ said, matchedBy, suppressing }) => [said, matchedBy, suppressing]),
      [["failed", "fromid", true]],
    );
    assert.match(events.at(-1)?.text ?? "", /a DSN says failed: 550 5\.1\.1/u);

    await ours.sendTo("bob@there.example");
    await ours.receiver.next("suppressed");
  });

  for (const action of ["delayed", "delivered", "relayed", "expanded"]) {
    it(`is told as ${action} when it says so, and lists nobody`, async () => {
      const ours = await shop();
      const { QueueMsgID, mailFrom } = await sent(ours);
      await bring(ours, mailFrom, dsn({ action }));
      const { body } = await ours.receiver.next(action);
      assert.deepEqual([body.DSN, body.Suppressing, body.QueueMsgID], [true, false, QueueMsgID]);
      assert.equal(await present(ours), false);
    });
  }

  it("is unrecognized when it is no DSN, or one with an action that nobody knows", async () => {
    const ours = await shop();
    const { QueueMsgID, mailFrom } = await sent(ours);
    const messages = [
      [dsn({ action: "teleported" }), true] as const,
      [shape("qmail"), false] as const,
      [shape("several-recipients"), true] as const,
    ];
    for (const [message, isDsn] of messages) {
      await bring(ours, mailFrom, message);
      const { body } = await ours.receiver.next("unrecognized");
      assert.deepEqual([body.DSN, body.Suppressing, body.QueueMsgID], [isDsn, false, QueueMsgID]);
    }
    assert.equal(await present(ours), false);
  });

  it("is noted though the server was stopped in between, once, and the views are built again to the same digest", async () => {
    const ours = await shop();
    const { QueueMsgID, mailFrom } = await sent(ours);
    await ours.stop();
    await ours.start();
    await bring(ours, mailFrom, dsn());
    await ours.receiver.next("failed");
    await ours.quiet();
    const digest = await ours.admin("GET", "/views?digest=true");
    await ours.stop();
    removeViews(viewsPath(ours.directory));
    await ours.start();
    await ours.quiet();
    assert.deepEqual(await ours.admin("GET", "/views?digest=true"), digest);
    assert.equal((await historyOf(ours, QueueMsgID)).feedback.length, 1);
    assert.equal(ours.receiver.calls.filter(({ body }) => body.Event === "failed").length, 1);
    assert.equal(await present(ours), true);
  });
});

describe("a bounce that comes back to an ordinary address", () => {
  it("is matched by the envelope id that went out, and lists the address", async () => {
    const ours = await shop({ unique: false });
    const { QueueMsgID } = await sent(ours);
    const { event } = await ours.awaitEvent("MessageQueued");
    await bring(ours, LOGIN.user, dsn({ envelopeId: event.envelopeId }));
    const { body } = await ours.receiver.next("failed");
    assert.deepEqual([body.DSN, body.Suppressing, body.QueueMsgID], [true, true, QueueMsgID]);
    assert.equal(await present(ours), true);
  });

  it("is matched by the Message-ID that it returns, and lists nobody: anybody can write that", async () => {
    const ours = await shop({ unique: false });
    const { QueueMsgID, messageId } = await sent(ours);
    const { event } = await ours.awaitEvent("MessageQueued");
    await bring(ours, LOGIN.user, dsn({ messageId, envelopeId: `${event.envelopeId}x` }));
    const { body } = await ours.receiver.next("failed");
    assert.deepEqual([body.DSN, body.Suppressing, body.QueueMsgID], [true, false, QueueMsgID]);
    assert.equal(await present(ours), false);
    assert.deepEqual((await historyOf(ours, QueueMsgID)).feedback[0]?.matchedBy, "message-id");
  });

  it("is ordinary mail when it is about nothing of ours", async () => {
    const ours = await shop({ unique: false });
    const { QueueMsgID } = await sent(ours);
    await bring(ours, LOGIN.user, dsn());
    assert.deepEqual((await historyOf(ours, QueueMsgID)).feedback, []);
    assert.deepEqual(
      ours.receiver.calls.map(({ body }) => body.Event),
      ["delivered"],
    );
  });
});

describe("a complaint", () => {
  const complaint = (fromId: string, type = "abuse"): string =>
    shape("arf-yahoo").replace("Zc2oPq5mTkSxkB0yVQf8Yw", fromId).replace("Feedback-Type: abuse", `Feedback-Type: ${type}`);

  it("is told to an account that asks for it, and lists the address", async () => {
    const ours = await shop();
    const { QueueMsgID, FromID } = await sent(ours);
    await bring(ours, "shop@shop.example", complaint(FromID));
    const { body } = await ours.receiver.next("complained");
    assert.deepEqual([body.DSN, body.Suppressing, body.QueueMsgID, body.SMTPCode], [false, true, QueueMsgID, 0]);
    assert.equal(await present(ours), true);
    const { message, events } = await historyOf(ours, QueueMsgID);
    assert.equal(message.feedback, "complained");
    assert.match(events.at(-1)?.text ?? "", /the recipient complained \(abuse\)/u);
  });

  it("lists the address also when nobody asked to be told", async () => {
    const ours = await shop({ events: [] });
    const { FromID } = await sent(ours);
    await bring(ours, "shop@shop.example", complaint(FromID));
    await ours.quiet();
    assert.equal(await present(ours), true);
    assert.deepEqual(
      ours.receiver.calls.map(({ body }) => body.Event),
      ["delivered"],
    );
  });

  it("is none when the recipient took it out of the spam", async () => {
    const ours = await shop();
    const { QueueMsgID, FromID } = await sent(ours);
    await bring(ours, "shop@shop.example", complaint(FromID, "not-spam"));
    assert.equal(await present(ours), false);
    assert.deepEqual((await historyOf(ours, QueueMsgID)).feedback, []);
  });
});
