import assert from "node:assert/strict";
import { connect as connectTls } from "node:tls";
import { connect } from "node:net";
import { once } from "node:events";
import { describe, it } from "node:test";

import { validCertificate } from "../../../support/certificates.ts";
import { LETTER, mailExchangers, textOf } from "../../../support/mail-exchanger.ts";
import { keyOf, signedBy, textAt } from "../../../support/signed-mail.ts";

const stage = mailExchangers();

describe("a message for an own address", () => {
  it("is stored with what is known about it, and then accepted", async () => {
    const { client, mails, results } = await stage();
    await client.upToData("app@sender.example", "app+tag@own.example", "anybody@all.example");
    assert.match((await client.say(`${LETTER}.`)) ?? "", /^250 2\.6\.0 /u);
    const [mail] = mails;
    assert.ok(mail !== undefined && mails.length === 1);
    assert.deepEqual(mail.recipients, [
      { address: "app+tag@own.example", account: "app", tag: "tag" },
      { address: "anybody@all.example", account: "everything", tag: "" },
    ]);
    const { mailFrom, from, subject, messageId, mailbox, automated, remoteAddress } = mail;
    assert.deepEqual(
      { mailFrom, from, subject, messageId, mailbox, automated, remoteAddress },
      {
        mailFrom: "app@sender.example",
        from: "app@sender.example",
        subject: "Hi",
        messageId: "<1@sender.example>",
        mailbox: "Inbox",
        automated: false,
        remoteAddress: "127.0.0.1",
      },
    );
    assert.deepEqual(results, ["accepted"]);
  });

  it("gets the fields of its arrival in front, in their order", async () => {
    const { client, mails } = await stage();
    await client.upToData("app@sender.example", "app@own.example");
    await client.say(`${LETTER}.`);
    const text = textOf(mails[0]!);
    assert.match(
      text,
      /^Return-Path: <app@sender\.example>\r\nAuthentication-Results: mx\.own\.example;(?:\r\n\t[^\r]*)+\r\nReceived-SPF: none (?:[^\r]*\r\n\t)+receiver=mx\.own\.example\r\nReceived: from client\.example \(\[127\.0\.0\.1\]\)\r\n\tby mx\.own\.example with ESMTP id \S+\r\n\tfor <app@own\.example>;\r\n\tMon, 01 Jun 2026 12:00:00 \+0000\r\nFrom: /u,
    );
    assert.ok(text.endsWith(LETTER));
  });

  it("may be from an address with dots where there should be none, as some providers gave to their users", async () => {
    const { client, mails } = await stage();
    await client.upToData("user..name.@sender.example", "app@own.example");
    assert.match((await client.say(`${LETTER.replace("app@sender.example", "user..name.@sender.example")}.`)) ?? "", /^250 /u);
    const { mailFrom, from } = mails[0]!;
    assert.deepEqual([mailFrom, from], ["user..name.@sender.example", "user..name.@sender.example"]);
    assert.match(textOf(mails[0]!), /^Return-Path: <user\.\.name\.@sender\.example>\r\n/u);
  });

  it("loses what others say in this server's name", async () => {
    const { client, mails } = await stage();
    const forged = [
      "Authentication-Results: mx.own.example; dmarc=pass",
      "authentication-results : (x) (y (z\\)) )\r\n MX.own.example/1; spf=pass",
      'Authentication-Results: "mx.own.example" 1; dkim=pass',
      "Return-Path: <somebody@else.example>",
      "Authentication-Results: mx.sender.example; spf=pass",
    ].join("\r\n");
    await client.upToData("app@sender.example", "app@own.example");
    await client.say(`${forged}\r\n${LETTER}.`);
    const text = textOf(mails[0]!);
    assert.equal(text.match(/^Return-Path:/gimu)?.length, 1);
    assert.ok(!text.includes("dmarc=pass") && !text.includes("dkim=pass"), text);
    assert.ok(text.includes("Authentication-Results: mx.sender.example; spf=pass\r\n"));
  });

  it("may have no header, or nothing but one", async () => {
    const { client, mails } = await stage();
    for (const message of ["\r\nHello.\r\n", "Subject: empty\r\n", "\r\n", ""]) {
      if (mails.length === 0) await client.upToData("", "app@own.example");
      else {
        await client.say("MAIL FROM:<>");
        await client.say("RCPT TO:<app@own.example>");
        await client.say("DATA");
      }
      assert.match((await client.say(`${message}.`)) ?? "", /^250 /u, message);
    }
    assert.ok(textOf(mails[0]!).endsWith("+0000\r\n\r\nHello.\r\n"));
    assert.ok(textOf(mails[1]!).endsWith("+0000\r\nSubject: empty\r\n\r\n"));
    assert.ok(mails.every(({ automated, mailFrom }) => automated && mailFrom === ""));
  });

  it("is the same octet by octet", async () => {
    const { client, mails } = await stage();
    await client.upToData("app@sender.example", "app@own.example");
    for (const octet of `${LETTER}..dot\r\n.\r\n`) {
      client.send(octet);
      await new Promise(setImmediate);
    }
    assert.match((await client.reply()) ?? "", /^250 /u);
    assert.ok(textOf(mails[0]!).endsWith(`${LETTER}.dot\r\n`));
  });

  it("is told to be a report when it is one", async () => {
    const { client, mails } = await stage({
      parseReport: () =>
        Promise.resolve({ kind: "dsn", originalEnvelopeId: "", reportingHost: "", recipients: [], returned: { messageId: "" } }),
    });
    await client.upToData("", "app+id@own.example");
    await client.say(`Content-Type: Multipart/Report; boundary=b\r\n${LETTER}.`);
    assert.equal(mails[0]?.report?.kind, "dsn");
  });

  it("is answered with 451 when it cannot be stored", async () => {
    const { client, errors, results } = await stage({ store: () => Promise.reject(new Error("disk full")) });
    await client.upToData("app@sender.example", "app@own.example");
    assert.match((await client.say(`${LETTER}.`)) ?? "", /^451 4\.3\.0 /u);
    assert.equal(errors.length, 1);
    assert.deepEqual(results, ["failed"]);
  });
});

