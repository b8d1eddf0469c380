import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readMail } from "../../../../src/adapters/mime/reader/read-mail.ts";
import { inPieces, lines, multipart, part, typesOf } from "./letters.ts";

const MIB = 1_024 * 1_024;

const read = (octets: Buffer) => readMail([octets]);

const plain = (text: string): Buffer => part(["Content-Type: text/plain; charset=utf-8"], text);
const hypertext = (text: string): Buffer => part(["Content-Type: text/html"], text);
const attached = part(["Content-Type: application/pdf", "Content-Transfer-Encoding: base64"], "aGVsbG8=");

describe("the text of a message", () => {
  it("is that of a message without parts", async () => {
    const { text, html } = await read(lines("Subject: hi", "", "one", "two"));
    assert.deepEqual([text, html], ["one\ntwo\n", ""]);
    assert.equal((await read(part(["Content-Type: text/html"], "<p>"))).html, "<p>");
  });

  it("is text and HTML of an alternative, however deep and beside whatever", async () => {
    const alternative = multipart("alternative", "a", plain("hello"), multipart("related", "r", hypertext("<b>hello</b>"), attached));
    const { text, html, structure } = await read(multipart("mixed", "m", alternative, attached, plain("-- footer of a list")));
    assert.deepEqual([text, html], ["hello", "<b>hello</b>"]);
    assert.deepEqual(typesOf(structure), [
      "multipart/mixed",
      ["multipart/alternative", "text/plain", ["multipart/related", "text/html", "application/pdf"]],
      "application/pdf",
      "text/plain",
    ]);
  });

  it("is the first of several, and never both of a mixed message", async () => {
    const mixed = await read(multipart("mixed", "m", attached, hypertext("<i>"), plain("later")));
    assert.deepEqual([mixed.text, mixed.html], ["", "<i>"]);
    const twice = await read(multipart("alternative", "m", plain("one"), plain("two"), hypertext("1"), hypertext("2")));
    assert.deepEqual([twice.text, twice.html], ["one", "1"]);
  });

  it("is not looked for in messages that are attached", async () => {
    const { text, structure } = await read(multipart("mixed", "m", part(["Content-Type: message/rfc822"], "Subject: x\r\n\r\ninner")));
    assert.equal(text, "");
    assert.deepEqual(typesOf(structure), ["multipart/mixed", "message/rfc822"]);
    assert.equal(structure.parts[0]?.decodedSize, 19);
  });

  it("is decoded: transfer encoding, then charset", async () => {
    const of = async (header: readonly string[], body: string): Promise<string> => (await read(part(header, body))).text;
    const qp = "Content-Transfer-Encoding: Quoted-Printable (really)";
    assert.equal(await of([qp, "Content-Type: text/plain; charset=ISO-8859-1"], "caf=E9 =\r\nau lait   \r\n=zz=4"), "café au lait\n=zz=4");
    assert.equal(await of(["Content-Type: text/plain; charset=windows-1252"], "\x80"), "€");
    assert.equal(await of(["Content-Type: text/plain; charset=Shift_JIS", qp], "=93=FA=96{"), "日本");
    assert.equal(await of(["Content-Type: text/plain; charset=ISO-2022-JP"], "\x1b$BF|K\\\x1b(B"), "日本");
    assert.equal(await of(["Content-Type: text/plain; charset=utf-16le", "Content-Transfer-Encoding: base64"], "aABpAA=="), "hi");
    assert.equal(await of(["Content-Type: text/plain; charset=us-ascii"], "\xc3\xbc"), "ü");
    assert.equal(await of(["Content-Type: text/plain; charset=no-such"], "\xc3\xbc"), "ü");
    assert.equal(await of(["Content-Type: text/plain; charset=utf-7"], "+ADw-script+AD4-"), "+ADw-script+AD4-");
    assert.equal(await of([], "\xc3\xbc\xff"), "ü\ufffd");
  });

  it("survives base64 that is broken", async () => {
    const of = async (body: string): Promise<string> => (await read(part(["Content-Transfer-Encoding: base64"], body))).text;
    assert.equal(await of("aGVs\r\n bG8gd29y\t!\r\nbGQ"), "hello world");
    assert.equal(await of("aGk=\r\naGk="), "hihi");
    assert.equal(await of("===="), "");
    assert.equal(await of("a"), "");
  });

  it("is cut at 1 MiB of UTF-8, between characters", async () => {
    const long = await read(part(["Content-Type: text/plain; charset=utf-8"], `x${Buffer.from("€".repeat(400_000)).toString("latin1")}`));
    assert.equal(Buffer.byteLength(long.text), 1 + 3 * Math.floor((MIB - 1) / 3));
    assert.ok(long.text.endsWith("€"));
    assert.equal(long.structure.decodedSize, 1 + 1_200_000);
    const wide = await read(part(["Content-Type: text/html; charset=utf-16le"], "a\0\r\0\n\0".repeat(MIB)));
    assert.ok(wide.html === "a\n".repeat(MIB / 2));
    const ascii = await read(lines("", "a".repeat(MIB - 1), "b"));
    assert.ok(ascii.text === `${"a".repeat(MIB - 1)}\n`);
  });
});

