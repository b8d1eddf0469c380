import assert from "node:assert/strict";
import { createServer } from "node:net";
import { describe, it } from "node:test";

import type { Arrival, ArrivalAnswer } from "../../../src/adapters/smtp-in/intake.ts";
import { readHeader } from "../../../src/adapters/mime/reader/mail-header.ts";
import { localReceiver } from "../../../src/adapters/smtp-in/receiver.ts";
import { roomFor } from "../../../src/adapters/smtp-in/room.ts";
import { MESSAGE, receivers, text } from "../../support/local-receiver.ts";
import { smtpDialogue } from "../../support/smtp-dialogue.ts";
import { virtualClock } from "../../support/virtual-clock.ts";

const stage = receivers();

describe("the local receiver", () => {
  it("hands a message on with its trace, and answers only then", async () => {
    const arrived = Promise.withResolvers<Arrival>();
    const stored = Promise.withResolvers<ArrivalAnswer>();
    const { client } = await stage({
      onMessage: (arrival) => {
        arrived.resolve(arrival);
        return stored.promise;
      },
    });
    assert.match((await client.upToData("app@sender.example", "you@localhost")) ?? "", /^354 /u);
    const order: string[] = [];
    const answer = client.say(`${MESSAGE}.`).finally(() => order.push("answered"));
    const arrival = await arrived.promise;
    order.push("stored");
    stored.resolve({ accepted: true });
    assert.match((await answer) ?? "", /^250 2\.6\.0 /u);
    assert.deepEqual(order, ["stored", "answered"]);

    const { content, ...facts } = arrival;
    assert.deepEqual(facts, {
      mailFrom: "app@sender.example",
      recipients: ["you@localhost"],
      remoteAddress: "127.0.0.1",
      helo: "client.example",
      smtpUtf8: false,
      from: "app@sender.example",
      subject: "Hi",
      messageId: "<1@sender.example>",
    });
    assert.match(
      Buffer.concat(content).toString(),
      /^Return-Path: <app@sender\.example>\r\nReceived: from client\.example \(\[127\.0\.0\.1\]\)\r\n\tby localhost with ESMTP id \w+\.1\r\n\tfor <you@localhost>;\r\n\tMon, 01 Jun 2026 12:00:00 \+0000\r\nFrom: App/u,
    );
    assert.ok(text(arrival).endsWith(MESSAGE));
  });

  it("keeps the content byte for byte, dots and 8-bit octets too", async () => {
    const { client, arrivals } = await stage();
    await client.upToData("", "you@localhost");
    client.send(Buffer.from("X: y\r\n\r\n..\r\n..dot\r\n\xff\xfe\0\r\n.\r\n", "latin1"));
    await client.reply();
    assert.ok(arrivals[0] !== undefined && text(arrivals[0]).endsWith("X: y\r\n\r\n.\r\n.dot\r\n\xff\xfe\0\r\n"));
    assert.ok(text(arrivals[0]).startsWith("Return-Path: <>\r\n"));
  });

  it("names no recipient in the trace when there are several", async () => {
    const { client, arrivals } = await stage();
    await client.upToData("app@sender.example", "a@localhost", "b@elsewhere.example");
    await client.say(`${MESSAGE}.`);
    assert.deepEqual(arrivals[0]?.recipients, ["a@localhost", "b@elsewhere.example"]);
    assert.ok(!text(arrivals[0]).slice(0, 300).includes("for <"));
  });

  it("writes addresses canonically and a strange EHLO not at all", async () => {
    const { client, arrivals } = await stage();
    await client.reply();
    await client.say("EHLO (who);knows");
    await client.say("MAIL FROM:<jörg@Sender.example> SMTPUTF8");
    await client.say("RCPT TO:<You@bücher.example>");
    await client.say("DATA");
    await client.say(`${MESSAGE}.`);
    assert.deepEqual(arrivals[0]?.recipients, ["You@xn--bcher-kva.example"]);
    assert.equal(arrivals[0].mailFrom, "jörg@sender.example");
    assert.match(text(arrivals[0]), /Received: from unknown \(\[127\.0\.0\.1\]\)\r\n\tby localhost with UTF8SMTP /u);
  });

  it("passes on a refusal of whoever stores, and its trouble as a reason to try again", async () => {
    const heard: unknown[] = [];
    const answers: (() => Promise<ArrivalAnswer>)[] = [
      () => Promise.resolve({ accepted: false, code: 452, enhancedCode: "4.2.2", text: "Over quota" }),
      () => Promise.reject(new Error("disk full")),
      () => Promise.resolve({ accepted: true }),
    ];
    const { client } = await stage({
      onMessage: () => (answers.shift() ?? (() => Promise.reject(new Error("one too many"))))(),
      onError: (error) => heard.push(error),
    });
    await client.upToData("app@sender.example", "you@localhost");
    assert.equal(await client.say(`${MESSAGE}.`), "452 4.2.2 Over quota");
    for (const expected of [/^451 4\.3\.0 /u, /^250 /u]) {
      await client.say("MAIL FROM:<app@sender.example>");
      await client.say("RCPT TO:<you@localhost>");
      await client.say("DATA");
      assert.match((await client.say(`${MESSAGE}.`)) ?? "", expected);
    }
    assert.deepEqual(heard.map(String), ["Error: disk full"]);
  });

  it("refuses recipients that are not accepted", async () => {
    const { client } = await stage({ accept: (address) => address.endsWith("@localhost") });
    await client.upToData("app@sender.example");
    assert.equal(await client.say("RCPT TO:<you@elsewhere.example>"), "550 5.1.1 No such user here");
    assert.match((await client.say("RCPT TO:<you@localhost>")) ?? "", /^250 /u);
  });

  it("offers neither login nor TLS nor jokes", async () => {
    const { client } = await stage();
    await client.reply();
    const offered = (await client.say("EHLO client.example")) ?? "";
    assert.match(offered, /^250-PIPELINING$/mu);
    assert.match(offered, /SIZE 100000$/mu);
    assert.doesNotMatch(offered, /AUTH|STARTTLS|DSN/u);
    for (const command of ["AUTH PLAIN", "STARTTLS", "XCLIENT NAME=a", "WIZ"]) assert.match((await client.say(command)) ?? "", /^500 /u);
  });

  it("throws when its port is taken", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const receiver = localReceiver({
      address: "127.0.0.1",
      port,
      hostName: "localhost",
      clock: virtualClock(),
      maxMessageSize: 1_000,
      room: roomFor(1_000),
      readHeader,
      onMessage: () => Promise.resolve({ accepted: true }),
    });
    await assert.rejects(receiver.listen(), { code: "EADDRINUSE" });
    await receiver.close();
    server.close();
  });
});

