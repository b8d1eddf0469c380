import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isAutomated } from "../../../../src/adapters/mime/reader/automated.ts";
import { headerDate } from "../../../../src/adapters/mime/reader/header-date.ts";
import { readHeader } from "../../../../src/adapters/mime/reader/mail-header.ts";
import { lines } from "./letters.ts";

const read = (...header: readonly string[]) => readHeader(lines(...header, "", "From: body@there.example"));

describe("the header of a message", () => {
  it("has the addresses of all its fields, not just of the first", () => {
    const { to, cc, from } = read(
      "To: a@one.example",
      "Cc: b@two.example",
      "to: C <c@three.example>, d@four.example",
      "CC: e@five.example",
    );
    assert.deepEqual(to, [
      { name: "", address: "a@one.example" },
      { name: "C", address: "c@three.example" },
      { name: "", address: "d@four.example" },
    ]);
    assert.deepEqual(
      cc.map(({ address }) => address),
      ["b@two.example", "e@five.example"],
    );
    assert.deepEqual(from, []);
  });

  it("has names decoded, whatever form they have", () => {
    const { from } = read(
      "From: =?utf-8?q?J=C3=BCrgen?= <j@a.example>, =?iso-8859-1?Q?Andr=E9?= Gide <g@a.example>,",
      ' "Doe, \\"Jo\\" John" <d@a.example>, x@a.example (a comment), Gr\xc3\xbc\xc3\x9fe <u@a.example>',
      "From: caf\xe9 <l@a.example>",
    );
    assert.deepEqual(
      from.map(({ name }) => name),
      ["Jürgen", "André Gide", 'Doe, "Jo" John', "a comment", "Grüße", "café"],
    );
  });

  it("flattens groups and leaves out empty ones", () => {
    const { to } = read("To: undisclosed-recipients:;", "To: friends: a@x.example, B <b@x.example>;");
    assert.deepEqual(
      to.map(({ address }) => address),
      ["a@x.example", "b@x.example"],
    );
  });

  it("takes no address out of an encoded word", () => {
    const { from } = read("From: =?utf-8?q?boss=40bank=2Eexample=2C_=3Cboss=40bank=2Eexample=3E?= <evil@spam.example>");
    assert.deepEqual(
      from.map(({ address }) => address),
      ["evil@spam.example"],
    );
  });

  it("has its addresses in their canonical form, and what is none as it was written", () => {
    const { to } = read('To: <User@EXAMPLE.Org>, "a b"@x.example, x@m\xc3\xbcnchen.example, not-an-address, <a@b@c>');
    assert.deepEqual(
      to.map(({ address }) => address),
      ["User@example.org", '"a b"@x.example', "x@xn--mnchen-3ya.example", "a@b@c"],
    );
  });

  it("has a subject with spaces between encoded words as RFC 2047 says", () => {
    assert.equal(read("Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= =?utf-8?b?IGF1cw==?=", " =?utf-8?q?_Bonn?= now").subject, "Grüße aus Bonn now");
    assert.equal(read("Subject: a\x00b\x1b[31m", "\tc").subject, "a b [31m c");
    assert.equal(read("Subject:").subject, "");
  });

  it("has references and ids with their brackets, over folded lines and several fields", () => {
    const header = read("References: <a@x>", " <b@x> junk <c@", " x>", "References: <d@x>", "In-Reply-To: <D@x>", "Message-ID: <E@x> ");
    assert.deepEqual(header.references, ["<a@x>", "<b@x>", "<c@x>", "<d@x>"]);
    assert.deepEqual([header.inReplyTo, header.messageId], ["<D@x>", "<E@x>"]);
  });

  it("has all words of its references, those in brackets whole", () => {
    const header = read("References: a@x\t<b@", " x> junk<c@x><d@x>", " >", "References: e@x <f@x");
    assert.deepEqual(header.referenceWords, ["a@x", "<b@x>", "junk", "<c@x>", "<d@x>", ">", "e@x", "<f@x"]);
    assert.deepEqual(header.references, ["<b@x>", "<c@x>", "<d@x>"]);
    assert.equal(read(`References: ${"x ".repeat(2_000)}`).referenceWords.length, 1_000);
    assert.deepEqual(read("References:").referenceWords, []);
  });

  it("tells of any field, unfolded, by its name in any case", () => {
    const header = read("X-One: a", "\tb", "x-one:  c  ", "no field", ": no name");
    assert.deepEqual([header.has("X-ONE"), header.has("x-two"), header.has("__proto__")], [true, false, false]);
    assert.equal(header.first("x-One"), "a\tb");
    assert.deepEqual(header.all("X-One"), ["a\tb", "c"]);
    assert.deepEqual(header.all("constructor"), []);
  });

  it("ends at its empty line, with whatever line ends", () => {
    assert.equal(readHeader(Buffer.from("Subject: a\n\nSubject: b\n")).subject, "a");
    assert.equal(readHeader(Buffer.from("\r\nSubject: b\r\n")).subject, "");
    assert.equal(readHeader(Buffer.from("Subject: a")).subject, "a");
  });
});

describe("the date of a message", () => {
  const noon = Date.UTC(2026, 0, 5, 12);

  it("is read in the forms that there are", () => {
    for (const text of [
      "Mon, 5 Jan 2026 13:00:00 +0100",
      "5 Jan 2026 12:00:00 GMT",
      "Mon, 05 Jan 26 07:00:00 EST",
      "Monday, 5-Jan-2026 12:00:00 -0000",
      "Mon,  5 Jan 2026 12:00 Z (noon (really))",
      "Mon, 5 Jan 2026 21:30:00 +09:30",
      "Mon, 5 Jan 2026 12:00:00 XYZ",
    ]) {
      assert.equal(headerDate(text), noon, text);
    }
  });

  it("is null when its instant has no form in RFC 3339, which clients are told", () => {
    assert.equal(headerDate("31 Dec 9999 23:59:59 +0000"), Date.UTC(9999, 11, 31, 23, 59, 59));
    for (const text of ["31 Dec 9999 23:59:59 -0001", "31 Dec 9999 23:59:59 -2300"]) assert.equal(headerDate(text), null, text);
  });

  it("is null when it is none", () => {
    for (const text of ["", "yesterday", "Mon, 31 Feb 2026 12:00:00 +0000", "5 Foo 2026 12:00:00 +0000", "5 Jan 2026 25:00:00 +0000"]) {
      assert.equal(headerDate(text), null, text);
    }
  });
});

describe("an automated message", () => {
  const isIt = (mailFrom: string, contentType: string, ...header: readonly string[]): boolean =>
    isAutomated(mailFrom, read(...header), contentType);

  it("is what has no sender, is a report, comes from a list or says that it is", () => {
    assert.equal(isIt("", "text/plain"), true);
    assert.equal(isIt("a@x.example", "multipart/report"), true);
    for (const field of ["List-Id: <l.x>", "List-Unsubscribe: <mailto:x>", "List-Unsubscribe-Post: x", "Precedence: bulk"]) {
      assert.equal(isIt("a@x.example", "text/plain", field), true, field);
    }
    assert.equal(isIt("a@x.example", "text/plain", "Auto-Submitted: auto-replied"), true);
  });

  it("is nothing else", () => {
    assert.equal(isIt("a@x.example", "multipart/mixed", "Auto-Submitted: NO ", "Precedence:", "X-List-Id: y"), false);
  });
});
