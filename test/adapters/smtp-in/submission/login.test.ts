/** Logins over SMTP: where a password may be said, how often it may be wrong, and what does not outlive a handshake. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { MINUTE_MS } from "../../../../src/domain/clock.ts";
import type { Dialogue } from "../../../support/smtp-dialogue.ts";
import { anAccount } from "../../../support/samples.ts";
import { counters, MESSAGE, PASSWORD, textOf, USER } from "../../../support/submission-listener.ts";

const counter = counters();

const hand = async (visitor: Dialogue): Promise<string> => {
  await visitor.say("MAIL FROM:<orders@shop.example>");
  await visitor.say("RCPT TO:<bob@there.example>");
  await visitor.say("DATA");
  return (await visitor.say(`${MESSAGE}.`)) ?? "";
};

describe("a login", () => {
  it("is asked for", async () => {
    const { visit, queued } = await counter();
    const visitor = await visit();
    await visitor.reply();
    assert.match((await visitor.say("MAIL FROM:<orders@shop.example>")) ?? "", /^503 /u);
    await visitor.say("EHLO client.example");
    assert.match((await visitor.say("MAIL FROM:<orders@shop.example>")) ?? "", /^530 5\.7\.0 /u);
    assert.match((await visitor.say("RCPT TO:<bob@there.example>")) ?? "", /^530 5\.7\.0 /u);
    assert.match((await visitor.say("DATA")) ?? "", /^530 5\.7\.0 /u);
    assert.equal(queued.length, 0);
  });

  it("needs TLS, unless the operator said otherwise", async () => {
    const { visit } = await counter({ allowInsecureLogin: false });
    const visitor = await visit();
    await visitor.reply();
    await visitor.say("EHLO client.example");
    assert.match((await visitor.login(USER, PASSWORD)) ?? "", /^538 5\.7\.0 /u);
    await visitor.say("STARTTLS");
    await visitor.startTls();
    await visitor.say("EHLO client.example");
    assert.match((await visitor.login(USER, PASSWORD)) ?? "", /^235 2\.7\.0 /u);
    assert.match(await hand(visitor), /^250 /u);
  });

  it("works by LOGIN and by PLAIN in two steps as well", async () => {
    const { visit } = await counter();
    const byLogin = await visit();
    await byLogin.reply();
    await byLogin.say("EHLO client.example");
    assert.equal(await byLogin.say("AUTH LOGIN"), "334 VXNlcm5hbWU6");
    assert.equal(await byLogin.say(Buffer.from(USER).toString("base64")), "334 UGFzc3dvcmQ6");
    assert.match((await byLogin.say(Buffer.from(PASSWORD).toString("base64"))) ?? "", /^235 /u);
    const byPlain = await visit();
    await byPlain.reply();
    await byPlain.say("EHLO client.example");
    assert.equal(await byPlain.say("AUTH PLAIN"), "334");
    assert.match((await byPlain.say(Buffer.from(`\0${USER}\0${PASSWORD}`).toString("base64"))) ?? "", /^235 /u);
  });

  it("over TLS from the first octet needs no STARTTLS, and has REQUIRETLS", async () => {
    const { enter, queued } = await counter({ implicitTls: true, allowInsecureLogin: false });
    const visitor = await enter();
    assert.match((await visitor.say("EHLO client.example")) ?? "", /250-REQUIRETLS/u);
    assert.match((await visitor.say("STARTTLS")) ?? "", /^500 /u);
    assert.match((await visitor.say("MAIL FROM:<orders@shop.example> REQUIRETLS")) ?? "", /^250 /u);
    await visitor.say("RCPT TO:<bob@there.example>");
    await visitor.say("DATA");
    assert.match((await visitor.say(`${MESSAGE}.`)) ?? "", /^250 /u);
    assert.equal(queued[0]?.requireTls, true);
    assert.match(textOf(queued[0]), /with ESMTPSA id/u);
  });

  it("is refused without saying why: wrong password, unknown name, disabled", async () => {
    const off = anAccount({ name: "off", addresses: ["off@shop.example"], loginDisabled: true });
    const { visit } = await counter({ accounts: [anAccount(), off] });
    const replies = new Set<string | undefined>();
    for (const [user, password] of [
      [USER, "wrong"],
      ["nobody@shop.example", PASSWORD],
      ["off@shop.example", PASSWORD],
      ["", ""],
    ] as const) {
      const visitor = await visit();
      await visitor.reply();
      await visitor.say("EHLO client.example");
      replies.add(await visitor.login(user, password));
    }
    assert.deepEqual([...replies], ["535 5.7.8 Unknown user name or wrong password"]);
  });

  it("is nobody else's: an authorization identity of another is refused", async () => {
    const { visit } = await counter();
    const visitor = await visit();
    await visitor.reply();
    await visitor.say("EHLO client.example");
    const token = Buffer.from(`boss@shop.example\0${USER}\0${PASSWORD}`).toString("base64");
    assert.match((await visitor.say(`AUTH PLAIN ${token}`)) ?? "", /^535 5\.7\.8 /u);
  });

  it("cannot be guessed for long: the network is shut out and the connection ends, and right ones too", async () => {
    const { visit, clock } = await counter();
    const guess = async (password: string): Promise<string | undefined> => {
      const visitor = await visit();
      await visitor.reply();
      await visitor.say("EHLO client.example");
      const reply = await visitor.login(USER, password);
      if (reply?.startsWith("421") === true) await visitor.ended();
      else visitor.hangUp();
      return reply;
    };
    for (let count = 0; count < 10; count += 1) assert.match((await guess(`guess ${count}`)) ?? "", /^535 /u);
    assert.match((await guess("guess 11")) ?? "", /^421 4\.7\.0 Too many failed logins/u);
    assert.match((await guess(PASSWORD)) ?? "", /^421 4\.7\.0 /u);
    clock.advance(MINUTE_MS);
    assert.match((await guess(PASSWORD)) ?? "", /^235 /u);
  });

  it("does not survive STARTTLS, and neither does anything else that was said before", async () => {
    const { enter } = await counter();
    const visitor = await enter();
    await visitor.say("MAIL FROM:<orders@shop.example>");
    await visitor.say("STARTTLS");
    await visitor.startTls();
    assert.match((await visitor.say("RCPT TO:<bob@there.example>")) ?? "", /^503 /u);
    await visitor.say("EHLO client.example");
    assert.match((await visitor.say("RCPT TO:<bob@there.example>")) ?? "", /^530 /u);
  });

  it("has to be made within two minutes", async () => {
    const { visit, enter, clock } = await counter();
    const late = await visit();
    await late.reply();
    const early = await enter();
    clock.advance(2 * MINUTE_MS);
    assert.match((await late.reply()) ?? "", /^421 4\.7\.0 No login/u);
    await late.ended();
    assert.match((await early.say("NOOP")) ?? "", /^250 /u);
  });
});

describe("commands smuggled in before a TLS handshake", () => {
  it("are never carried out", async () => {
    const { visit, queued } = await counter({ allowInsecureLogin: false });
    const visitor = await visit();
    await visitor.reply();
    await visitor.say("EHLO client.example");
    visitor.send(`STARTTLS\r\nEHLO attacker.example\r\nAUTH PLAIN ${Buffer.from(`\0${USER}\0${PASSWORD}`).toString("base64")}\r\n`);
    assert.match((await visitor.reply()) ?? "", /^220 /u);
    await visitor.startTls();
    // The next thing that is answered is what is said over TLS.
    assert.match((await visitor.say("NOOP")) ?? "", /^250 2\.0\.0 OK$/u);
    assert.match((await visitor.say("MAIL FROM:<orders@shop.example>")) ?? "", /^503 /u);
    assert.equal(queued.length, 0);
  });
});
