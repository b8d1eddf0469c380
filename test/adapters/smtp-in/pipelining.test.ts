/**
 * Clients that send whole messages without waiting for 354. RFC 2920 section 3.1 forbids it; the session has to go on all
 * the same, since what they sent is clear.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { receivers } from "../../support/local-receiver.ts";
import { mailExchangers } from "../../support/mail-exchanger.ts";
import type { Dialogue } from "../../support/smtp-dialogue.ts";
import { counters, USER } from "../../support/submission-listener.ts";

const mx = mailExchangers();
const local = receivers();
const counter = counters();

/** How many messages arrived. */
type Site = { readonly visitor: Dialogue; readonly to: string; readonly stored: () => number };

const greeted = async (visitor: Dialogue): Promise<Dialogue> => {
  await visitor.reply();
  await visitor.say("EHLO client.example");
  return visitor;
};

const SITES: Readonly<Record<string, () => Promise<Site>>> = {
  "the receiver of mail from the internet": async () => {
    const { client, mails } = await mx();
    return { visitor: await greeted(client), to: "app@own.example", stored: () => mails.length };
  },
  "the local receiver": async () => {
    const { client, arrivals } = await local();
    return { visitor: await greeted(client), to: "you@localhost", stored: () => arrivals.length };
  },
  "the receiver of submissions": async () => {
    const { enter, queued } = await counter();
    return { visitor: await enter(), to: "bob@there.example", stored: () => queued.length };
  },
};

const transaction = (to: string, number: number): string =>
  `MAIL FROM:<${USER}>\r\nRCPT TO:<${to}>\r\nDATA\r\nFrom: ${USER}\r\nSubject: ${number}\r\n\r\n..\r\nThanks.\r\n.\r\n`;

const codes = async (visitor: Dialogue, count: number): Promise<string> => {
  const replies: (string | undefined)[] = [];
  for (let index = 0; index < count; index += 1) replies.push((await visitor.reply())?.slice(0, 3));
  return replies.join(" ");
};

const repeated = (text: string, count: number): string => Array.from({ length: count }, () => text).join(" ");

for (const [name, open] of Object.entries(SITES)) {
  describe(`${name}, when messages come all at once`, () => {
    for (const count of [2, 3, 200]) {
      it(`takes ${count} of them and hears what follows`, { timeout: 5_000 }, async () => {
        const { visitor, to, stored } = await open();
        const messages = Array.from({ length: count }, (_, index) => transaction(to, index));
        visitor.send(`${messages.join("")}NOOP\r\nQUIT\r\n`);
        assert.equal(await codes(visitor, count * 4), repeated("250 250 354 250", count));
        assert.equal(await codes(visitor, 2), "250 221");
        assert.equal(stored(), count);
        await visitor.ended();
      });
    }

    for (const size of [1, 7, 97, 251]) {
      it(`takes them in chunks of ${size}`, { timeout: 5_000 }, async () => {
        const { visitor, to, stored } = await open();
        const octets = Buffer.from(`${transaction(to, 1)}${transaction(to, 2)}${transaction(to, 3)}NOOP\r\n`);
        for (let at = 0; at < octets.length; at += size) {
          visitor.send(octets.subarray(at, at + size));
          await new Promise(setImmediate);
        }
        assert.equal(await codes(visitor, 13), `${repeated("250 250 354 250", 3)} 250`);
        assert.equal(stored(), 3);
      });
    }
  });
}
