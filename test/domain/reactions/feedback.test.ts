/** How reports find the messages that they are about, and what comes of it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Account } from "../../../src/domain/account/account.ts";
import { messageStream } from "../../../src/domain/message/events.ts";
import { receivedStream, type ReceivedMessage } from "../../../src/domain/received/events.ts";
import type { RecipientReport, Report } from "../../../src/domain/received/report.ts";
import type { Submission } from "../../../src/domain/submission/submission.ts";
import { aReceivedMessage, anAccount, outgoing } from "../../support/samples.ts";
import { failedWith, world, type World } from "../../support/world.ts";
import { eventsOf, readAgain, webhook } from "./reacting.ts";

type Dsn = Extract<Report, { kind: "dsn" }>;
type Complaint = Extract<Report, { kind: "complaint" }>;

const block = (changes: Partial<RecipientReport> = {}): RecipientReport => ({
  finalRecipient: "bob@there.example",
  originalRecipient: "",
  action: "failed",
  code: 550,
  enhancedCode: "5.1.1",
  diagnostic: "no such user",
  remoteHost: "mx.there.example",
  ...changes,
});

const dsn = (changes: Partial<Dsn> = {}): Dsn => ({
  kind: "dsn",
  originalEnvelopeId: "",
  reportingHost: "relay.example",
  recipients: [block()],
  returned: { messageId: "" },
  ...changes,
});

const complaint = (changes: Partial<Complaint> = {}): Complaint => ({
  kind: "complaint",
  feedbackType: "abuse",
  originalEnvelopeId: "",
  originalRecipients: [],
  originalMailFrom: "",
  returned: { messageId: "" },
  ...changes,
});

const ASKED_FOR = new Set(["failed", "delayed", "delivered", "relayed", "expanded", "unrecognized", "complained"] as const);

const shop = (changes: Partial<Account> = {}): Account =>
  anAccount({
    outgoingWebhook: webhook({ events: ASKED_FOR, mode: "every" }),
    incomingWebhook: { url: "https://hooks.shop.example/in" },
    fromIdLoginAddresses: ["news@shop.example"],
    ...changes,
  });

const club = anAccount({
  name: "club",
  addresses: ["club@shop.example"],
  incomingWebhook: { url: "https://hooks.club.example/in" },
  outgoingWebhook: webhook(),
});

/** Login whose messages have fromids, which count up: token2, token3, ... for the first submission, whose envelope is token1. */
const unique: Partial<Submission> = {
  login: { localPart: "news", domain: "shop.example", text: "news@shop.example" },
  from: { localPart: "news", domain: "shop.example", text: "news@shop.example" },
};

const opened = async (accounts: Account[] = [shop(), club]): Promise<World> => {
  const one = world({ accounts });
  await one.begin();
  return one;
};

let nextReceived = 5_000;

/** Something arrives, and everything that follows happens. */
const arrive = async (one: World, changes: Partial<ReceivedMessage>): Promise<number> => {
  const id = (nextReceived += 3);
  const message = aReceivedMessage({
    account: "shop",
    report: null,
    tag: "",
    origin: "smtp",
    id,
    contentId: id + 1,
    callId: id + 2,
    ...changes,
  });
  one.log.write(receivedStream(id), { type: "MessageReceived", at: one.clock.now(), ...message });
  await one.quiet();
  return id;
};

const noted = (one: World, id: number) =>
  one.log.all().flatMap(({ stream, event }) => (stream === messageStream(id) && "receivedId" in event ? [event] : []));

/** How many calls of the incoming webhook were made. */
const announced = (one: World): number => one.caller.calls.filter(({ kind }) => kind === "incoming").length;

const told = (one: World) => one.caller.calls.flatMap((call) => (call.kind === "outgoing" ? [outgoing(call)] : []));

const listed = (one: World): readonly string[] => eventsOf(one.log, "SuppressionAdded").map(({ baseAddress }) => baseAddress);

