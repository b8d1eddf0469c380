/** MAIL and RCPT, which all listeners read alike; parameters are those that a listener offers. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { MESSAGE, receivers } from "../../support/local-receiver.ts";
import { LETTER, mailExchangers } from "../../support/mail-exchanger.ts";
import { delivery, inShort, noSignal, testCourier } from "../../support/scripted-courier.ts";
import type { Dialogue } from "../../support/smtp-dialogue.ts";

const mx = mailExchangers();
const local = receivers();

const greeted = async (visitor: Dialogue): Promise<Dialogue> => {
  await visitor.reply();
  await visitor.say("EHLO client.example");
  return visitor;
};

/** Recipients are at a domain that takes any of them. */
const SITES: Readonly<Record<string, { readonly enter: () => Promise<Dialogue>; readonly domain: string }>> = {
  "The receiver of mail from the internet": { enter: async () => greeted((await mx()).client), domain: "all.example" },
  "The local receiver": { enter: async () => greeted((await local()).client), domain: "localhost" },
};

const ACCEPTED = [
  "MAIL FROM:<>",
  "MAIL FROM:<> ",
  "MAIL FROM: <>",
  "MAIL FROM :\t<app@sender.example>\tSIZE=10 ",
  "mail from:<app@sender.example> size=10 body=8bitmime",
  "MAIL FROM:<app@sender.example> BODY=7BIT SMTPUTF8 SIZE=10",
  "MAIL FROM:<@relay.example,@other.example:app@sender.example>",
  "MAIL FROM:<app@[192.0.2.1]>",
  "MAIL FROM:<app@[IPv6:2001:db8::1]>",
  'MAIL FROM:<"a b"@sender.example>',
  'MAIL FROM:<"a@b>"@sender.example> SIZE=10',
  "MAIL FROM:<örders@bücher.example> SMTPUTF8",
  `MAIL FROM:<srs0=${"x".repeat(80)}@sender.example>`,
  "MAIL FROM:<a..b.@sender.example>",
] as const;

const REFUSED = [
  ["MAIL FROM:<app@sender.example> FOO=1", "555 5.5.4"],
  ["MAIL FROM:<app@sender.example> HOLDFOR=1", "555 5.5.4"],
  ["MAIL FROM:<app@sender.example> RET=HDRS", "555 5.5.4"],
  ["MAIL FROM:<app@sender.example> REQUIRETLS", "555 5.5.4"],
  ["MAIL FROM:<app@sender.example> AUTH=<>", "555 5.5.4"],
  ["MAIL FROM:<app@sender.example> BODY=BINARYMIME", "501 5.5.4"],
  ["MAIL FROM:<app@sender.example> SIZE=1 SIZE=1", "501 5.5.4"],
  ["MAIL FROM:<app@sender.example> SIZE=99999999", "552 5.3.4"],
  ["MAIL FROM:<app@sender.example> =1", "501 5.5.4"],
  ["MAIL FROM:<örders@sender.example>", "553 5.6.7"],
  ["MAIL FROM:<orders@bücher.example>", "553 5.6.7"],
  ["MAIL FROM:app@sender.example", "501 5.5.2"],
  ["MAIL FROM:<app@sender.example", "501 5.5.2"],
  ["MAIL FROM:<app>", "501 5.1.7"],
  ["MAIL FROM:<a b@sender.example>", "501 5.1.7"],
  ["MAIL FROM:<a..b@sender..example>", "501 5.1.7"],
  ["MAIL FROM:<a\u0007b@sender.example>", "501 5.1.7"],
  [`MAIL FROM:<${"x".repeat(250)}@sender.example>`, "501 5.1.7"],
] as const;

