import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { simpleParser } from "mailparser";
import { bccField, composed, field, fieldsOf, file, headerOf, mailbox, parsed, textOf } from "./support/drafts.ts";

describe("a simple text message", () => {
  it("has the header that was asked for, and nothing else", async () => {
    const message = await composed({ cc: [mailbox("carol@example.net", "Carol")], bcc: [mailbox("secret@example.net")] });
    assert.match(message.messageId, /^<[0-9a-z]{8}\.[A-Za-z0-9_-]{22}@mail\.example\.org>$/);
    assert.deepEqual(fieldsOf(message), [
      ["from", "Shop <shop@example.org>"],
      ["to", "<bob@example.net>"],
      ["cc", "Carol <carol@example.net>"],
      ["subject", "hello"],
      ["date", "Mon, 1 Jun 2026 12:30:05 +0000"],
      ["message-id", message.messageId],
      ["mime-version", "1.0"],
      ["user-agent", "posthorn/test"],
      ["content-type", "text/plain; charset=utf-8"],
      ["content-transfer-encoding", "7bit"],
    ]);
    assert.ok(!textOf(message).includes("secret"));
    assert.ok(!message.smtpUtf8 && !message.eightBit);
  });

  it("ends its lines in CRLF, whatever ended them before, and its last one too", async () => {
    assert.ok(textOf(await composed({ text: "a\nb\r\nc\rd" })).endsWith("\r\n\r\na\r\nb\r\nc\r\nd\r\n"));
  });

  it("keeps the sender's date in the sender's time zone", async () => {
    const message = await composed({ date: { at: Date.UTC(2024, 1, 29, 23, 30), offsetMinutes: 120 } });
    assert.equal(field(message, "date"), "Fri, 1 Mar 2024 01:30:00 +0200");
    assert.equal(field(await composed({ date: { at: 0, offsetMinutes: -570 } }), "date"), "Wed, 31 Dec 1969 14:30:00 -0930");
  });

  it("gets References, and In-Reply-To from the last of them", async () => {
    const message = await composed({ references: ["<a@x>", "", "b@x", "<b@x> <c@x>"] });
    assert.equal(field(message, "references"), "<a@x> b@x <b@x> <c@x>");
    assert.equal(field(message, "in-reply-to"), "<c@x>");
  });

  it("names no User-Agent of ours when the sender names one", async () => {
    assert.equal(field(await composed({ headers: [["x-mailer", "mine"]] }), "user-agent"), undefined);
    assert.deepEqual(fieldsOf(await composed({ headers: [["User-Agent", "mine"]] })).filter(([name]) => name === "user-agent").length, 1);
  });

  it("has a random Message-ID each time, or the sender's", async () => {
    assert.notEqual((await composed({})).messageId, (await composed({})).messageId);
    assert.equal(field(await composed({ messageId: "<mine@example.org>" }), "message-id"), "<mine@example.org>");
  });
});

describe("text that is not ASCII", () => {
  const subjects = [
    ["several words in a row", "Größe über alles schön"],
    ["mixed words", "one größe two über three"],
    ["many words", "こんにちは 世界 ありがとう さようなら 日本語 テスト ".repeat(12)],
    ["emoji at the edges of encoded words", "😀".repeat(60)],
    ["spaces in runs and at the ends", "  two  spaces   ü  "],
    ["spaces in ASCII", " padded  and   wide "],
    ["what looks like an encoded word", "=?utf-8?Q?not_encoded?= really"],
    ["a long word", "x".repeat(3_000)],
    ["many long lines", "lorem ipsum dolor ".repeat(200).trim()],
  ] as const;
  for (const [what, subject] of subjects) {
    it(`is read back from the subject: ${what}`, async () => {
      const message = await composed({ subject });
      const { subject: read } = await simpleParser(Buffer.from(message.content));
      // Parsers trim; what matters is every space between words.
      assert.equal(read?.trim(), subject.trim());
      assert.ok(
        headerOf(message)
          .split("\r\n")
          .every((line) => line.length <= 78),
      );
    });
  }

  it("is read back from names", async () => {
    for (const name of [
      "Größe Über",
      'a "quoted" \\ name',
      "Doe, John (Sales) <x@y>",
      "日本 太郎 ".repeat(20).trim(),
      "=?utf-8?q?x?=",
      "a  b",
    ]) {
      const { to } = await parsed({ to: [mailbox("bob@example.net", name)] });
      assert.deepEqual(
        [to].flat().map((list) => list?.value),
        [[{ name, address: "bob@example.net" }]],
      );
    }
  });

  it("travels in an encoding that needs no 8BITMIME", async () => {
    for (const text of [
      "hällo, wörld and more text of that kind\n",
      "日本語\n".repeat(50),
      "tab\there\u0000\u001b[0m\n",
      "=\n",
      `${"x".repeat(5_000)}\n`,
    ]) {
      const message = await composed({ text, html: `<p>${text}` });
      assert.ok(!message.eightBit);
      const read = await simpleParser(Buffer.from(message.content), { skipTextToHtml: true });
      assert.equal(read.text, text);
      assert.equal(read.html, `<p>${text}`);
    }
  });

  it("makes the message SMTPUTF8 only in a local part", async () => {
    assert.equal((await composed({ to: [mailbox("bob@grüße.example")] })).smtpUtf8, false);
    const message = await composed({ from: mailbox("größe@grüße.example") });
    assert.deepEqual([message.smtpUtf8, message.eightBit], [true, true]);
    assert.equal(field(message, "from"), "<größe@xn--gre-6ka8l.example>");
    assert.deepEqual([(await composed({ bcc: [mailbox("ü@example.net")] })).smtpUtf8], [true]);
  });
});

