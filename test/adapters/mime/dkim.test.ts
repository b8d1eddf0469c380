import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { dkimVerify } from "mailauth/lib/dkim/verify.js";
import type { DkimSelector } from "../../../src/adapters/mime/dkim.ts";
import { dkimKey, dkimSigner } from "../../../src/adapters/mime/dkim.ts";

type Keys = { readonly publicKey: KeyObject; readonly privateKey: KeyObject };

const pem = ({ publicKey, privateKey }: Keys) => ({
  publicKey: publicKey.export({ type: "spki", format: "pem" }).toString(),
  privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
});

const rsa = pem(generateKeyPairSync("rsa", { modulusLength: 2048 }));
const ed25519 = pem(generateKeyPairSync("ed25519"));

const derOf = (key: string): string => key.replace(/-----[^-]+-----|\s/g, "");
const RECORDS: Readonly<Record<string, string>> = {
  "r1._domainkey.example.org": `v=DKIM1; k=rsa; p=${derOf(rsa.publicKey)}`,
  // RFC 8463 section 4.2: the bare key, which is the end of its DER form.
  "e1._domainkey.example.org": `v=DKIM1; k=ed25519; p=${Buffer.from(derOf(ed25519.publicKey), "base64").subarray(-32).toString("base64")}`,
};

const resolver = (name: string): Promise<string[][]> => {
  const record = RECORDS[name];
  return record === undefined
    ? Promise.reject(Object.assign(new Error("no such name"), { code: "ENOTFOUND" }))
    : Promise.resolve([[record]]);
};

const SELECTORS: readonly DkimSelector[] = [
  { selector: "r1", key: dkimKey(rsa.privateKey) },
  { selector: "e1", key: dkimKey(ed25519.privateKey) },
];
const clock = { now: () => Date.now() };
const signer = dkimSigner((domain) => (domain === "example.org" ? SELECTORS : []), clock);

/** In one piece. */
const sign = async (content: Uint8Array, domain: string): Promise<Buffer> => Buffer.concat(await signer([content], domain));

const message = (body: string, subject = "hi"): Buffer =>
  Buffer.from(
    `From: Shop <shop@example.org>\r\nTo: <bob@example.net>,\r\n <carol@example.net>\r\nSubject:  ${subject}\t x \r\n` +
      `Date: Mon, 1 Jun 2026 12:00:00 +0000\r\nMessage-ID: <a@b>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n${body}`,
  );

const verdicts = async (content: Uint8Array): Promise<readonly string[]> => {
  const { results } = await dkimVerify(Buffer.from(content), { resolver, minBitLength: 1024 });
  return results.map(({ status, selector }) => `${String(selector)} ${status.result}`).sort();
};

const GOOD = ["e1 pass", "r1 pass"];

describe("a signed message", () => {
  for (const [what, body] of [
    ["a body", "hello\r\n"],
    ["no body", ""],
    ["empty lines at the end", "hello\r\n\r\n\r\n"],
    ["nothing but empty lines", "\r\n\r\n"],
    ["white space in runs and at line ends", "a  b\t\tc \r\n  \r\n\t\r\nd\r\n"],
    ["no line end at the end", "hello"],
    ["UTF-8", "größe\r\n"],
  ] as const) {
    it(`with ${what} verifies by each selector`, async () => {
      assert.deepEqual(await verdicts(await sign(message(body), "example.org")), GOOD);
    });
  }

  it("starts with its signatures and is otherwise the same", async () => {
    const content = await sign(message("hello\r\n"), "example.org");
    assert.ok(content.subarray(-message("hello\r\n").length).equals(message("hello\r\n")));
    assert.equal(content.toString().match(/^DKIM-Signature: /gm)?.length, 2);
    assert.ok(
      content
        .toString()
        .split("\r\n")
        .every((line) => line.length <= 78),
    );
  });

  it("does not verify with another body, another subject, or a header added", async () => {
    const content = (await sign(message("hello\r\n"), "example.org")).toString();
    const end = content.indexOf("\r\nFrom:") + 2;
    const changed = [
      content.replace("hello", "hullo"),
      content.replace("Subject:  hi", "Subject: ho"),
      `${content.slice(0, end)}From: evil@example.com\r\n${content.slice(end)}`,
      `${content.slice(0, end)}Reply-To: evil@example.com\r\n${content.slice(end)}`,
    ];
    for (const text of changed) assert.ok((await verdicts(Buffer.from(text))).every((verdict) => !verdict.endsWith("pass")));
  });

  it("verifies whatever its body and subject are", async () => {
    const lines = fc.array(fc.string({ unit: fc.constantFrom("a", " ", "\t", "=", "ü") }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(lines, fc.string({ unit: fc.constantFrom("a", " ", "\t", ":", ";") }), async (body, subject) => {
        assert.deepEqual(
          await verdicts(await sign(message(body.map((line) => `${line}\r\n`).join(""), `s${subject}`), "example.org")),
          GOOD,
        );
      }),
      { numRuns: 60 },
    );
  });
});

/** Cut behind each of these numbers of octets, in turn. */
const cut = (content: Buffer, sizes: readonly number[]): readonly Buffer[] => {
  const pieces: Buffer[] = [];
  for (let at = 0, turn = 0; at < content.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    pieces.push(content.subarray(at, at + size));
    at += size;
  }
  return pieces;
};

describe("a message in pieces", () => {
  const bits = fc.array(fc.constantFrom("a", " ", "\t", "\r\n", "\r\n\r\n", "  \r\n", "ü"), { maxLength: 30 });
  const sizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 });

  it("gets the signatures of the same message in one piece, wherever it was cut", async () => {
    const still = { now: () => 1_780_000_000_000 };
    const both = dkimSigner(() => SELECTORS, still);
    await fc.assert(
      fc.asyncProperty(bits, sizes, async (body, each) => {
        const whole = message(body.join(""));
        const pieces = cut(whole, each);
        const signed = await both(pieces, "example.org");
        assert.equal(String(signed[0]), String((await both([whole], "example.org"))[0]));
        assert.deepEqual(signed.slice(1), pieces);
      }),
      { numRuns: 100 },
    );
  });

  it("verifies, though it is long and full of white space and empty lines", async () => {
    const long = message(`${" \t".repeat(200_000)}\r\n${"\r\n".repeat(300_000)}end${" ".repeat(300_000)}\r\n${"\r\n".repeat(200_000)}`);
    assert.deepEqual(await verdicts(Buffer.concat(await signer(cut(long, [262_143]), "example.org"))), GOOD);
  });
});

describe("a message of a domain without selectors", () => {
  it("stays as it is", async () => {
    const content = [message("hello\r\n")];
    assert.equal(await signer(content, "example.net"), content);
  });
});

describe("a DKIM key", () => {
  it("is refused when it is none, too short, or of another kind", () => {
    const short = pem(generateKeyPairSync("rsa", { modulusLength: 512 }));
    const curve = pem(generateKeyPairSync("ec", { namedCurve: "P-256" }));
    for (const key of ["", "not a key", rsa.publicKey, short.privateKey, curve.privateKey])
      assert.throws(() => dkimKey(key), /^Error: DKIM key/);
  });
});