/** A delivered message to bob with a fromid, and that fromid. */
const sent = async (one: World): Promise<{ readonly id: number; readonly fromId: string }> => {
  const [id = 0] = await one.send(["bob@there.example"], unique);
  await one.quiet();
  return { id, fromId: eventsOf(one.log, "MessageQueued").at(-1)?.fromId ?? "" };
};

describe("a DSN to a unique MAIL FROM", () => {
  it("is noted on its message, suppresses with its cause, is told as a DSN and not announced", async () => {
    const one = await opened();
    const { id, fromId } = await sent(one);
    const receivedId = await arrive(one, { tag: fromId, report: dsn() });
    const [event] = noted(one, id);
    assert.ok(event?.type === "DsnReceived");
    assert.deepEqual(
      [event.receivedId, event.matchedBy, event.action, event.code, event.error, event.remoteHost, event.suppress?.rule],
      [receivedId, "fromid", "failed", 550, "no such user", "mx.there.example", "enhanced-code"],
    );
    const [entry] = eventsOf(one.log, "SuppressionAdded");
    assert.deepEqual([entry?.baseAddress, entry?.cause], ["bob@there.example", { stream: messageStream(id), revision: 4 }]);
    const call = told(one).at(-1);
    assert.deepEqual(
      [
        call?.event,
        call?.dsn,
        call?.suppressing,
        call?.queueMsgId,
        call?.fromId,
        call?.smtpCode,
        call?.smtpEnhancedCode,
        call?.bounceClass,
      ],
      ["failed", true, true, id, fromId, 550, "5.1.1", "bad-address"],
    );
    assert.equal(announced(one), 0);
    await one.core.stop(0);
  });

  it("counts whatever its recipient is called there, and names the reporting host where it names no other", async () => {
    const one = await opened();
    const { id, fromId } = await sent(one);
    await arrive(one, { tag: fromId, report: dsn({ recipients: [block({ finalRecipient: "robert@inner.example", remoteHost: "" })] }) });
    const [event] = noted(one, id);
    assert.deepEqual(event?.type === "DsnReceived" && [event.action, event.remoteHost], ["failed", "relay.example"]);
    await one.core.stop(0);
  });

  it("is unrecognized unless it speaks of exactly one recipient", async () => {
    const one = await opened();
    const { id, fromId } = await sent(one);
    await arrive(one, { tag: fromId, report: dsn({ recipients: [] }) });
    await arrive(one, { tag: fromId, report: dsn({ recipients: [block(), block()] }) });
    await arrive(one, { tag: fromId, report: dsn({ recipients: [block({ action: "unrecognized" })] }) });
    assert.deepEqual(
      noted(one, id).map((event) => event.type === "DsnReceived" && event.action),
      ["unrecognized", "unrecognized", "unrecognized"],
    );
    assert.deepEqual(listed(one), []);
    await one.core.stop(0);
  });

  for (const action of ["delayed", "delivered", "relayed", "expanded"] as const) {
    it(`is told as ${action}`, async () => {
      const one = await opened();
      const { fromId } = await sent(one);
      await arrive(one, { tag: fromId, report: dsn({ recipients: [block({ action })] }) });
      const call = told(one).at(-1);
      assert.deepEqual([call?.event, call?.dsn, call?.suppressing], [action, true, false]);
      await one.core.stop(0);
    });
  }
});

describe("another message to a unique MAIL FROM", () => {
  it("is unrecognized, and no incoming mail", async () => {
    const one = await opened();
    const { id, fromId } = await sent(one);
    await arrive(one, { tag: fromId });
    assert.deepEqual(
      noted(one, id).map((event) => event.type === "DsnReceived" && event.action),
      ["unrecognized"],
    );
    assert.deepEqual([told(one).at(-1)?.event, announced(one)], ["unrecognized", 0]);
    await one.core.stop(0);
  });

  it("is ordinary mail when nobody knows the fromid, when it is another account's, and when nothing was sent yet", async () => {
    const one = await opened();
    const { id, fromId } = await sent(one);
    await arrive(one, { tag: "unheard-of", report: dsn() });
    await arrive(one, { tag: fromId, account: "club", recipient: "club@shop.example", report: dsn() });
    const [later = 0] = await one.send(["eve@there.example"], { ...unique, releaseAt: one.clock.now() + 60_000 });
    await arrive(one, { tag: eventsOf(one.log, "MessageQueued").at(-1)?.fromId ?? "", report: dsn() });
    assert.deepEqual([noted(one, id), noted(one, later), announced(one)], [[], [], 3]);
    await one.core.stop(0);
  });
});

