/** Senders get a DSN in their Inbox, once. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DAY_MS } from "../../../src/domain/clock.ts";
import { contentSize } from "../../../src/domain/event-log.ts";
import type { ReceivedEvent } from "../../../src/domain/received/events.ts";
import { anAccount, smtpResult } from "../../support/samples.ts";
import { failedWith, succeeded, world, type World } from "../../support/world.ts";

const operator = { kind: "operator", name: "ada" } as const;

type Received = Extract<ReceivedEvent, { type: "MessageReceived" }>;

const reportsIn = ({ log }: World): readonly Received[] =>
  log.all().flatMap(({ event }) => (event.type === "MessageReceived" ? [event] : []));

const given = async (answer: World["courier"]["answer"], changes: Parameters<typeof world>[0] = {}) => {
  const one = world(changes);
  one.courier.answer = answer;
  await one.begin();
  return one;
};

describe("a message that fails", () => {
  it("brings its sender a report, under the id of the failure", async () => {
    const one = await given(() => failedWith(550, "5.1.1"));
    await one.send(["bob@there.example"]);
    await one.quiet();
    const [report = assert.fail("no report"), ...others] = reportsIn(one);
    const failed = one.log.all().flatMap(({ event }) => (event.type === "DeliveryFailed" ? [event.callId] : []));
    assert.deepEqual(others, []);
    assert.deepEqual([[report.id], report.contentId], [failed, report.id]);
    assert.deepEqual(
      [report.account, report.mailbox, report.origin, report.mailFrom, report.automated, report.report, report.tag],
      ["shop", "Inbox", "report", "", true, null, ""],
    );
    assert.match(report.subject, /^failed: \d+$/, "with the message still there");
    assert.equal(Buffer.from((await one.log.contents.read(report.contentId)) ?? []).toString(), "failed");
    await one.core.stop(0);
  });

  it("brings one for each recipient, and their shared content goes afterwards", async () => {
    const one = await given((address) => (address.startsWith("bob") ? failedWith(550) : succeeded));
    await one.send(["bob@there.example", "eve@there.example", "bob@elsewhere.example"]);
    await one.quiet();
    assert.equal(reportsIn(one).length, 2);
    assert.deepEqual(
      one.log.contents.ids(),
      reportsIn(one)
        .map(({ id }) => id)
        .sort((a, b) => a - b),
    );
    await one.core.stop(0);
  });

  it("brings one when an operator fails it, and none when it is dropped", async () => {
    const one = await given(() => failedWith(451));
    const [first = 0, second = 0] = await one.send(["bob@there.example", "eve@there.example"]);
    await one.quiet();
    await one.core.queue.act({ type: "fail" }, (after) => (after === 0 ? [first] : []), operator);
    await one.core.queue.act({ type: "drop" }, (after) => (after === 0 ? [second] : []), operator);
    await one.quiet();
    assert.equal(reportsIn(one).length, 1);
    await one.core.stop(0);
  });

  it("brings none to a sender who wants none, nor to nobody", async () => {
    const one = await given(() => failedWith(550));
    const envelope = { envelopeId: "", returnContent: null } as const;
    const silent = { notify: [], originalRecipient: "" };
    const mailFrom = { localPart: "orders", domain: "shop.example", text: "orders@shop.example" };
    await one.send(["bob@there.example"], { envelope: { ...envelope, mailFrom, wishes: [silent] } });
    await one.send(["bob@elsewhere.example"], { envelope: { ...envelope, mailFrom: null, wishes: [{ ...silent, notify: null }] } });
    await one.quiet();
    assert.equal(one.log.all().filter(({ event }) => event.type === "DeliveryFailed").length, 2);
    assert.deepEqual(reportsIn(one), []);
    await one.core.stop(0);
  });

  it("is reported although the account may store no more, and no webhook is called for the report", async () => {
    const content = [Buffer.from("Subject: Hello\r\n\r\nHello\r\n")];
    const incomingWebhook = { url: "https://hooks.shop.example/in" };
    const one = await given(() => failedWith(550), { accounts: [anAccount({ storageQuota: contentSize(content), incomingWebhook })] });
    await one.send(["bob@there.example"], { content });
    await one.quiet();
    assert.equal(reportsIn(one).length, 1);
    assert.deepEqual(
      one.caller.calls.filter(({ kind }) => kind === "incoming"),
      [],
    );
    await one.core.stop(0);
  });
});

describe("a message that is delayed", () => {
  it("brings one report after the fifth failed attempt, and another when it is given up", async () => {
    const one = await given(() => failedWith(451));
    await one.send(["bob@there.example"]);
    await one.quiet();
    for (let hour = 0; hour < 24; hour += 1) await one.pass(DAY_MS / 24);
    const attempts = one.log
      .all()
      .flatMap(({ event }) => (event.type === "DeliveryDeferred" || event.type === "DeliveryFailed" ? [event] : []));
    const callIds = new Map(attempts.map((event) => [event.attempt, event.callId]));
    assert.deepEqual(
      reportsIn(one).map(({ subject, id }) => [subject.split(":")[0], id]),
      [
        ["delayed", callIds.get(5)],
        ["failed", callIds.get(8)],
      ],
    );
    await one.core.stop(0);
  });

  it("brings none while nobody knows whether it arrived", async () => {
    const one = await given(() => ({ kind: "uncertain", result: smtpResult(0) }), { accounts: [anAccount({ uncertainDelivery: "wait" })] });
    await one.send(["bob@there.example"]);
    await one.quiet();
    assert.deepEqual(reportsIn(one), []);
    await one.core.stop(0);
  });
});

describe("a report to a sender", () => {
  it("is written once although the reactions begin anew", async () => {
    const one = await given(() => failedWith(550));
    await one.send(["bob@there.example"]);
    await one.quiet();
    await one.core.stop(0);
    await one.log.saveCheckpoint("reactions", 0);
    const again = await given(() => failedWith(550), { log: one.log, clock: one.clock });
    await again.quiet();
    assert.equal(reportsIn(again).length, 1);
    await again.core.stop(0);
  });
});