describe("the local receiver, like the one for mail from the internet, refuses a message that", () => {
  for (const [what, message, reply] of [
    ["has two authors' fields", `From: ceo@bank.example\r\n${MESSAGE}`, /^554 5\.6\.0 .*more than one From/u],
    ["hides the second one behind a blank", `From : ceo@bank.example\r\n${MESSAGE}`, /^554 5\.6\.0 .*more than one From/u],
    ["begins with a folded line", ` folded\r\n${MESSAGE}`, /^554 5\.6\.0 /u],
    ["has a header bomb", `${"X-Bomb: tick\r\n".repeat(2_000)}${MESSAGE}`, /^554 5\.6\.0 /u],
  ] as const) {
    it(what, async () => {
      const { client, arrivals } = await stage();
      await client.upToData("app@sender.example", "you@localhost");
      assert.match((await client.say(`${message}.`)) ?? "", reply);
      assert.equal(arrivals.length, 0);
    });
  }

  it("is not one without header", async () => {
    const { client, arrivals } = await stage();
    await client.upToData("app@sender.example", "you@localhost");
    assert.match((await client.say("\r\nHello.\r\n.")) ?? "", /^250 /u);
    assert.ok(arrivals[0] !== undefined && text(arrivals[0]).endsWith("+0000\r\n\r\nHello.\r\n"));
  });
});

