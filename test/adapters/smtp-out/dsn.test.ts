/** What a next hop is told about reports (RFC 3461), by its own word that it understands. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { recipientParameters, senderParameters, xtext } from "../../../src/adapters/smtp-out/dsn-parameters.ts";
import type { DeliveryRecipient } from "../../../src/domain/delivery.ts";
import { delivery, noSignal, resultOf, stages } from "../../support/scripted-courier.ts";
import { ALL_EXTENSIONS } from "../../support/scripted-remote.ts";

const stage = stages();
const to = (address: string, rest: Partial<DeliveryRecipient> = {}): DeliveryRecipient => ({
  messageId: 1,
  address,
  notify: null,
  originalRecipient: "",
  ...rest,
});

describe("a next hop that offers DSN", () => {
  it("is told envelope id, what to return, and for each recipient what was wished", async () => {
    const { courier, remote } = await stage({ extensions: [...ALL_EXTENSIONS, "DSN"] });
    const outcomes = await courier.deliver(
      delivery({
        envelopeId: "a+b=c d",
        returnContent: "headers",
        recipients: [
          to("one@receiver.example", { messageId: 1, notify: ["failure", "delay"], originalRecipient: "rfc822;first+tag@old.example" }),
          to("two@receiver.example", { messageId: 2, notify: [] }),
          to("three@receiver.example", { messageId: 3 }),
        ],
      }),
      noSignal(),
    );
    const lines = remote.steps.map(({ line }) => line);
    assert.match(lines.find((line) => line.startsWith("MAIL")) ?? "", / RET=HDRS ENVID=a\+2Bb\+3Dc\+20d$/u);
    assert.deepEqual(
      lines.filter((line) => line.startsWith("RCPT")),
      [
        "RCPT TO:<one@receiver.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;first+2Btag@old.example",
        "RCPT TO:<two@receiver.example> NOTIFY=NEVER ORCPT=rfc822;two@receiver.example",
        "RCPT TO:<three@receiver.example> ORCPT=rfc822;three@receiver.example",
      ],
    );
    assert.equal(resultOf(outcomes.get(1)).dsnPassedOn, true);
  });

  it("is told the same over a kept session", async () => {
    const { courier, remote } = await stage({ extensions: [...ALL_EXTENSIONS, "DSN"] });
    await courier.deliver(delivery({ envelopeId: "first" }), noSignal());
    await courier.deliver(delivery({ envelopeId: "second" }), noSignal());
    assert.deepEqual(
      remote.mails.map(({ mailLine, connection }) => [/ENVID=(\S+)/u.exec(mailLine)?.[1], connection]),
      [
        ["first", 1],
        ["second", 1],
      ],
    );
  });
});

describe("a next hop that does not offer DSN", () => {
  it("is told nothing of it, and the attempt does not say that the duty was passed on", async () => {
    const { courier, remote } = await stage();
    const recipients = [to("one@receiver.example", { notify: ["success"] })];
    const outcomes = await courier.deliver(delivery({ envelopeId: "x", returnContent: "full", recipients }), noSignal());
    assert.ok(!remote.steps.some(({ line }) => /ENVID|RET=|NOTIFY|ORCPT/u.test(line)));
    assert.ok(!("dsnPassedOn" in resultOf(outcomes.get(1))));
  });
});

describe("DSN parameters", () => {
  for (const [text, encoded] of [
    ["plain-id", "plain-id"],
    ["a b", "a+20b"],
    ["+=", "+2B+3D"],
    ["ü\r\n", "+C3+BC+0D+0A"],
  ] as const) {
    it(`write ${JSON.stringify(text)} as ${encoded}`, () => {
      assert.equal(xtext(text), encoded);
    });
  }

  it("name an address beyond ASCII by its code points (RFC 6533)", () => {
    const wish = { notify: null, originalRecipient: "" } as const;
    assert.equal(recipientParameters("jürgen@there.example", wish), " ORCPT=utf-8;j\\x{FC}rgen@there.example");
    assert.equal(recipientParameters("x@y", { ...wish, originalRecipient: "utf-8;jü\\r" }), " ORCPT=utf-8;j\\x{FC}\\x{5C}r");
  });

  it("cannot bring a command of their own", () => {
    const parameters = recipientParameters("x@y", { notify: null, originalRecipient: "rfc822;a@b>\r\nRCPT TO:<evil@c>" });
    assert.ok(!/[\r\n ]/u.test(parameters.trim()), parameters);
    assert.ok(!/[\r\n]/u.test(senderParameters("x\r\nRSET", null)));
  });

  it("leave out what is longer than anybody must take", () => {
    assert.equal(recipientParameters("x@y", { notify: ["success"], originalRecipient: `rfc822;${"a".repeat(600)}` }), " NOTIFY=SUCCESS");
    assert.equal(senderParameters("a".repeat(101), "full"), " RET=FULL");
    assert.equal(senderParameters("", null), "");
  });
});