describe("a message with files", () => {
  it("nests mixed > related > alternative", async () => {
    const message = await composed({
      ...{ html: "<p>hi", text: "hi" },
      alternativeFiles: [file({ name: "x.ics", contentType: 'text/calendar; method=REQUEST; charset="utf-8"' })],
      inlineFiles: [file({ contentId: "<logo@x>", contentType: "image/png" })],
      attachedFiles: [file({ name: "a.pdf", data: Buffer.from("%PDF-1.7") })],
    });
    const types = [...textOf(message).matchAll(/^Content-Type: ([^;\r]+)/gm)].map(([, type]) => type);
    const expected = [
      "multipart/mixed",
      "multipart/related",
      "multipart/alternative",
      "text/plain",
      "text/html",
      "text/calendar",
      "image/png",
      "application/pdf",
    ];
    assert.deepEqual(types, expected);
    const { attachments, text, html } = await simpleParser(Buffer.from(message.content), { skipTextToHtml: true, keepCidLinks: true });
    assert.deepEqual([text, html], ["hi\n", "<p>hi\n"]);
    assert.deepEqual(
      attachments.map(({ contentType, filename, cid }) => [contentType, filename, cid]),
      [
        ["text/calendar", "x.ics", undefined],
        ["image/png", undefined, "logo@x"],
        ["application/pdf", "a.pdf", undefined],
      ],
    );
  });

  it("carries any octets, in base64 lines of 76", async () => {
    const data = Buffer.from(Array.from({ length: 70_000 }, (_, index) => (index * 31) & 0xff));
    const message = await composed({ attachedFiles: [file({ data, name: "big" })] });
    const { attachments } = await simpleParser(Buffer.from(message.content));
    assert.ok(attachments[0]?.content.equals(data));
    assert.ok(
      textOf(message)
        .split("\r\n")
        .every((line) => line.length <= 76),
    );
  });

  it("keeps file names, whatever is in them", async () => {
    for (const name of ["Grüße aus Köln.pdf", 'quo"te\\s.txt', "日本語ファイル.txt", "a;b=c.txt", "semi; name=evil", "x".repeat(200)]) {
      const { attachments } = await parsed({ attachedFiles: [file({ name })] });
      assert.equal(attachments[0]?.filename, name);
    }
  });

  it("has what a file is looked up in its content when nobody says", async () => {
    const kinds: readonly (readonly [string | Uint8Array, string])[] = [
      ["%PDF-", "application/pdf"],
      ["\x89PNG\r\n\x1a\n....", "image/png"],
      ["GIF89a...", "image/gif"],
      ["  <!DOCTYPE html><p>", "text/html"],
      ["just text", "text/plain"],
      ["BMW is a car", "text/plain"],
      ["PK\x03\x04....", "application/zip"],
      [Uint8Array.of(0, 1, 2, 3, 4), "application/octet-stream"],
      ["", "text/plain"],
    ];
    for (const [data, type] of kinds) {
      const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : data;
      const message = await composed({ attachedFiles: [file({ data: bytes })] });
      assert.ok(textOf(message).includes(`\r\nContent-Type: ${type}`), `${String(data)} should be ${type}`);
    }
  });

  it("with one text and one alternative file is multipart/alternative", async () => {
    assert.match(field(await composed({ alternativeFiles: [file()] }), "content-type") ?? "", /^multipart\/alternative; boundary=/);
  });
});

describe("the copy for the sender", () => {
  it("names the blind copies", () => {
    assert.equal(
      bccField([mailbox("a@example.net", "Ä"), mailbox("b@example.net")]),
      "Bcc: =?UTF-8?B?w4Q=?= <a@example.net>, <b@example.net>\r\n",
    );
    assert.equal(bccField([]), "");
  });
});
