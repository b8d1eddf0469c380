/** What a submitted message must not hold, however it is cut on the way. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";

import fc from "fast-check";

import { roomFor } from "../../../../src/adapters/smtp-in/room.ts";
import { bodyFaults, lineWatch } from "../../../../src/adapters/smtp-in/submission/body-faults.ts";
import type { Dialogue } from "../../../support/smtp-dialogue.ts";
import { counters, MESSAGE, textOf, USER } from "../../../support/submission-listener.ts";

const counter = counters();

const FROM = `From: ${USER}\r\n\r\n`;

const pieces = function* (octets: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < octets.length; at += size) yield octets.subarray(at, at + size);
};

const isTooLong = (text: string, size: number): boolean => {
  const watch = lineWatch();
  for (const piece of pieces(Buffer.from(text), size)) watch.look(piece);
  return watch.isTooLong();
};

describe("a line", () => {
  for (const size of [1, 2, 7, 997, 998, 999, 1_000, 1_001, 4_096]) {
    it(`of 998 octets is not too long, one of 999 is, in pieces of ${size}`, () => {
      for (const before of ["", "\r\n", "short\r\n", `${"y".repeat(998)}\r\n`]) {
        for (const after of ["", "short\r\n", `${"y".repeat(998)}\r\n`]) {
          assert.equal(isTooLong(`${before}${"x".repeat(998)}\r\n${after}`, size), false);
          assert.equal(isTooLong(`${before}${"x".repeat(999)}\r\n${after}`, size), true);
        }
      }
    });
  }

  it("is measured alike however the text is cut", () => {
    const lengths = fc.array(fc.oneof(fc.integer({ min: 0, max: 80 }), fc.integer({ min: 990, max: 1_002 })), { maxLength: 12 });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 2_500 }), (lines, size) => {
        const text = lines.map((length) => `${"x".repeat(length)}\r\n`).join("");
        assert.equal(isTooLong(text, size), Math.max(0, ...lines) > 998);
      }),
    );
  });
});

describe("a body", () => {
  it("without fault has none, and with both the first that matters", () => {
    const texts = ["", "Thanks.\r\n", "a\0b\r\n", `${"x".repeat(999)}\r\n`, `${"x".repeat(999)}\0\r\n`];
    const found = texts.map((text) => {
      const faults = bodyFaults();
      faults.look(Buffer.from(text));
      return faults.refusal()?.text.slice(0, 25) ?? "none";
    });
    assert.deepEqual(found, ["none", "none", "The message has a NUL: en", "The message has a line of", "The message has a NUL: en"]);
  });
});

const hand = async (visitor: Dialogue, message: string | Buffer, size = Number.POSITIVE_INFINITY): Promise<string> => {
  await visitor.say(`MAIL FROM:<${USER}>`);
  await visitor.say("RCPT TO:<bob@there.example>");
  await visitor.say("DATA");
  const octets = Buffer.from(message);
  for (const piece of pieces(octets, Math.min(size, octets.length))) {
    visitor.send(piece);
    if (Number.isFinite(size)) await new Promise(setImmediate);
  }
  return (await visitor.say(".")) ?? "";
};

describe("a submitted message", () => {
  for (const [what, body, reply] of [
    ["has a NUL", "a\0b\r\n", /^554 5\.6\.0 .*NUL/u],
    // What a next hop that leaves NULs out would take for its end.
    ["has one where a line begins", "Hello.\r\n\0.\r\nMAIL FROM:<forged@there.example>\r\n", /^554 5\.6\.0 .*NUL/u],
    ["has one far behind", `${"x".repeat(98)}\r\n`.repeat(900) + "\0\r\n", /^554 5\.6\.0 .*NUL/u],
    ["has a line of 999 octets", `${"x".repeat(999)}\r\n`, /^554 5\.6\.0 .*more than 998 octets/u],
    ["has one far behind that is too long", `${"x".repeat(98)}\r\n`.repeat(900) + `${"x".repeat(5_000)}\r\n`, /^554 5\.6\.0 .*998/u],
  ] as const) {
    for (const size of [Number.POSITIVE_INFINITY, 5_003]) {
      it(`that ${what} is refused, and nothing of it stored, in chunks of ${size}`, async () => {
        const room = roomFor(400_000);
        const { enter, queued } = await counter({ room });
        const visitor = await enter();
        assert.match(await hand(visitor, FROM + body, size), reply);
        assert.equal(queued.length, 0);
        assert.ok(room.fits(400_000));
        assert.match(await hand(visitor, MESSAGE), /^250 /u);
      });
    }
  }

  it("may have lines of 998 octets, whose doubled dot does not count", async () => {
    const { enter, queued } = await counter();
    const line = `.${"x".repeat(997)}\r\n`;
    assert.match(await hand(await enter(), `${FROM}.${line}${"ä".repeat(499)}\r\n`), /^250 /u);
    assert.ok(textOf(queued[0]!).endsWith(`\r\n\r\n${line}${"ä".repeat(499)}\r\n`));
  });
});
