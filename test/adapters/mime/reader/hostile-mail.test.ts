import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { readHeader } from "../../../../src/adapters/mime/reader/mail-header.ts";
import type { MailReading } from "../../../../src/adapters/mime/reader/mail-reading.ts";
import { readMail } from "../../../../src/adapters/mime/reader/read-mail.ts";
import { readPart } from "../../../../src/adapters/mime/reader/read-part.ts";
import { depthOf, inPieces, lines, part } from "./letters.ts";

const MIB = 1_024 * 1_024;

/** Generous on a busy machine; what is quadratic takes minutes. */
const SOON_MS = 20_000;

const soon = async <T>(what: string, work: () => T | Promise<T>): Promise<T> => {
  const start = performance.now();
  const result = await work();
  const tookMs = performance.now() - start;
  assert.ok(tookMs < SOON_MS, `${what} took ${Math.round(tookMs)} ms`);
  return result;
};

const read = (what: string, octets: Buffer): Promise<MailReading> => soon(what, () => readMail([octets]));

const nested = (levels: number): Buffer =>
  lines(
    "Subject: deep",
    ...Array.from({ length: levels }, (_, at) => [`Content-Type: multipart/mixed; boundary=b${at}`, "", `--b${at}`]).flat(),
    "",
    "hello",
  );

describe("a message nested without end", () => {
  it("is read down to a bound, and not lost", async () => {
    const { structure, header } = await read("5,000 levels", nested(5_000));
    assert.equal(header.subject, "deep");
    assert.equal(depthOf(structure), 50);
  });

  it("is read whole up to the bound", async () => {
    const { structure, text } = await read("50 levels", nested(50));
    assert.deepEqual([depthOf(structure), text], [50, "hello\n"]);
    assert.deepEqual(await readPart([nested(50)], Array<number>(50).fill(0)), Buffer.from("hello\r\n"));
    assert.equal(await readPart([nested(51)], Array<number>(51).fill(0)), undefined);
  });
});

describe("a message with parts without end", () => {
  it("is read up to a bound, its text first", async () => {
    const octets = Buffer.concat([
      lines("Content-Type: multipart/mixed; boundary=b", "", "--b", "", "first"),
      Buffer.from("--b\r\n\r\nx\r\n".repeat(50_000)),
    ]);
    const { structure, text } = await read("50,000 parts", octets);
    assert.equal(text, "first");
    assert.ok(structure.parts.length > 900 && structure.parts.length <= 1_000, `${structure.parts.length} parts`);
  });

  it("is not described at any length", async () => {
    const described = (part: string): Buffer =>
      Buffer.from(`Content-Type: multipart/mixed; boundary=b\r\n\r\n${`--b\r\nContent-Type: a/b${part}\r\n\r\nx\r\n`.repeat(900)}`);
    const params = (octets: number): string => Array.from({ length: 40 }, (_, at) => `; p${at}=${"v".repeat(octets)}`).join("");
    const long = await read("parameters", described(params(40)));
    assert.equal(long.structure.parts.length, 900);
    assert.deepEqual([long.structure.parts[0]?.contentType, long.structure.parts[0]?.contentTypeParams["p39"]], ["a/b", "v".repeat(40)]);
    assert.deepEqual(long.structure.parts.at(-1)?.contentTypeParams, {});
    assert.ok(JSON.stringify(long.structure).length < MIB);
    const longer = await read("more parameters", described(params(300)));
    assert.ok(longer.structure.parts.length > 100 && longer.structure.parts.length < 200, `${longer.structure.parts.length} parts`);
  });
});

describe("a header bomb", () => {
  it("is read up to a bound", async () => {
    for (const [what, field] of [
      ["recipients", `To: ${"a@b.example, ".repeat(100_000)}`],
      ["folded lines", `Subject: ${"x\r\n ".repeat(300_000)}`],
      ["fields", "X-Y: z\r\n".repeat(200_000)],
      ["one long line", `Subject: ${"x".repeat(3 * MIB)}`],
    ] as const) {
      const { header, text, structure } = await read(what, lines("From: a@x.example", field, "", "body"));
      assert.equal(header.from[0]?.address, "a@x.example", what);
      assert.ok(header.to.length <= 10_000 && header.subject.length <= 998, what);
      assert.deepEqual([text, structure.contentType], ["", "text/plain"], what);
    }
  });

  it("in one of the parts costs only what comes after it", async () => {
    const octets = lines("Content-Type: multipart/mixed; boundary=b", "", "--b", "", "first", "--b", `X: ${"x".repeat(MIB)}`, "", "y");
    const { text, structure } = await read("part header", octets);
    assert.deepEqual([text, structure.parts.length], ["first", 1]);
  });
});