for (const [name, { enter, domain }] of Object.entries(SITES)) {
  describe(name, () => {
    for (const line of ACCEPTED) {
      it(`takes ${line.slice(0, 70)}`, async () => {
        assert.match((await (await enter()).say(line)) ?? "", /^250 2\.1\.0 /u);
      });
    }

    for (const [line, reply] of REFUSED) {
      it(`refuses ${JSON.stringify(line.slice(0, 70))}, and takes another`, async () => {
        const visitor = await enter();
        assert.equal((await visitor.say(line))?.slice(0, 9), reply);
        assert.match((await visitor.say("MAIL FROM:<app@sender.example>")) ?? "", /^250 /u);
      });
    }

    it("takes recipients however they are written", async () => {
      const visitor = await enter();
      await visitor.say("MAIL FROM:<>");
      for (const line of [
        `RCPT TO:<you@${domain}>`,
        `rcpt to: <you@${domain}>  `,
        `RCPT TO:<@relay.example,@other.example:you@${domain}>`,
        `RCPT TO:<"a b"@${domain}>`,
        `RCPT TO:<"a@b"@${domain}>`,
        `RCPT TO:<"a>\\"b"@${domain}>`,
        "RCPT TO:<postmaster>",
        "RCPT TO:<PostMaster>",
      ]) {
        assert.match((await visitor.say(line)) ?? "", /^250 2\.1\.5 /u, line);
      }
    });

    for (const [path, reply] of [
      [`<you@${domain}> NOTIFY=NEVER`, "555 5.5.4"],
      [`<you@${domain}> ORCPT=rfc822;you@${domain}`, "555 5.5.4"],
      [`<you@${domain}> FOO`, "555 5.5.4"],
      [`<yöu@${domain}>`, "553 5.6.7"],
      [`you@${domain}`, "501 5.5.2"],
      [`<you@there@${domain}>`, "501 5.1.3"],
      [`<"you@${domain}>`, "501 5.5.2"],
      ["<you>", "501 5.1.3"],
      ["<>", "501 5.1.3"],
    ] as const) {
      it(`refuses a recipient ${path}`, async () => {
        const visitor = await enter();
        await visitor.say("MAIL FROM:<>");
        assert.equal((await visitor.say(`RCPT TO:${path}`))?.slice(0, 9), reply);
        assert.match((await visitor.say("DATA")) ?? "", /^503 /u);
      });
    }

    it("wants MAIL once, and before RCPT", async () => {
      const visitor = await enter();
      assert.match((await visitor.say(`RCPT TO:<you@${domain}>`)) ?? "", /^503 5\.5\.1 /u);
      await visitor.say("MAIL FROM:<>");
      assert.match((await visitor.say("MAIL FROM:<>")) ?? "", /^503 5\.5\.1 /u);
      await visitor.say("RSET");
      assert.match((await visitor.say("MAIL FROM:<>")) ?? "", /^250 /u);
    });

    it("forgets recipients with their transaction", async () => {
      const visitor = await enter();
      for (const end of ["RSET", "EHLO client.example"]) {
        await visitor.say("MAIL FROM:<>");
        assert.match((await visitor.say(`RCPT TO:<you@${domain}>`)) ?? "", /^250 /u);
        await visitor.say(end);
        await visitor.say("MAIL FROM:<>");
        assert.match((await visitor.say("DATA")) ?? "", /^503 /u);
        await visitor.say("RSET");
      }
    });
  });
}

describe("Addresses that must be quoted", () => {
  it("arrive from other servers as they were written", async () => {
    const { client, mails } = await mx();
    await client.upToData('"a b"@sender.example', '"you @ there"@all.example');
    assert.match((await client.say(`${LETTER}.`)) ?? "", /^250 /u);
    assert.equal(mails[0]?.mailFrom, '"a b"@sender.example');
    assert.deepEqual(
      mails[0].recipients.map(({ address }) => address),
      ['"you @ there"@all.example'],
    );
  });

  it("are delivered and fail on purpose in local mode like all others", async () => {
    const { port, arrivals } = await local();
    const courier = testCourier({ transports: { local: { kind: "local", host: "127.0.0.1", port } } });
    const addresses = ['"a b"@localhost', '"a@b"@localhost', '"to nobody-permerror"@localhost'];
    const recipients = addresses.map((address, messageId) => ({ messageId, address, notify: null, originalRecipient: "" }));
    const outcomes = await courier.deliver(delivery({ transport: "local", recipients }), noSignal());
    assert.deepEqual(
      addresses.map((_, index) => inShort(outcomes.get(index))),
      ["delivered 250 2.6.0", "delivered 250 2.6.0", "rejected for good 550 5.0.0"],
    );
    assert.deepEqual(arrivals.flatMap(({ recipients: taken }) => taken).sort(), addresses.slice(0, 2).sort());
    await courier.close();
  });

  it("are one recipient when they are named twice", async () => {
    const { client, arrivals } = await local();
    await client.upToData("", '"a b"@localhost', '"A b"@localhost', '"a b"@LOCALHOST');
    await client.say(`${MESSAGE}.`);
    assert.equal(arrivals[0]?.recipients.length, 1);
  });
});