describe("where a message comes from", () => {
  const zone = {
    ...keyOf("sender.example"),
    ...textAt("_dmarc.sender.example", "v=DMARC1; p=reject"),
    ...textAt("_dmarc.junk.example", "v=DMARC1; p=quarantine"),
  };

  it("is proved by its signature", async () => {
    const { client, mails } = await stage({ zone });
    await client.upToData("bounce@elsewhere.example", "app@own.example");
    assert.match((await client.say(`${await signedBy("sender.example", LETTER)}.`)) ?? "", /^250 /u);
    const { dkimVerifiedDomains, msgFromValidated, mailFromValidated } = mails[0]!;
    assert.deepEqual(
      { dkimVerifiedDomains, msgFromValidated, mailFromValidated },
      { dkimVerifiedDomains: ["sender.example"], msgFromValidated: true, mailFromValidated: false },
    );
  });

  it("has to be proved when its domain says so", async () => {
    const { client, mails, results } = await stage({ zone });
    await client.upToData("bounce@elsewhere.example", "app@own.example");
    assert.match((await client.say(`${LETTER}.`)) ?? "", /^550 5\.7\.1 .*DMARC/u);
    assert.deepEqual([mails.length, results], [0, ["policy"]]);
  });

  it("is looked at with suspicion when the configuration or the domain says so", async () => {
    const marking = await stage({ zone, dmarc: "mark" });
    await marking.client.upToData("bounce@elsewhere.example", "app@own.example");
    await marking.client.say(`${LETTER}.`);
    assert.equal(marking.mails[0]?.mailbox, "Junk");
    const { client, mails } = await stage({ zone });
    await client.upToData("x@junk.example", "app@own.example");
    await client.say(`${LETTER.replace("app@sender", "app@junk")}.`);
    assert.equal(mails[0]?.mailbox, "Junk");
  });

  it("is asked again later when the DNS does not say", async () => {
    const { client, mails } = await stage({ zone: { ...zone, "sel._domainkey.sender.example": "SERVFAIL" } });
    await client.upToData("bounce@elsewhere.example", "app@own.example");
    assert.match((await client.say(`${await signedBy("sender.example", LETTER)}.`)) ?? "", /^451 4\.7\.5 /u);
    assert.equal(mails.length, 0);
  });
});

describe("a recipient", () => {
  it("of another domain or without a mailbox is refused, and the others still get the message", async () => {
    const { client, mails, results } = await stage();
    await client.reply();
    await client.say("EHLO client.example");
    await client.say("MAIL FROM:<>");
    for (const [path, reply] of [
      ["<user@other.example>", /^550 5\.7\.1 Relaying denied/u],
      ["<nobody@own.example>", /^550 5\.1\.1 /u],
      ["<@own.example:user@other.example>", /^550 5\.7\.1 /u],
      ["<user@other.example@own.example>", /^501 5\.1\.3 /u],
      ["<@relay.example,@other.example:app@own.example>", /^250 /u],
      ["<postmaster>", /^250 /u],
    ] as const) {
      assert.match((await client.say(`RCPT TO:${path}`)) ?? "", reply, path);
    }
    await client.say("DATA");
    assert.match((await client.say(`${LETTER}.`)) ?? "", /^250 /u);
    assert.ok(mails[0]?.recipients.some(({ address }) => address === "app@own.example"));
    assert.ok(mails[0]?.recipients.every(({ address }) => !address.includes("other.example")));
    assert.deepEqual(results.slice(0, 3), ["relay", "unknown", "relay"]);
  });

  it("that is full is refused for now, by the announced size too", async () => {
    const { client } = await stage();
    await client.reply();
    await client.say("EHLO client.example");
    await client.say("MAIL FROM:<> SIZE=5000");
    assert.match((await client.say("RCPT TO:<hoarder@own.example>")) ?? "", /^452 4\.2\.2 /u);
  });

  it("gets one message however often and in whatever way it is written", async () => {
    const { client, mails } = await stage();
    await client.upToData("", "app@own.example", "APP@own.example", '"app"@own.example');
    await client.say(`${LETTER}.`);
    assert.equal(mails[0]?.recipients.length, 1);
  });

  it("beyond the limit is refused for now", async () => {
    const { client } = await stage({ maxRecipients: 2 });
    await client.reply();
    await client.say("EHLO client.example");
    await client.say("MAIL FROM:<>");
    for (const name of ["a", "b"]) assert.match((await client.say(`RCPT TO:<${name}@all.example>`)) ?? "", /^250 /u);
    assert.match((await client.say("RCPT TO:<c@all.example>")) ?? "", /^452 4\.5\.3 /u);
  });
});