describe("the structure of a message", () => {
  it("says of each part what its header says", async () => {
    const { structure } = await read(
      multipart(
        "mixed",
        "M=m",
        part(
          ['Content-Type: TEXT/Plain; CHARSET="UTF-8"; Format=flowed (a comment)', "Content-Id: <id@x>", "Content-Disposition: INLINE"],
          "hi\nthere",
        ),
        part(['Content-Type: image/png; name="=?utf-8?q?b=C3=BC.png?="', "Content-Disposition: attachment"], "x"),
        part(["Content-Disposition: attachment; filename*0*=utf-8''%e2%82%ac; filename*1=%20.pdf; filename=fallback.pdf"], "x"),
        part(["Content-Type: application/x; name=a.txt", 'Content-Disposition: Attachment; FileName="c:\\\\b \\"c\\".txt"'], "x"),
      ),
    );
    assert.deepEqual(structure, {
      contentType: "multipart/mixed",
      contentTypeParams: { boundary: "M=m" },
      contentId: "",
      contentDisposition: "",
      filename: "",
      decodedSize: 0,
      parts: [
        {
          contentType: "text/plain",
          contentTypeParams: { charset: "UTF-8", format: "flowed" },
          contentId: "<id@x>",
          contentDisposition: "inline",
          filename: "",
          // Text is counted with CRLF.
          decodedSize: 9,
          parts: [],
        },
        {
          contentType: "image/png",
          contentTypeParams: { name: "=?utf-8?q?b=C3=BC.png?=" },
          contentId: "",
          contentDisposition: "attachment",
          filename: "bü.png",
          decodedSize: 1,
          parts: [],
        },
        {
          contentType: "text/plain",
          contentTypeParams: {},
          contentId: "",
          contentDisposition: "attachment",
          filename: "€ .pdf",
          decodedSize: 1,
          parts: [],
        },
        {
          contentType: "application/x",
          contentTypeParams: { name: "a.txt" },
          contentId: "",
          contentDisposition: "attachment",
          filename: 'c:\\b "c".txt',
          decodedSize: 1,
          parts: [],
        },
      ],
    });
  });

  it("takes unreadable types for octets, and parts of a digest for messages", async () => {
    const { structure } = await read(
      multipart(
        "digest",
        "d",
        part(["Content-Type: ; charset=x"], ""),
        part(["Content-Type: text"], ""),
        part(["Content-Type: te xt/plain"], ""),
        part([], "Subject: inner\r\n\r\nx"),
      ),
    );
    assert.deepEqual(typesOf(structure), [
      "multipart/digest",
      "application/octet-stream",
      "application/octet-stream",
      "application/octet-stream",
      "message/rfc822",
    ]);
  });

  it("is found although delimiters are missing", async () => {
    const inner = lines('Content-Type: multipart/alternative; boundary="in"', "", "--in", "", "text").toString("latin1");
    const { structure, text } = await read(
      lines('Content-Type: multipart/mixed; boundary="out"', "", "--out", ...inner.trimEnd().split("\r\n"), "--out", "", "second"),
    );
    assert.deepEqual(typesOf(structure), ["multipart/mixed", ["multipart/alternative", "text/plain"], "text/plain"]);
    assert.equal(text, "text");
  });

  it("is that of a message without parts when a boundary is missing or never comes", async () => {
    for (const header of ["Content-Type: multipart/mixed", 'Content-Type: multipart/mixed; boundary="b"']) {
      const { structure, text } = await read(lines(header, "", "--c", "", "text"));
      assert.deepEqual([typesOf(structure), text], ["multipart/mixed", ""]);
    }
  });
});

describe("a message in pieces", () => {
  it("reads the same wherever it is cut", async () => {
    const octets = Buffer.concat([
      lines("From: a@x.example", "Subject: =?utf-8?q?=C3=BC?="),
      multipart(
        "mixed",
        "mmm",
        multipart(
          "alternative",
          "aaa",
          part(["Content-Transfer-Encoding: quoted-printable"], "a=C3=BC =\r\nb\r\n\r\n--no\r\n"),
          hypertext("<p>\r\n"),
        ),
        attached,
      ),
    ]);
    const { header, ...whole } = await read(octets);
    assert.deepEqual([whole.text, header.subject], ["aü b\n\n--no\n", "ü"]);
    for (const size of [1, 2, 3, 7, 64, 100]) {
      const { header: again, ...rest } = await readMail(inPieces(octets, size));
      assert.deepEqual(rest, whole, `in pieces of ${size}`);
      assert.equal(again.subject, "ü");
    }
  });

  it("is not read when the pieces fail", async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield lines("Subject: x", "");
      await Promise.resolve();
      throw new Error("disk is gone");
    }
    await assert.rejects(readMail(failing()), /disk is gone/u);
  });
});
