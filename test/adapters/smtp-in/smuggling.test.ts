import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { MESSAGE, receivers, text } from "../../support/local-receiver.ts";

const stage = receivers();

/** What would pass for the end of a message with careless servers, followed by a smuggled transaction. */
const SMUGGLED = "MAIL FROM:<forged@sender.example>\r\nRCPT TO:<victim@localhost>\r\nDATA\r\nSubject: smuggled\r\n\r\n.\r\n";

describe("a smuggled message", () => {
  for (const ending of ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r.\r\n", "\r\n.\r", "\n\n.\r\n", "\r\r\n.\r\n", "\r\n\0.\r\n"]) {
    it(`does not get through behind ${JSON.stringify(ending)}`, async () => {
      const { client, arrivals } = await stage();
      await client.upToData("app@sender.example", "you@localhost");
      client.send(`${MESSAGE}body${ending}${SMUGGLED}`);
      const reply = (await client.reply()) ?? "";
      if (ending.includes("\0")) assert.match(reply, /^250 /u);
      else assert.match(reply, /^554 5\.6\.0 /u);
      assert.ok(arrivals.length === (ending.includes("\0") ? 1 : 0));
      assert.ok(!arrivals.some(({ recipients }) => recipients.includes("victim@localhost")));
    });

    it(`does not get through behind ${JSON.stringify(ending)} octet by octet`, async () => {
      const { client, arrivals } = await stage();
      await client.upToData("app@sender.example", "you@localhost");
      for (const octet of `${MESSAGE}body${ending}${SMUGGLED}`) {
        client.send(octet);
        await new Promise(setImmediate);
      }
      await client.reply();
      assert.ok(!arrivals.some(({ recipients }) => recipients.includes("victim@localhost")));
    });
  }

  it("costs the session: the next command is refused and the connection closed", async () => {
    const { client } = await stage();
    await client.upToData("app@sender.example", "you@localhost");
    client.send("Subject: bare\n\r\n.\r\n");
    assert.match((await client.reply()) ?? "", /^554 5\.6\.0 /u);
    assert.match((await client.say("MAIL FROM:<app@sender.example>")) ?? "", /^500 5\.5\.2 /u);
    await client.ended();
  });

  for (const line of ["EHLO client.example\n", "EHLO client.example\rMAIL FROM:<a@b.example>\r\n", "EHLO client.example\r\r\n"]) {
    it(`is not made of commands either: ${JSON.stringify(line)}`, async () => {
      const { client } = await stage();
      await client.reply();
      client.send(line);
      assert.match((await client.reply()) ?? "", /^500 5\.5\.2 /u);
      await client.ended();
    });
  }

  it("is no message whose CR and LF merely come apart on the way", async () => {
    const { client, arrivals } = await stage();
    await client.upToData("app@sender.example", "you@localhost");
    for (const octet of `${MESSAGE}.\r\n`) {
      client.send(octet);
      await new Promise(setImmediate);
    }
    assert.match((await client.reply()) ?? "", /^250 /u);
    assert.ok(arrivals[0] !== undefined && text(arrivals[0]).endsWith(MESSAGE));
  });
});
