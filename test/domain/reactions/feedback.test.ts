/** How DSNs find the messages that they are about, and what comes of it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { messageStream } from "../../../src/domain/message/events.ts";
import { failedWith } from "../../support/world.ts";
import { eventsOf, readAgain } from "./reacting.ts";
import { announced, arrive, block, club, complaint, dsn, listed, noted, opened, put, sent, shop, told, unique } from "./reporting.ts";

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
    await arrive(one, { tag: fromId, report: dsn() });
    const again = told(one).at(-1);
    assert.deepEqual([again?.event, again?.suppressing, listed(one).length], ["failed", false, 1]);
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

  it("speaks of a recipient as this server wrote it, decoded or not", async () => {
    const one = await opened();
    const [id = 0] = await one.send(["bob+news@there.example"]);
    await one.quiet();
    const { envelopeId = "" } = eventsOf(one.log, "MessageQueued")[0] ?? {};
    const recipients = [block({ finalRecipient: "bob@inner.example", originalRecipient: "bob+2Bnews@there.example" })];
    await arrive(one, { report: dsn({ originalEnvelopeId: envelopeId, recipients }) });
    assert.equal(noted(one, id).length, 1);
    await one.core.stop(0);
  });

  it("is found as its reporter wrote it, decoded or not", async () => {
    const one = await opened();
    const envelope = { mailFrom: null, envelopeId: "a+b=c", returnContent: null, wishes: [] } as const;
    const [id = 0] = await one.send(["bob@there.example"], { envelope });
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
    for (let times = 0; times < 102; times += 1) put(one, { tag: fromId });
    await one.quiet();
    assert.deepEqual([noted(one, id).length, announced(one), one.failures, one.troubles], [100, 0, [], []]);
    await one.core.stop(0);
  });
});
