/** Senders learn what became of their messages: DSNs in their Inbox, over restarts, read by webapi like any other mail. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { viewsPath } from "../../src/adapters/views/rebuild.ts";
import { removeViews } from "../../src/adapters/views/views-file.ts";
import { DAY_MS, HOUR_MS } from "../../src/domain/clock.ts";
import { houses, LOGIN, type House } from "../support/posthorn.ts";
import { smtpDialogue } from "../support/smtp-dialogue.ts";

const house = houses();

const SUBMISSION = {
  listeners: {
    web: { kind: "http", address: "127.0.0.1", port: 0, allowInsecureLogin: true },
    submission: { kind: "submission", address: "127.0.0.1", port: 0, allowInsecureLogin: true },
  },
};

/** A remote that answers RCPT TO by the recipient's local part. */
const remote = {
  script: ({ phase, line }: { readonly phase: string; readonly line: string }) => (phase === "RCPT" ? replyTo(line) : undefined),
};

const replyTo = (line: string): string | undefined => {
  if (line.includes("<bad")) return "550 5.1.1 <bad@there.example> No such user";
  return line.includes("<late") ? "451 4.7.1 Greylisted, please try again later" : undefined;
};

type Report = { readonly id: number; readonly subject: string; readonly account: string; readonly mailbox: string };

const reports = async (ours: House): Promise<readonly Report[]> => {
  await ours.quiet();
  return ours.list<Report>("/received");
};

type Got = {
  readonly Message: { readonly Subject: string; readonly Text: string; readonly From: readonly { readonly Address: string }[] };
  readonly Structure: { readonly ContentType: string; readonly Parts: readonly { readonly ContentType: string }[] };
  readonly Meta: { readonly MailFrom: string; readonly RcptTo: string; readonly MailboxName: string };
};

/** Submits over SMTP, to recipients with what is asked for each behind them. */
const submit = async (ours: House, recipients: readonly string[], envelope = ""): Promise<void> => {
  const visitor = await smtpDialogue(ours.posthorn().listeners.get("submission")!.port);
  await visitor.reply();
  await visitor.say("EHLO client.example");
  assert.match((await visitor.login(LOGIN.user, LOGIN.password)) ?? "", /^235 /u);
  assert.match(String(await visitor.say(`MAIL FROM:<${LOGIN.user}>${envelope}`)), /^250 /u);
  for (const recipient of recipients) assert.match(String(await visitor.say(`RCPT TO:${recipient}`)), /^250 /u);
  await visitor.say("DATA");
  const content = ["From: <orders@shop.example>", "Subject: By SMTP", "", "Hello, this is the body.", "."].join("\r\n");
  assert.match(String(await visitor.say(content)), /^250 /u);
  visitor.hangUp();
};

describe("a message that is refused for good", () => {
  it("puts a DSN into the Inbox of its sender, which webapi reads", async () => {
    const ours = await house({ remote });
    await ours.sendTo("bad@there.example", { Subject: "Order 17" });
    const [report, ...others] = await reports(ours);
    assert.deepEqual([report?.subject, report?.account, report?.mailbox, others], ["Not delivered: Order 17", "shop", "Inbox", []]);
    const { status, body } = await ours.webapi("MessageGet", { MsgID: report?.id });
    assert.equal(status, 200, JSON.stringify(body));
    const { Message, Structure, Meta } = body as Got;
    assert.deepEqual([Meta.MailFrom, Meta.RcptTo, Meta.MailboxName], ["", LOGIN.user, "Inbox"]);
    assert.equal(Message.From[0]?.Address, "MAILER-DAEMON@posthorn.example");
    assert.match(Message.Text, /could not be delivered to\n\n {4}bad@there\.example/u);
    assert.match(Structure.ContentType, /^multipart\/report/iu);
    assert.deepEqual(
      Structure.Parts.map(({ ContentType }) => ContentType.toLowerCase().split(";")[0]),
      ["text/plain", "message/delivery-status", "text/rfc822-headers"],
    );
    assert.equal(ours.remote.mails.length, 0, "nothing went out about it");
  });

  it("tells its class in the webhook call", async () => {
    const ours = await house({ remote });
    await ours.send({ To: [{ Address: "bad@there.example" }, { Address: "late@there.example" }] });
    const failed = await ours.receiver.next("failed");
    const delayed = await ours.receiver.next("delayed");
    const classes = [failed, delayed].map(({ body }) => (body as unknown as { readonly BounceClass: string }).BounceClass);
    assert.deepEqual(classes, ["bad-address", "greylisting"]);
  });

  it("is reported once, whatever happens in between", async () => {
    const ours = await house({ remote });
    await ours.sendTo("bad@there.example");
    await ours.awaitEvent("DeliveryFailed");
    await ours.stop();
    await ours.start();
    assert.equal((await reports(ours)).length, 1);
    const before = await ours.admin("GET", "/views?digest=true");
    await ours.stop();
    removeViews(viewsPath(ours.directory));
    await ours.start();
    assert.equal((await reports(ours)).length, 1);
    assert.deepEqual(await ours.admin("GET", "/views?digest=true"), before);
  });
});

