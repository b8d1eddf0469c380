/** A session with a submission server, said word by word: what it announces, takes and refuses. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";

import type { Dialogue } from "../../../support/smtp-dialogue.ts";
import { anAccount, directoryOf, NOON } from "../../../support/samples.ts";
import { counters, MESSAGE, textOf, USER } from "../../../support/submission-listener.ts";

const counter = counters();

/** Says everything up to the final dot, each in its turn; the last reply. */
const hand = async (visitor: Dialogue, message = MESSAGE, recipients: readonly string[] = ["bob@there.example"]): Promise<string> => {
  await visitor.say("MAIL FROM:<orders@shop.example>");
  for (const recipient of recipients) await visitor.say(`RCPT TO:<${recipient}>`);
  await visitor.say("DATA");
  return (await visitor.say(`${message}.`)) ?? "";
};

describe("a submission server", () => {
  it("announces what it can over TLS", async () => {
    const { visit } = await counter({ allowInsecureLogin: false });
    const visitor = await visit();
    assert.match((await visitor.reply()) ?? "", /^220 posthorn\.example ESMTP/u);
    const before = (await visitor.say("EHLO client.example"))?.split("\n") ?? [];
    assert.deepEqual(before, [
      "250-posthorn.example",
      "250-PIPELINING",
      "250-8BITMIME",
      "250-SMTPUTF8",
      "250-ENHANCEDSTATUSCODES",
      "250-DSN",
      "250-STARTTLS",
      "250-SIZE 100000",
      "250-FUTURERELEASE 5184000 2026-07-31T12:00:00Z",
      "250 LIMITS RCPTMAX=1000",
    ]);
    assert.match((await visitor.say("STARTTLS")) ?? "", /^220 /u);
    await visitor.startTls();
    const after = (await visitor.say("EHLO client.example"))?.split("\n") ?? [];
    assert.deepEqual(after.slice(1, -1), [
      "250-PIPELINING",
      "250-8BITMIME",
      "250-SMTPUTF8",
      "250-ENHANCEDSTATUSCODES",
      "250-DSN",
      "250-AUTH PLAIN LOGIN",
      "250-REQUIRETLS",
      "250-SIZE 100000",
      "250-FUTURERELEASE 5184000 2026-07-31T12:00:00Z",
    ]);
  });

  it("takes a message, says what it is queued as, and hands it on complete", async () => {
    const { enter, queued } = await counter();
    const visitor = await enter();
    assert.equal(await hand(visitor, MESSAGE, ["bob@there.example", "Eve@Elsewhere.example"]), "250 2.0.0 queued as 1000, 1001");
    const [submission] = queued;
    assert.ok(submission !== undefined);
    const { content, account, ...rest } = submission;
    assert.equal(account.name, "shop");
    assert.equal(content.length, 1);
    assert.deepEqual(
      { ...rest, login: rest.login.text, from: rest.from.text, recipients: rest.recipients.map(({ text }) => text) },
      {
        source: "smtp",
        login: USER,
        from: "orders@shop.example",
        recipients: ["bob@there.example", "Eve@elsewhere.example"],
        messageId: "<made@posthorn.example>",
        subject: "Your order",
        extra: {},
        requireTls: null,
        smtpUtf8: false,
        eightBit: false,
        releaseAt: null,
        envelope: {
          mailFrom: rest.from,
          envelopeId: "",
          returnContent: null,
          wishes: [
            { notify: null, originalRecipient: "" },
            { notify: null, originalRecipient: "" },
          ],
        },
      },
    );
    const text = textOf(submission);
    assert.match(
      text,
      /^Received: from client\.example \(\[127\.0\.0\.1\]\)\r\n\tby posthorn\.example with ESMTPA id \S+;\r\n\tMon, 01 Jun 2026 12:00:00 \+0000\r\nFrom: /u,
    );
    assert.ok(
      text.endsWith(
        "From: Orders <orders@shop.example>\r\nSubject: Your order\r\nDate: Mon, 01 Jun 2026 12:00:00 +0000\r\n" +
          "Message-ID: <made@posthorn.example>\r\n\r\nThanks.\r\n",
      ),
    );
  });

  it("takes one message after the other", async () => {
    const { enter, queued } = await counter();
    const visitor = await enter();
    for (let count = 0; count < 3; count += 1) assert.match(await hand(visitor), /^250 /u);
    assert.match((await visitor.say("QUIT")) ?? "", /^221 /u);
    await visitor.ended();
    assert.equal(queued.length, 3);
  });

  it("takes commands that come all at once, and answers them in order", async () => {
    const { enter, queued } = await counter();
    const visitor = await enter();
    visitor.send("MAIL FROM:<orders@shop.example>\r\nRCPT TO:<bob@there.example>\r\nRCPT TO:<nobody>\r\nDATA\r\n");
    const replies = [await visitor.reply(), await visitor.reply(), await visitor.reply(), await visitor.reply()];
    assert.deepEqual(
      replies.map((reply) => reply?.slice(0, 9)),
      ["250 2.1.0", "250 2.1.5", "501 5.1.3", "354 End d"],
    );
    visitor.send(`${MESSAGE}.\r\nRSET\r\nQUIT\r\n`);
    assert.match((await visitor.reply()) ?? "", /^250 2\.0\.0 queued as 1000$/u);
    assert.match((await visitor.reply()) ?? "", /^250 /u);
    assert.match((await visitor.reply()) ?? "", /^221 /u);
    assert.deepEqual(
      queued.map(({ recipients }) => recipients.map(({ text }) => text)),
      [["bob@there.example"]],
    );
  });

  it("takes the dots back out that its client has put before lines", async () => {
    const { enter, queued } = await counter();
    const visitor = await enter();
    await hand(visitor, "From: orders@shop.example\r\n\r\n..\r\n...two\r\nno.dot\r\n");
    assert.ok(textOf(queued[0]!).endsWith("\r\n\r\n.\r\n..two\r\nno.dot\r\n"));
  });

  it("says 4xx when the store is out of order, and takes the next message", async () => {
    let works = false;
    const submit = async () => {
      if (!works) throw new Error("the disk is full");
      return { accepted: true, submissionId: 1, queued: [{ id: 7, recipient: "", fromId: "" }] } as const;
    };
    const { enter, errors } = await counter({ submit });
    const visitor = await enter();
    assert.match(await hand(visitor), /^451 4\.3\.0 /u);
    works = true;
    assert.match(await hand(visitor), /^250 2\.0\.0 queued as 7$/u);
    assert.equal(errors.length, 1);
  });

  it("names ten ids of many", async () => {
    const { enter } = await counter();
    const recipients = Array.from({ length: 13 }, (_, index) => `r${index}@there.example`);
    const reply = await hand(await enter(), MESSAGE, recipients);
    assert.match(reply, /^250 2\.0\.0 queued as 1000, .*1009 and 3 more$/u);
    assert.ok(reply.length <= 510);
  });
});