describe("a DSN with an envelope id", () => {
  it("is noted on the messages of that envelope which it speaks of, each with its own block", async () => {
    const one = await opened();
    const [bob = 0, eve = 0, ann = 0] = await one.send(["Bob@there.example", "eve@there.example", "ann@there.example"]);
    await one.quiet();
    const { envelopeId = "" } = eventsOf(one.log, "MessageQueued")[0] ?? {};
    const recipients = [
      block({ finalRecipient: "bob@inner.example", originalRecipient: "bob@there.example" }),
      block({ finalRecipient: "eve@there.example", action: "delayed", code: 450, enhancedCode: "4.2.2" }),
      block({ finalRecipient: "stranger@there.example" }),
    ];
    await arrive(one, { report: dsn({ originalEnvelopeId: envelopeId, recipients }) });
    const said = [bob, eve, ann].map((id) =>
      noted(one, id).map((event) => event.type === "DsnReceived" && [event.matchedBy, event.action, event.suppress?.rule ?? null]),
    );
    assert.deepEqual(said, [[["envelope-id", "failed", "enhanced-code"]], [["envelope-id", "delayed", null]], []]);
    assert.deepEqual([listed(one), announced(one)], [["bob@there.example"], 0]);
    await one.core.stop(0);
  });

  it("is unrecognized for a recipient that it speaks of several times: an alias was expanded", async () => {
    const one = await opened();
    const [id = 0] = await one.send(["all@there.example"]);
    await one.quiet();
    const { envelopeId = "" } = eventsOf(one.log, "MessageQueued")[0] ?? {};
    const recipients = ["bob", "eve"].map((name) =>
      block({ finalRecipient: `${name}@there.example`, originalRecipient: "all@there.example" }),
    );
    await arrive(one, { report: dsn({ originalEnvelopeId: envelopeId, recipients }) });
    const [event] = noted(one, id);
    assert.deepEqual([event?.type === "DsnReceived" && event.action, listed(one)], ["unrecognized", []]);
    await one.core.stop(0);
  });

  it("is found as its reporter wrote it, decoded or not", async () => {
    const one = await opened();
    const envelope = { mailFrom: null, envelopeId: "a+b=c", returnContent: null, wishes: [] } as const;
    const [id = 0] = await one.send(["bob@there.example"], { envelope } as Partial<Submission>);
    await one.quiet();
    await arrive(one, { report: dsn({ originalEnvelopeId: "a+b=c" }) });
    await arrive(one, { report: dsn({ originalEnvelopeId: "a+2Bb+3Dc" }) });
    assert.deepEqual(noted(one, id).length, 2);
    await one.core.stop(0);
  });
});

describe("a DSN that only returns the Message-ID", () => {
  it("is noted and told, but suppresses nobody and counts for nothing: whoever has the message can make it up", async () => {
    const one = await opened();
    const [id = 0] = await one.send(["bob@there.example"]);
    await one.quiet();
    for (let times = 0; times < 4; times += 1) await arrive(one, { report: dsn({ returned: { messageId: "<order-1@shop.example>" } }) });
    assert.deepEqual(
      noted(one, id).map((event) => event.type === "DsnReceived" && [event.matchedBy, event.suppress]),
      Array.from({ length: 4 }, () => ["message-id", null]),
    );
    assert.deepEqual([listed(one), eventsOf(one.log, "RecipientDeliveryFailed"), announced(one)], [[], [], 0]);
    assert.deepEqual([told(one).at(-1)?.event, told(one).at(-1)?.suppressing], ["failed", false]);
    await one.core.stop(0);
  });

  it("is ordinary mail when the recipient or the account is another", async () => {
    const one = await opened();
    const [id = 0] = await one.send(["bob@there.example"]);
    await one.quiet();
    const returned = { messageId: "<order-1@shop.example>" };
    await arrive(one, { report: dsn({ returned, recipients: [block({ finalRecipient: "eve@there.example" })] }) });
    await arrive(one, { report: dsn({ returned, recipients: [block({ finalRecipient: "" })] }) });
    await arrive(one, { account: "club", report: dsn({ returned }) });
    assert.deepEqual([noted(one, id), announced(one)], [[], 3]);
    await one.core.stop(0);
  });
});