describe("a message that is delayed", () => {
  it("is reported once after the fifth attempt, and again when it is given up", async () => {
    const ours = await house({ remote });
    await ours.sendTo("late@there.example", { Subject: "Order 18" });
    await ours.pass(1.5 * HOUR_MS);
    assert.deepEqual(await reports(ours), []);
    await ours.pass(HOUR_MS);
    assert.deepEqual(
      (await reports(ours)).map(({ subject }) => subject),
      ["Still not delivered: Order 18"],
    );
    await ours.pass(DAY_MS);
    assert.deepEqual(
      (await reports(ours)).map(({ subject }) => subject),
      ["Not delivered: Order 18", "Still not delivered: Order 18"],
    );
  });
});

describe("what the sender asked for", () => {
  it("is what is reported: nothing, failures, or that a server without DSN has it now", async () => {
    const ours = await house({ remote, config: SUBMISSION });
    await submit(ours, [
      "<bad-1@there.example> NOTIFY=NEVER",
      "<bad-2@there.example> NOTIFY=FAILURE ORCPT=rfc822;old+2Btag@there.example",
      "<late@there.example> NOTIFY=FAILURE",
      "<ann@there.example> NOTIFY=SUCCESS",
      "<eve@there.example>",
    ]);
    await ours.pass(8 * HOUR_MS);
    const got = await reports(ours);
    assert.deepEqual(got.map(({ subject }) => subject).sort(), ["Handed on: By SMTP", "Not delivered: By SMTP"]);
    const failed = got.find(({ subject }) => subject.startsWith("Not"));
    const { content } = await rawOf(ours, failed?.id ?? 0);
    assert.match(content, /\r\nOriginal-Recipient: rfc822; old\+tag@there\.example\r\nFinal-Recipient: rfc822; bad-2@there\.example\r\n/u);
  });

  it("decides how much of the message comes back, and the submission is named as the sender named it", async () => {
    const ours = await house({ remote, config: SUBMISSION });
    await submit(ours, ["<bad@there.example>"], " RET=FULL ENVID=order+2B19");
    const [report] = await reports(ours);
    const { content } = await rawOf(ours, report?.id ?? 0);
    assert.match(content, /\r\nContent-Type: message\/rfc822\r\n[^]*Hello, this is the body\./u);
    assert.match(content, /\r\nOriginal-Envelope-Id: order\+19\r\n/u);
  });
});

const rawOf = async (ours: House, id: number): Promise<{ readonly content: string }> => {
  const events = await ours.admin<{ readonly items: readonly { readonly event: { readonly contentId?: number } }[] }>(
    "GET",
    `/streams/received-${id}`,
  );
  const stored = await ours.posthorn().store.contents.read(events.items[0]?.event.contentId ?? 0);
  return { content: Buffer.from(stored ?? []).toString() };
};

describe("an operator", () => {
  it("who gives up a message of unknown outcome has its sender told, and by dropping it not", async () => {
    let cuts = 2;
    const ours = await house({
      account: { uncertainDelivery: "wait" },
      remote: { script: ({ phase }) => (phase === "DOT" && cuts-- > 0 ? { cut: true } : undefined) },
    });
    const ids = [await ours.sendTo("bob@there.example"), await ours.sendTo("eve@elsewhere.example")];
    await ours.quiet();
    assert.deepEqual((await ours.list<{ readonly id: number }>("/queue?state=uncertain")).map(({ id }) => id).sort(), ids.sort());
    await ours.admin("POST", "/queue/actions", { action: { type: "fail" }, filter: { ids: [ids[0]] } });
    await ours.admin("POST", "/queue/actions", { action: { type: "drop" }, filter: { ids: [ids[1]] } });
    assert.deepEqual(
      (await reports(ours)).map(({ subject }) => subject),
      ["Not delivered: Your order"],
    );
  });
});