describe("a sender", () => {
  it("is an address of the account, or nobody", async () => {
    const { enter, queued } = await counter();
    const visitor = await enter();
    for (const path of ["orders@shop.example", "orders@SHOP.Example", ""]) {
      assert.match((await visitor.say(`MAIL FROM:<${path}>`)) ?? "", /^250 2\.1\.0 /u, path);
      await visitor.say("RSET");
    }
    await visitor.say("MAIL FROM:<>");
    await visitor.say("RCPT TO:<bob@there.example>");
    await visitor.say("DATA");
    assert.match((await visitor.say(`${MESSAGE}.`)) ?? "", /^250 /u);
    assert.equal(queued[0]?.envelope?.mailFrom, null);
  });

  for (const [path, reply] of [
    ["<eve@shop.example>", /^550 5\.7\.1 /u],
    ["<orders@there.example>", /^550 5\.7\.1 /u],
    ["<orders>", /^501 5\.1\.7 /u],
    ["<@>", /^501 5\.1\.7 /u],
    ["orders@shop.example", /^501 5\.5\.2 /u],
    ["<orders@shop.example", /^501 5\.5\.2 /u],
    ["<orders@shop.example>SIZE=3", /^501 5\.5\.2 /u],
    ["<örders@shop.example>", /^553 5\.6\.7 /u],
  ] as const) {
    it(`cannot be ${path}`, async () => {
      const { enter } = await counter();
      assert.match((await (await enter()).say(`MAIL FROM:${path}`)) ?? "", reply);
    });
  }

  it("says MAIL once", async () => {
    const { enter } = await counter();
    const visitor = await enter();
    await visitor.say("MAIL FROM:<orders@shop.example>");
    assert.match((await visitor.say("MAIL FROM:<orders@shop.example>")) ?? "", /^503 5\.5\.1 /u);
  });

  it("of a disabled domain is refused", async () => {
    const accounts = [anAccount({ addresses: ["orders@shop.example", "orders@old.example"] })];
    const directory = directoryOf(accounts, [{ name: "old.example", catchAllSeparator: null, disabled: true }]);
    const { enter } = await counter({ directory, accounts });
    assert.match((await (await enter()).say("MAIL FROM:<orders@old.example>")) ?? "", /^550 5\.7\.1 .*disabled/u);
  });
});