describe("failures that DSNs tell of", () => {
  it("suppress when they are three in a row, though every message was taken by the next hop", async () => {
    const one = await opened();
    const full = dsn({ recipients: [block({ code: 552, enhancedCode: "5.2.2" })] });
    for (let times = 1; times <= 3; times += 1) {
      const { fromId } = await sent(one);
      await arrive(one, { tag: fromId, report: full });
      assert.equal(listed(one).length, times === 3 ? 1 : 0);
    }
    assert.deepEqual(
      eventsOf(one.log, "RecipientDeliveryFailed").map(({ failures }) => failures),
      [1, 2, 3],
    );
    await one.core.stop(0);
  });

  it("count once for one message, however many come", async () => {
    const one = await opened();
    const { fromId } = await sent(one);
    for (let times = 0; times < 4; times += 1) {
      await arrive(one, { tag: fromId, report: dsn({ recipients: [block({ code: 552, enhancedCode: "5.2.2" })] }) });
    }
    assert.equal(one.views.failuresInARow("shop", "bob@there.example"), 1);
    assert.deepEqual(listed(one), []);
    await one.core.stop(0);
  });

  it("add to one that was told at once", async () => {
    const one = await opened();
    one.courier.answer = () => failedWith(552, "5.2.2");
    await sent(one);
    await sent(one);
    one.courier.answer = () => failedWith(451);
    const { fromId } = await sent(one);
    await arrive(one, { tag: fromId, report: dsn({ recipients: [block({ code: 552, enhancedCode: "5.2.2" })] }) });
    assert.deepEqual(listed(one), ["bob@there.example"]);
    await one.core.stop(0);
  });
});

