import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";

import { canonicalBody, type Canonicalization } from "../../../src/adapters/mail-auth/body-hash.ts";

/** The hash of a body that comes in bits of `bit` octets, and how long its canonical form is. */
const hashOf = (form: Canonicalization, body: string | Buffer, bit = Infinity, limit = Infinity) => {
  const octets = Buffer.from(body);
  const canonical = canonicalBody(form);
  const hash = canonical.hash("sha256", limit);
  for (let at = 0; at < octets.length; at += Math.min(bit, octets.length)) canonical.add(octets.subarray(at, at + bit));
  canonical.end();
  return { digest: hash.digest("base64"), hashed: hash.hashed(), total: hash.total() };
};
const sha256 = (text: string): string => createHash("sha256").update(text).digest("base64");

/** RFC 6376 section 3.4, the short way. */
const plainly = (form: Canonicalization, body: string): string => {
  const reduced = form === "simple" ? body : body.replace(/[ \t]+/gu, " ").replace(/ (?=\r\n)/gu, "");
  const kept = reduced.replace(/(?:\r\n)+$/u, "");
  return kept === "" && form === "relaxed" ? "" : `${kept}\r\n`;
};

const bodies = fc
  .array(fc.constantFrom("\r\n", "\r\n\r\n", " ", "\t", "a", "b c", ".", "ü"), { maxLength: 60 })
  .map((parts) => `${parts.join("")}\r\n`);

describe("the hash of a body", () => {
  for (const form of ["simple", "relaxed"] as const) {
    it(`is that of its ${form} form, in whatever bits it comes`, () => {
      fc.assert(
        fc.property(bodies, fc.integer({ min: 1, max: 9 }), (body, bit) => {
          assert.equal(hashOf(form, body, bit).digest, sha256(plainly(form, body)));
        }),
      );
    });
  }

  it("is that of the examples in RFC 6376 section 3.4.5", () => {
    const body = " C \r\nD \t E\r\n\r\n\r\n";
    assert.equal(hashOf("relaxed", body).digest, sha256(" C\r\nD E\r\n"));
    assert.equal(hashOf("simple", body).digest, sha256(" C \r\nD \t E\r\n"));
  });

  it("of nothing is that of the empty text, or of a line end", () => {
    assert.equal(hashOf("relaxed", "").digest, sha256(""));
    assert.equal(hashOf("simple", "").digest, sha256("\r\n"));
  });

  it("can end early, and tells how much there is", () => {
    assert.deepEqual(hashOf("relaxed", "hello\r\nworld\r\n", 3, 7), { digest: sha256("hello\r\n"), hashed: 7, total: 14 });
  });

  it("keeps nothing of a body that is made to be kept", () => {
    for (const [text, form] of [
      ["\t\r\n", "relaxed"],
      ["\r\n", "simple"],
      [" ", "relaxed"],
      ["\r\n ", "simple"],
      ["a", "relaxed"],
    ] as const) {
      const piece = Buffer.from(text.repeat(30_000));
      const canonical = canonicalBody(form);
      const hash = canonical.hash("sha256", Infinity);
      const before = process.memoryUsage().rss;
      for (let sent = 0; sent < 25e6; sent += piece.length) canonical.add(piece);
      canonical.end();
      assert.ok(process.memoryUsage().rss - before < 64e6, `${JSON.stringify(text)} took ${process.memoryUsage().rss - before} octets`);
      hash.digest("base64");
    }
  });
});
