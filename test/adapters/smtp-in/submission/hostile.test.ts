/** Clients of a submission server that mean no good, or know no measure. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { roomFor } from "../../../../src/adapters/smtp-in/room.ts";
import { MINUTE_MS } from "../../../../src/domain/clock.ts";
import type { Dialogue } from "../../../support/smtp-dialogue.ts";
import { counters, MESSAGE, textOf } from "../../../support/submission-listener.ts";

const counter = counters();

const FROM = "From: orders@shop.example\r\n";

const upToData = async (visitor: Dialogue, ...recipients: readonly string[]): Promise<void> => {
  assert.match((await visitor.say("MAIL FROM:<orders@shop.example>")) ?? "", /^250 /u);
  for (const recipient of recipients.length === 0 ? ["bob@there.example"] : recipients) await visitor.say(`RCPT TO:<${recipient}>`);
  assert.match((await visitor.say("DATA")) ?? "", /^354 /u);
};

const send = async (visitor: Dialogue, message: string | Uint8Array): Promise<string> => {
  await upToData(visitor);
  visitor.send(message);
  return (await visitor.say(".")) ?? "";
};

describe("a list of a hundred thousand recipients", () => {
  it("is cut at the limit, costs no memory beyond it, and what was taken is sent", async () => {
    const { enter, queued } = await counter({ maxRecipients: 1_000 });
    const visitor = await enter();
    await visitor.say("MAIL FROM:<orders@shop.example>");
    const before = process.memoryUsage().heapUsed;
    const replies = new Map<string, number>();
    for (let block = 0; block < 100; block += 1) {
      visitor.send(Array.from({ length: 1_000 }, (_, index) => `RCPT TO:<r${block * 1_000 + index}@there.example>\r\n`).join(""));
      for (let count = 0; count < 1_000; count += 1) {
        const code = (await visitor.reply())?.slice(0, 9) ?? "";
        replies.set(code, (replies.get(code) ?? 0) + 1);
      }
    }
    assert.deepEqual(Object.fromEntries(replies), { "250 2.1.5": 1_000, "452 4.5.3": 99_000 });
    assert.ok(process.memoryUsage().heapUsed - before < 50e6);
    await visitor.say("DATA");
    assert.match((await visitor.say(`${MESSAGE}.`)) ?? "", /^250 /u);
    assert.equal(queued[0]?.recipients.length, 1_000);
  });

  it("that are no addresses ends the connection, and the next client is served", async () => {
    const { enter, queued } = await counter();
    const visitor = await enter();
    await visitor.say("MAIL FROM:<orders@shop.example>");
    visitor.send("RCPT TO:<nobody>\r\n".repeat(100_000));
    let last: string | undefined;
    for (let reply = await visitor.reply(); reply !== undefined; reply = await visitor.reply()) last = reply;
    assert.match(last ?? "", /^421 4\.7\.0 Too many errors/u);
    await visitor.ended();
    assert.match(await send(await enter(), MESSAGE), /^250 /u);
    assert.equal(queued.length, 1);
  });
});

describe("a message", () => {
  it("over the size is refused as announced, in MAIL and at its end, and the next is taken", async () => {
    const { enter, queued } = await counter({ maxMessageSize: 2_000 });
    const visitor = await enter();
    assert.match((await visitor.say("MAIL FROM:<orders@shop.example> SIZE=2001")) ?? "", /^552 5\.3\.4 /u);
    assert.match(
      await send(visitor, `${FROM}\r\n${"x".repeat(70)}\r\n`.padEnd(2_100, `${"y".repeat(70)}\r\n`).slice(0, 2_098) + "\r\n"),
      /^552 5\.3\.4 /u,
    );
    assert.match(await send(visitor, MESSAGE), /^250 /u);
    assert.equal(queued.length, 1);
  });

  it("with a header without end is refused before it fills memory", async () => {
    const { enter, queued } = await counter({ maxMessageSize: 10_000_000 });
    const visitor = await enter();
    assert.match(await send(visitor, FROM + "X: y\r\n".repeat(1_000_000)), /^552 5\.3\.4 The header/u);
    assert.match(await send(visitor, MESSAGE), /^250 /u);
    assert.equal(queued.length, 1);
  });

  it("is refused for now when there is no room for it, and room comes back", async () => {
    const { enter, queued } = await counter({ room: roomFor(10_000) });
    const visitor = await enter();
    assert.match((await visitor.say("MAIL FROM:<orders@shop.example> SIZE=10001")) ?? "", /^452 4\.3\.1 /u);
    const large = `${FROM}\r\n${`${"x".repeat(98)}\r\n`.repeat(200)}`;
    assert.match(await send(visitor, large), /^452 4\.3\.1 /u);
    for (let count = 0; count < 3; count += 1)
      assert.match(await send(visitor, `${FROM}\r\n${`${"x".repeat(98)}\r\n`.repeat(90)}`), /^250 /u);
    assert.equal(queued.length, 3);
  });

  it("of dots alone is taken without its client's dots, however it is cut", async () => {
    const { enter, queued } = await counter({ maxMessageSize: 5_000_000, room: roomFor(5_000_000) });
    const visitor = await enter();
    assert.match(await send(visitor, `${FROM}\r\n${"..\r\n".repeat(1_000_000)}`), /^250 /u);
    assert.ok(textOf(queued[0]!).endsWith(`\r\n\r\n${".\r\n".repeat(1_000_000)}`));
  });

  for (const size of [1, 2, 3, 5, 7]) {
    it(`comes through whole in pieces of ${size}`, async () => {
      const { enter, queued } = await counter();
      const visitor = await enter();
      await upToData(visitor);
      const octets = Buffer.from(`${FROM}\r\n..\r\n...a\r\n\r\n.\r\n`);
      for (let at = 0; at < octets.length; at += size) {
        visitor.send(octets.subarray(at, at + size));
        await new Promise(setImmediate);
      }
      assert.match((await visitor.reply()) ?? "", /^250 /u);
      assert.ok(textOf(queued[0]!).endsWith("\r\n\r\n.\r\n..a\r\n\r\n"));
    });
  }

  for (const ending of ["\n.\n", "\r\n.\n", "\n.\r\n", "\r.\r", "\r\n.\r"]) {
    it(`cannot smuggle another behind ${JSON.stringify(ending)}`, async () => {
      const { enter, queued } = await counter();
      const visitor = await enter();
      await upToData(visitor);
      visitor.send(`${FROM}\r\nbody${ending}MAIL FROM:<orders@shop.example>\r\nRCPT TO:<victim@there.example>\r\nDATA\r\n${FROM}\r\n.\r\n`);
      assert.match((await visitor.reply()) ?? "", /^554 5\.6\.0 /u);
      assert.equal(queued.length, 0);
      assert.match((await visitor.say("NOOP")) ?? "", /^500 5\.5\.2 /u);
      await visitor.ended();
    });
  }

  it("that its client leaves in the middle is nobody's trouble", async () => {
    const { enter, queued, errors } = await counter();
    const visitor = await enter();
    await upToData(visitor);
    visitor.send(`${FROM}\r\nhalf a mess`);
    visitor.hangUp();
    assert.match(await send(await enter(), MESSAGE), /^250 /u);
    assert.deepEqual([queued.length, errors.length], [1, 0]);
  });
});

describe("a client", () => {
  it("that brings nothing for half an hour is sent away, one that does is not", async () => {
    const { enter, clock } = await counter();
    const slow = await enter();
    const busy = await enter();
    await upToData(slow);
    clock.advance(20 * MINUTE_MS);
    assert.match(await send(busy, MESSAGE), /^250 /u);
    clock.advance(10 * MINUTE_MS);
    assert.match((await slow.reply()) ?? "", /^421 4\.4\.2 /u);
    await slow.ended();
    assert.match(await send(busy, MESSAGE), /^250 /u);
  });

  it("that says nothing is sent away", async () => {
    const { enter } = await counter({ idleMs: 50 });
    const visitor = await enter();
    assert.match((await visitor.reply()) ?? "", /^421 /u);
    await visitor.ended();
  });

  it("gets only so many connections, and one again when it has left one", async () => {
    const { visit } = await counter({ maxConnections: 2 });
    const [first, second, third] = [await visit(), await visit(), await visit()];
    assert.match((await first.reply()) ?? "", /^220 /u);
    assert.match((await second.reply()) ?? "", /^220 /u);
    assert.match((await third.reply()) ?? "", /^421 /u);
    await first.say("QUIT");
    await first.ended();
    assert.match((await (await visit()).reply()) ?? "", /^220 /u);
  });

  it("with a line without end is sent away", async () => {
    const { enter } = await counter();
    const visitor = await enter();
    visitor.send(`MAIL FROM:<${"a".repeat(20_000)}`);
    assert.match((await visitor.reply()) ?? "", /^421 /u);
    await visitor.ended();
  });

  it("that speaks HTTP is sent away", async () => {
    const { visit } = await counter();
    const visitor = await visit();
    await visitor.reply();
    assert.match((await visitor.say("POST / HTTP/1.1")) ?? "", /^421 /u);
  });

  it("with a message on its way is waited for when the server closes, others are told", async () => {
    const { enter, close, queued } = await counter();
    const idle = await enter();
    const busy = await enter();
    await upToData(busy);
    const closed = close();
    assert.match((await idle.reply()) ?? "", /^421 4\.3\.2 /u);
    busy.send(`${MESSAGE}.\r\n`);
    assert.match((await busy.reply()) ?? "", /^250 /u);
    await closed;
    assert.equal(queued.length, 1);
  });
});
