/** How complaints find the messages that they are about, and what comes of it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { messageStream } from "../../../src/domain/message/events.ts";
import type { ReceivedMessage } from "../../../src/domain/received/events.ts";
import { eventsOf, webhook } from "./reacting.ts";
import { announced, arrive, club, complaint, listed, noted, opened, sent, shop, told } from "./reporting.ts";

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