describe("a complaint", () => {
  const ways: Readonly<Record<string, (fromId: string, envelopeId: string) => Partial<ReceivedMessage>>> = {
    "the fromid in its Original-Mail-From": (fromId) => ({ report: complaint({ originalMailFrom: `news+${fromId}@shop.example` }) }),
    "the unique MAIL FROM that it came to": (fromId) => ({ tag: fromId, report: complaint() }),
    "the envelope id and the recipient": (_fromId, envelopeId) => ({
      report: complaint({ originalEnvelopeId: envelopeId, originalRecipients: ["bob@there.example"] }),
    }),
  };
  for (const [way, changes] of Object.entries(ways)) {
    it(`matched by ${way} is told and suppresses`, async () => {
      const one = await opened();
      const { id, fromId } = await sent(one);
      await arrive(one, changes(fromId, eventsOf(one.log, "MessageQueued")[0]?.envelopeId ?? ""));
      const [event] = noted(one, id);
      assert.deepEqual(event?.type === "ComplaintReceived" && [event.feedbackType, event.suppress], ["abuse", true]);
      const [entry] = eventsOf(one.log, "SuppressionAdded");
      assert.deepEqual([entry?.baseAddress, entry?.cause?.stream, entry?.manual], ["bob@there.example", messageStream(id), false]);
      const call = told(one).at(-1);
      assert.deepEqual([call?.event, call?.dsn, call?.suppressing, call?.queueMsgId], ["complained", false, true, id]);
      assert.equal(one.views.failuresInARow("shop", "bob@there.example"), 0);
      assert.equal(announced(one), 0);
      await one.core.stop(0);
    });
  }

  it("that only returns the Message-ID is told and suppresses nobody, also when it hides its recipient", async () => {
    const one = await opened();
    const [id = 0] = await one.send(["bob@there.example"]);
    await one.quiet();
    const returned = { messageId: "<order-1@shop.example>" };
    await arrive(one, { report: complaint({ returned, originalRecipients: ["bob@there.example"] }) });
    await arrive(one, { report: complaint({ returned, originalRecipients: ["k8bd7jd@there.example"] }) });
    assert.deepEqual(
      noted(one, id).map((event) => event.type === "ComplaintReceived" && event.suppress),
      [false, false],
    );
    assert.deepEqual([listed(one), told(one).at(-1)?.event], [[], "complained"]);
    await one.core.stop(0);
  });

  it("that hides its recipient is nobody's when several may have complained", async () => {
    const one = await opened();
    await one.send(["bob@there.example", "eve@there.example"]);
    await one.quiet();
    await arrive(one, { report: complaint({ returned: { messageId: "<order-1@shop.example>" } }) });
    assert.deepEqual([eventsOf(one.log, "ComplaintReceived"), announced(one)], [[], 1]);
    await one.core.stop(0);
  });

  it("in which nobody complains is ordinary mail", async () => {
    const one = await opened();
    const { id, fromId } = await sent(one);
    for (const feedbackType of ["not-spam", "auth-failure"]) await arrive(one, { tag: fromId, report: complaint({ feedbackType }) });
    assert.deepEqual([noted(one, id), listed(one), announced(one)], [[], [], 2]);
    await one.core.stop(0);
  });

  it("is told only to accounts that ask for complaints by name", async () => {
    const one = await opened([shop({ outgoingWebhook: webhook({ events: null }) }), club]);
    const { id, fromId } = await sent(one);
    await arrive(one, { tag: fromId, report: complaint() });
    assert.equal(noted(one, id).length, 1);
    assert.deepEqual([told(one).map(({ event }) => event), listed(one)], [["delivered"], ["bob@there.example"]]);
    await one.core.stop(0);
  });
});

describe("mail that is no news", () => {
  it("is neither matched nor announced: copies of what was sent, and reports of this server", async () => {
    const one = await opened();
    const { id, fromId } = await sent(one);
    for (const origin of ["sent", "report"] as const) await arrive(one, { origin, tag: fromId, report: dsn() });
    assert.deepEqual([noted(one, id), announced(one)], [[], 0]);
    await one.core.stop(0);
  });
});

describe("reactions to reports, read again", () => {
  it("note nothing twice, and tell nobody twice", async () => {
    const one = await opened([shop({ firstTimeRecipientsPerDay: 100 }), club]);
    const first = await sent(one);
    await arrive(one, { tag: first.fromId, report: dsn({ recipients: [block({ action: "delayed", code: 450, enhancedCode: "4.2.2" })] }) });
    await arrive(one, { tag: first.fromId, report: dsn() });
    await arrive(one, { tag: first.fromId, report: complaint() });
    await arrive(one, { tag: first.fromId });
    await arrive(one, { tag: "unheard-of" });
    const before = one.log.all().length;
    for (const from of [0, 9, 18, 27]) {
      const other = await readAgain(one, from);
      assert.deepEqual(other.failures, []);
      await other.core.stop(0);
    }
    assert.deepEqual(
      one.log
        .all()
        .slice(before)
        .map(({ event }) => event.type),
      [],
    );
  });

  it("go on after a hundred reports about one message, and note no more", async () => {
    const one = await opened();
    const { id, fromId } = await sent(one);
    for (let times = 0; times < 102; times += 1) {
      const received = (nextReceived += 3);
      const message = aReceivedMessage({ account: "shop", tag: fromId, id: received, contentId: received + 1, callId: received + 2 });
      one.log.write(receivedStream(received), { type: "MessageReceived", at: one.clock.now(), ...message });
    }
    await one.quiet();
    assert.deepEqual([noted(one, id).length, announced(one), one.failures, one.troubles], [100, 0, [], []]);
    await one.core.stop(0);
  });
});