describe("a recipient", () => {
  for (const path of [
    "<bob@there.example>",
    '<"bob smith>"@there.example>',
    "<@relay.example:bob@there.example>",
    "<bob@[192.0.2.1]>",
    "<Postmaster>",
  ]) {
    it(`can be ${path}`, async () => {
      const { enter } = await counter();
      const visitor = await enter();
      await visitor.say("MAIL FROM:<orders@shop.example>");
      assert.match((await visitor.say(`RCPT TO:${path}`)) ?? "", /^250 2\.1\.5 /u);
    });
  }

  for (const [path, reply] of [
    ["<bob>", /^501 5\.1\.3 /u],
    ["<>", /^501 5\.1\.3 /u],
    ["<bob@there@example>", /^501 5\.1\.3 /u],
    ["<bob@there.example> <eve@there.example>", /^501 5\.5\.4 /u],
    ["<bob@-there.example>", /^501 5\.1\.3 /u],
    ["<bob@bücher.example>", /^553 5\.6\.7 /u],
    [`<${"b".repeat(65)}@there.example>`, /^501 5\.1\.3 /u],
  ] as const) {
    it(`cannot be ${path.slice(0, 50)}`, async () => {
      const { enter } = await counter();
      const visitor = await enter();
      await visitor.say("MAIL FROM:<orders@shop.example>");
      assert.match((await visitor.say(`RCPT TO:${path}`)) ?? "", reply);
    });
  }

  it("beyond ASCII needs SMTPUTF8", async () => {
    const { enter, queued } = await counter();
    const visitor = await enter();
    await visitor.say("MAIL FROM:<orders@shop.example> SMTPUTF8");
    assert.match((await visitor.say("RCPT TO:<bob@bücher.example>")) ?? "", /^250 /u);
    await visitor.say("DATA");
    await visitor.say(`${MESSAGE}.`);
    assert.equal(queued[0]?.recipients[0]?.text, "bob@xn--bcher-kva.example");
    assert.equal(queued[0].smtpUtf8, false, "only its domain was not ASCII, and has an ASCII form");
    assert.match(textOf(queued[0]), /with UTF8SMTPA id/u);
  });

  it("named twice gets one copy", async () => {
    const { enter, queued } = await counter();
    await hand(await enter(), MESSAGE, ["bob@there.example", "bob@THERE.example"]);
    assert.equal(queued[0]?.recipients.length, 1);
  });

  it("is needed", async () => {
    const { enter } = await counter();
    const visitor = await enter();
    assert.match((await visitor.say("RCPT TO:<bob@there.example>")) ?? "", /^503 5\.5\.1 /u);
    assert.match((await visitor.say("DATA")) ?? "", /^503 /u);
    await visitor.say("MAIL FROM:<orders@shop.example>");
    assert.match((await visitor.say("DATA")) ?? "", /^503 /u);
  });
});

describe("time that a message is to be held", () => {
  for (const [parameter, releaseAt] of [
    ["HOLDFOR=3600", NOON + 3_600_000],
    ["HOLDUNTIL=2026-06-02T12:00:00Z", NOON + 86_400_000],
    ["HOLDUNTIL=2026-06-02T14:00:00+02:00", NOON + 86_400_000],
    ["HOLDUNTIL=2020-01-01T00:00:00Z", Date.UTC(2020, 0, 1)],
  ] as const) {
    it(`is taken from ${parameter}`, async () => {
      const { enter, queued } = await counter();
      const visitor = await enter();
      assert.match((await visitor.say(`MAIL FROM:<orders@shop.example> ${parameter}`)) ?? "", /^250 /u);
      await visitor.say("RCPT TO:<bob@there.example>");
      await visitor.say("DATA");
      await visitor.say(`${MESSAGE}.`);
      assert.equal(queued[0]?.releaseAt, releaseAt);
    });
  }
});