describe("hostile text", () => {
  it("takes linear time in headers", async () => {
    for (const seed of [
      "<",
      "(",
      '"',
      "\\",
      ",",
      ":",
      ";",
      "@",
      "=?",
      "=?utf-8?q?",
      "=?a?b?",
      "<a@",
      "a@b,",
      "(\\",
      '"\\',
      " ",
      "\t\r\n ",
      "=?utf-8?b?//8=?= ",
    ]) {
      const long = seed.repeat(Math.ceil((200 * 1_024) / seed.length));
      await soon(JSON.stringify(seed), () => {
        const header = readHeader(lines(...["From", "Subject", "References", "Date", "Message-ID"].map((name) => `${name}: ${long}`)), {
          headerOctets: 2 * MIB,
        });
        assert.ok(header.subject.length <= 998);
      });
    }
  });

  it("takes linear time in the headers of parts", async () => {
    for (const seed of [";", "=", ";a=", '"', "(", "\\", "=?utf-8?q?", ";a*0=b", ";a*1*=%", ";a*=utf-8''%ff"]) {
      const long = seed.repeat(Math.ceil((100 * 1_024) / seed.length));
      await read(JSON.stringify(seed), part([`Content-Type: text/plain${long}`, `Content-Disposition: x${long}`], "x"));
    }
  });

  it("takes linear time in bodies", async () => {
    for (const [what, header, body] of [
      ["HTML of <", "Content-Type: text/html", "<".repeat(270 * 1_024)],
      ["delimiters that are none", "Content-Type: multipart/mixed; boundary=b", "--\r\n".repeat(500_000)],
      ["preamble", "Content-Type: multipart/mixed; boundary=b", "\r\n".repeat(MIB)],
      ["blanks in quoted-printable", "Content-Transfer-Encoding: quoted-printable", " ".repeat(2 * MIB)],
      ["escapes without line ends", "Content-Transfer-Encoding: quoted-printable", "=4".repeat(MIB)],
      ["soft line ends", "Content-Transfer-Encoding: quoted-printable", "=\r\n".repeat(MIB)],
      ["padding", "Content-Transfer-Encoding: base64", "=A".repeat(MIB)],
      ["lone CR", "Content-Type: text/plain", "\r".repeat(MIB)],
    ] as const) {
      const reading = await read(what, part([header], body));
      assert.ok(Buffer.byteLength(reading.text) <= MIB && Buffer.byteLength(reading.html) <= MIB, what);
    }
  });

  it("leaves others their turn", async () => {
    const octets = Buffer.concat([lines("Content-Type: multipart/mixed; boundary=b", ""), Buffer.from("--b\r\n\r\n-".repeat(700_000))]);
    let turns = 0;
    const counting = setInterval(() => (turns += 1), 1);
    await readMail(inPieces(octets, 256 * 1_024));
    clearInterval(counting);
    assert.ok(turns > 5, `${turns} turns`);
  });
});

const CHUNKS = [
  "Content-Type: ", "multipart/mixed", "multipart/alternative; boundary=b", "; boundary=\"c\"", "text/html; charset=", "utf-16", "iso-2022-jp", "message/rfc822",
  "Content-Transfer-Encoding: ", "base64", "quoted-printable", "Content-Disposition: attachment; filename*0*=utf-8''%e2", "\r\n", "\r\n\r\n", "\n", "\r",
  "--b", "--c", "--b--", "--c--", "=E2=82", "=\r\n", "4oKs", "=", "From: ", "To: a@b.example, <", "Date: Mon, 5 Jan 2026 12:00:00 +0000", "=?utf-8?q?=C3?=",
  "\u0000", "\u00ff\u00fe", "__proto__: x\r\n", "Content-Type: text/plain; __proto__=1; constructor=2", " ", "\t",
]; // prettier-ignore

const hostile = fc
  .array(
    fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...CHUNKS) }, { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 20 }) }),
    {
      maxLength: 80,
    },
  )
  .map((chunks) => Buffer.from(chunks.join(""), "latin1"));

describe("any message", () => {
  it("is read, the same in any pieces, into bounded and well-formed text", async () => {
    await fc.assert(
      fc.asyncProperty(hostile, fc.integer({ min: 1, max: 50 }), async (octets, size) => {
        const { header, ...whole } = await readMail([octets]);
        const { header: again, ...rest } = await readMail(inPieces(octets, size));
        assert.deepEqual(rest, whole);
        assert.deepEqual(JSON.stringify(again), JSON.stringify(header));
        assert.ok(whole.text.isWellFormed() && whole.html.isWellFormed() && header.subject.isWellFormed());
        assert.equal(header.has("toString"), false);
      }),
      { numRuns: 300 },
    );
  });

  it("gives every part that its structure tells of", async () => {
    await fc.assert(
      fc.asyncProperty(hostile, async (octets) => {
        const { structure } = await readMail([octets]);
        const whole = await readPart([octets], []);
        assert.ok(whole !== undefined);
        for (const [at, { decodedSize, contentType }] of structure.parts.entries()) {
          const found = await readPart([octets], [at]);
          assert.ok(found !== undefined);
          if (!contentType.startsWith("multipart/")) assert.equal(found.byteLength, decodedSize);
        }
        assert.equal(await readPart([octets], [structure.parts.length]), undefined);
      }),
      { numRuns: 200 },
    );
  });
});