describe("a message that nobody should have to read", () => {
  for (const [what, message, reply] of [
    ["has two authors' fields", `From: <ceo@bank.example>\r\n${LETTER}`, /^554 5\.6\.0 .*more than one From/u],
    ["hides the second one behind a blank", `From : <ceo@bank.example>\r\n${LETTER}`, /^554 5\.6\.0 .*more than one From/u],
    ["goes round in circles", `${"Received: from a by b; Mon, 1 Jun 2026 12:00:00 +0000\r\n".repeat(101)}${LETTER}`, /^554 5\.4\.6 /u],
    ["begins with a folded line", ` dkim=pass\r\n${LETTER}`, /^554 5\.6\.0 /u],
    ["has a header bomb", `${"X-Bomb: tick\r\n".repeat(2_000)}${LETTER}`, /^554 5\.6\.0 /u],
    ["has a field of many lines", `X-Bomb: tick\r\n${" tock\r\n".repeat(6_000)}${LETTER}`, /^554 5\.6\.0 /u],
    ["has a header without end", `X-Bomb: ${"tick".repeat(100_000)}\r\n${LETTER}`, /^554 5\.6\.0 /u],
    ["has a From without end", LETTER.replace("From: App", `From: ${"App ".repeat(3_000)}`), /^554 5\.6\.0 /u],
    ["has a bare LF", LETTER.replace("Hello.", "Hel\nlo."), /^554 5\.6\.0 .*stands alone/u],
    ["is too large", `${LETTER}${"x".repeat(998)}\r\n`.repeat(1_100), /^552 5\.3\.4 /u],
  ] as const) {
    it(`is refused because it ${what}`, async () => {
      const { client, mails, errors } = await stage();
      await client.upToData("app@sender.example", "app@own.example");
      assert.match((await client.say(`${message}.`)) ?? "", reply);
      assert.deepEqual([mails.length, errors.length], [0, 0]);
    });
  }

  it("keeps nobody from sending the next", async () => {
    const { client, mails } = await stage();
    await client.upToData("app@sender.example", "app@own.example");
    await client.say(`From: <ceo@bank.example>\r\n${LETTER}.`);
    await client.say("MAIL FROM:<app@sender.example>");
    await client.say("RCPT TO:<app@own.example>");
    await client.say("DATA");
    assert.match((await client.say(`${LETTER}.`)) ?? "", /^250 /u);
    assert.equal(mails.length, 1);
  });
});

describe("STARTTLS", () => {
  it("is offered with a certificate, and told about in Received", async () => {
    const { port, mails } = await stage({ tls: validCertificate });
    const plain = connect(port, "127.0.0.1");
    await once(plain, "data");
    plain.write("EHLO client.example\r\n");
    assert.match(String(await once(plain, "data")), /250[- ]STARTTLS\r\n/u);
    plain.write("STARTTLS\r\n");
    assert.match(String(await once(plain, "data")), /^220 /u);
    const secure = connectTls({ socket: plain, ca: validCertificate.cert, servername: "localhost" });
    await once(secure, "secureConnect");
    for (const line of ["EHLO client.example", "MAIL FROM:<>", "RCPT TO:<app@own.example>", "DATA"]) {
      secure.write(`${line}\r\n`);
      await once(secure, "data");
    }
    secure.write(`${LETTER}.\r\n`);
    assert.match(String(await once(secure, "data")), /^250 /u);
    secure.destroy();
    assert.match(textOf(mails[0]!), /with ESMTPS id \S+\r\n\tfor <app@own\.example>\r\n\ttls TLS_\w+ \(TLSv1\.3\);/u);
  });

  it("is not offered without one, and no login ever", async () => {
    const { client } = await stage();
    await client.reply();
    const offered = (await client.say("EHLO client.example")) ?? "";
    assert.ok(!offered.includes("STARTTLS") && !offered.includes("AUTH"));
    assert.match((await client.say("AUTH PLAIN AGEAYg==")) ?? "", /^500 /u);
  });
});