describe("the local receiver keeps to its limits", () => {
  it("for the size announced", async () => {
    const { client } = await stage();
    await client.reply();
    await client.say("EHLO client.example");
    assert.match((await client.say("MAIL FROM:<a@b.example> SIZE=100001")) ?? "", /^552 5\.3\.4 /u);
  });

  it("for the size that comes", async () => {
    const { client, arrivals } = await stage();
    await client.upToData("app@sender.example", "you@localhost");
    client.send(`${"x".repeat(98)}\r\n`.repeat(1_001));
    assert.match((await client.say(".")) ?? "", /^552 5\.3\.4 /u);
    assert.equal(arrivals.length, 0);
    assert.match((await client.say("MAIL FROM:<app@sender.example>")) ?? "", /^250 /u);
  });

  it("for recipients", async () => {
    const { client } = await stage({ maxRecipients: 2 });
    await client.upToData("app@sender.example");
    await client.say("RCPT TO:<a@localhost>");
    await client.say("RCPT TO:<b@localhost>");
    assert.match((await client.say("RCPT TO:<c@localhost>")) ?? "", /^452 4\.5\.3 /u);
  });

  it("for connections", async () => {
    const { client, port } = await stage({ maxConnections: 1 });
    assert.match((await client.reply()) ?? "", /^220 /u);
    const second = await smtpDialogue(port);
    assert.match((await second.reply()) ?? "", /^421 /u);
    await second.ended();
  });

  it("for the patience with a slow client, in a command and in a message", async () => {
    const { client, port, arrivals } = await stage({ idleMs: 40 });
    client.send("EHL");
    await client.reply();
    assert.match((await client.reply()) ?? "", /^421 /u);
    const second = await smtpDialogue(port);
    await second.upToData("app@sender.example", "you@localhost");
    second.send("From: half");
    assert.match((await second.reply()) ?? "", /^421 /u);
    await second.ended();
    assert.equal(arrivals.length, 0);
  });

  it("for the length of a line", async () => {
    const { client } = await stage();
    await client.reply();
    client.send("EHLO ".padEnd(20_000, "x"));
    assert.match((await client.reply()) ?? "", /^421 /u);
  });

  it("for the rounds that a message may have made", async () => {
    const { client, arrivals } = await stage();
    await client.upToData("app@sender.example", "you@localhost");
    client.send("Received: from a by b; date\r\n".repeat(101));
    assert.match((await client.say(`${MESSAGE}.`)) ?? "", /^554 5\.4\.6 /u);
    assert.equal(arrivals.length, 0);
  });
});

describe("a receiver that stops", () => {
  it("sends idle and silenced clients away at once", async () => {
    const { client, port, receiver, clock } = await stage();
    await client.reply();
    const silenced = await smtpDialogue(port);
    await silenced.upToData("app@localhost", "timeout@localhost");
    silenced.send(`${MESSAGE}.\r\n`);
    while (clock.pending() === 0) await new Promise(setImmediate);
    const closed = receiver.close();
    assert.match((await client.reply()) ?? "", /^421 4\.3\.2 /u);
    assert.match((await silenced.reply()) ?? "", /^421 4\.3\.2 /u);
    await closed;
  });

  it("waits for a message that is being stored", async () => {
    const storing = Promise.withResolvers<undefined>();
    const stored = Promise.withResolvers<ArrivalAnswer>();
    const { client, receiver } = await stage({
      onMessage: () => {
        storing.resolve(undefined);
        return stored.promise;
      },
    });
    await client.upToData("app@sender.example", "you@localhost");
    const answer = client.say(`${MESSAGE}.`);
    await storing.promise;
    const closed = receiver.close();
    stored.resolve({ accepted: true });
    assert.match((await answer) ?? "", /^250 /u);
    await closed;
    await client.ended();
  });

  it("does not wait for ever", async () => {
    const storing = Promise.withResolvers<undefined>();
    const { client, receiver } = await stage({
      closeMs: 30,
      onMessage: () => {
        storing.resolve(undefined);
        return new Promise(() => undefined);
      },
    });
    await client.upToData("app@sender.example", "you@localhost");
    client.send(`${MESSAGE}.\r\n`);
    await storing.promise;
    await receiver.close();
    await client.ended();
  });
});
