import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { LETTER, mailExchangers } from "../../../support/mail-exchanger.ts";

const stage = mailExchangers();

describe("a client", () => {
  it("that guesses addresses is slowed down, then sent away", async () => {
    const { client, clock, results } = await stage({ limits: { freeRefusals: 3, refusals: 5 } });
    await client.reply();
    await client.say("EHLO client.example");
    await client.say("MAIL FROM:<>");
    for (let index = 0; index < 3; index += 1)
      assert.match((await client.say(`RCPT TO:<guess${index}@own.example>`)) ?? "", /^550 5\.1\.1 /u);
    for (let index = 0; index < 2; index += 1) {
      const pending = clock.pending();
      const reply = client.say("RCPT TO:<again@own.example>");
      while (clock.pending() === pending) await new Promise(setImmediate);
      clock.advance(1_000);
      assert.match((await reply) ?? "", /^550 5\.1\.1 /u);
    }
    assert.match((await client.reply()) ?? "", /^421 4\.7\.0 Too many errors/u);
    await client.ended();
    assert.equal(results.length, 5);
  });

  it("that only makes mistakes is sent away as well", async () => {
    const { client } = await stage({ limits: { refusals: 5 } });
    await client.reply();
    await client.say("EHLO client.example");
    for (let index = 0; index < 5; index += 1) assert.match((await client.say("MAIL FROM:<broken")) ?? "", /^501 /u);
    assert.match((await client.reply()) ?? "", /^421 4\.7\.0 /u);
    await client.ended();
  });

  it("that takes for ever is sent away, in the middle of a message too", async () => {
    const { client, clock, connect: another } = await stage({ limits: { patienceMs: 60_000 } });
    await client.upToData("app@sender.example", "app@own.example");
    client.send("From: slow");
    const idle = await another();
    await idle.reply();
    clock.advance(60_000);
    assert.match((await idle.reply()) ?? "", /^421 4\.4\.2 /u);
    assert.match((await client.reply()) ?? "", /^421 4\.4\.2 /u);
    await client.ended();
    await idle.ended();
  });

  it("may hold so many connections, and more when it has let one go", async () => {
    const { client, connect: another } = await stage({ limits: { perAddress: 2 } });
    await client.reply();
    const second = await another();
    assert.match((await second.reply()) ?? "", /^220 /u);
    const third = await another();
    assert.match((await third.reply()) ?? "", /^421 4\.7\.0 Too many connections from your address/u);
    await third.ended();
    await second.say("QUIT");
    await second.ended();
    for (;;) {
      const fourth = await another();
      if (((await fourth.reply()) ?? "").startsWith("220")) break;
    }
  });

  it("may bring so many messages", async () => {
    const { client } = await stage({ limits: { messages: 1 } });
    await client.upToData("", "app@own.example");
    await client.say(`${LETTER}.`);
    assert.match((await client.say("MAIL FROM:<>")) ?? "", /^421 4\.7\.0 /u);
    await client.ended();
  });

  it("that leaves in the middle leaves nothing behind", async () => {
    const { client, clock, results, mails } = await stage();
    await client.upToData("", "app@own.example");
    client.send(LETTER);
    client.hangUp();
    while (clock.pending() > 0 || results.length === 0) await new Promise(setImmediate);
    assert.deepEqual([mails.length, results], [0, ["lost"]]);
  });
});

describe("a stop", () => {
  it("waits for the message that is being stored, and tells the others", async () => {
    const stored = Promise.withResolvers<undefined>();
    const arrived = Promise.withResolvers<undefined>();
    const {
      client,
      connect: another,
      receiver,
    } = await stage({
      store: () => {
        arrived.resolve(undefined);
        return stored.promise;
      },
    });
    const idle = await another();
    await idle.reply();
    await client.upToData("", "app@own.example");
    client.send(`${LETTER}.\r\n`);
    await arrived.promise;
    const closed = receiver.close();
    assert.match((await idle.reply()) ?? "", /^421 4\.3\.2 /u);
    stored.resolve(undefined);
    assert.match((await client.reply()) ?? "", /^250 /u);
    await closed;
  });
});
