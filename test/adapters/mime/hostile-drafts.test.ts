import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Draft } from "../../../src/adapters/mime/draft.ts";
import { joinContent } from "../../../src/domain/content.ts";
import { NOW, compose, composed, draft, field, fieldsOf, file, headerOf, mailbox, parsed, refusal } from "./support/drafts.ts";

describe("what must not come into a header", () => {
  const evil = "x\r\nBcc: victim@example.net";
  const attempts: Readonly<Record<string, Partial<Draft>>> = {
    subject: { subject: evil },
    "name of From": { from: mailbox("shop@example.org", evil) },
    "name of To": { to: [mailbox("bob@example.net", evil)] },
    "name of Bcc": { bcc: [mailbox("bob@example.net", evil)] },
    "name of Reply-To": { replyTo: [mailbox("bob@example.net", evil)] },
    "message-id": { messageId: `<${evil}>` },
    reference: { references: [`<${evil}>`] },
    "a reference of very many words": { references: ["a ".repeat(40_000)] },
    "references that have them together": { references: ["a ".repeat(20_000), "a ".repeat(20_000)] },
    "a reference that does not fit on a line": { references: ["x".repeat(1_000)] },
    "a reference that is not ASCII": { references: ["<ü@x>"] },
    "header name": { headers: [[evil, "x"]] },
    "header value": { headers: [["X-A", evil]] },
    "header value with bare LF": { headers: [["X-A", "x\ny"]] },
    "header value with NUL": { headers: [["X-A", "x\0y"]] },
    "header value with NEL": { headers: [["X-A", "x\u0085y"]] },
    "file name": { attachedFiles: [file({ name: evil })] },
    "content type": { attachedFiles: [file({ contentType: `text/plain\r\nBcc: x` })] },
    "content type parameter": { attachedFiles: [file({ contentType: `text/plain; a="\r\nBcc: x"` })] },
    "content id": { inlineFiles: [file({ contentId: `<${evil}>` })] },
    "content id of an alternative": { alternativeFiles: [file({ contentId: "<a\rb>" })] },
    "text that is no content type": { attachedFiles: [file({ contentType: "not a type" })] },
    "a multipart content type": { attachedFiles: [file({ contentType: "multipart/mixed; boundary=x" })] },
    "content id with spaces": { attachedFiles: [file({ contentId: "<a b>" })] },
    "non-ASCII content type": { attachedFiles: [file({ contentType: "text/pläin" })] },
    "header name with space": { headers: [["X A", "x"]] },
    "header name with colon": { headers: [["X:A", "x"]] },
    "empty header name": { headers: [["", "x"]] },
    "non-ASCII header name": { headers: [["X-Ü", "x"]] },
    "a word of 1000 octets": { headers: [["X-A", "y".repeat(1_000)]] },
    "a date before mail": { date: { at: -62_135_596_800_000, offsetMinutes: 0 } },
    "a date of five digits somewhere": { date: { at: Date.UTC(9999, 11, 31), offsetMinutes: 840 } },
    "two User-Agents": {
      headers: [
        ["User-Agent", "a"],
        ["user-agent", "b"],
      ],
    },
  };
  for (const [what, changes] of Object.entries(attempts)) {
    it(`is refused: ${what}`, async () => {
      assert.equal(await refusal(changes), "user");
    });
  }

  for (const name of [
    "From",
    "TO",
    "cc",
    "Bcc",
    "Subject",
    "date",
    "Message-Id",
    "Content-Type",
    "content-disposition",
    "MIME-Version",
    "Reply-To",
    "References",
    "In-Reply-To",
    "Received",
    "DKIM-Signature",
    "Return-Path",
  ]) {
    it(`is refused: header ${name} beside the one of the message`, async () => {
      assert.equal(await refusal({ headers: [[name, "x"]] }), "user");
    });
  }

  for (const messageId of [
    "bare@example.org",
    "<open@example.org",
    "<>",
    "<a b@example.org>",
    "<ü@example.org>",
    "<a><b>",
    `<${"x".repeat(990)}>`,
  ]) {
    it(`is refused: message-id ${messageId.slice(0, 30)}`, async () => {
      assert.equal(await refusal({ messageId }), "malformedMessageID");
    });
  }

  it("is folded where folding is legal", async () => {
    const value = `${"word ".repeat(500)}end`;
    const message = await composed({
      headers: [["X-Long", value]],
      to: Array.from({ length: 300 }, (_, i) => mailbox(`user${i}@example.net`, `User ${i}`)),
    });
    assert.equal(field(message, "x-long"), value);
    assert.ok(
      headerOf(message)
        .split("\r\n")
        .every((line) => line.length <= 78),
    );
  });
});

describe("whatever comes in", () => {
  const anyText = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.string({ unit: "grapheme", maxLength: 200 }),
    fc.string({ maxLength: 1_500 }),
  );
  const printable = anyText.map((text) => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, " "));
  const maybeEvil = fc.oneof({ weight: 4, arbitrary: printable }, { weight: 1, arbitrary: anyText });
  const name = fc.oneof(fc.constantFrom("X-A", "List-Id", "x-mailer"), maybeEvil);
  const arbitraryFile = fc.record({
    name: maybeEvil,
    contentType: fc.oneof(fc.constantFrom("", "text/plain", 'application/x; a="b;c"'), maybeEvil),
    contentId: fc.oneof(fc.constantFrom("", "<a@b>"), maybeEvil),
    data: fc.uint8Array({ maxLength: 100 }),
  });
  const files = fc.array(arbitraryFile, { maxLength: 2 });
  const changes = fc.record({
    subject: maybeEvil,
    text: anyText,
    html: anyText,
    from: maybeEvil.map((text) => mailbox("shop@example.org", text)),
    to: fc.array(
      maybeEvil.map((text) => mailbox("bob@example.net", text)),
      { maxLength: 3 },
    ),
    headers: fc.array(fc.tuple(name, maybeEvil), { maxLength: 3 }),
    references: fc.array(maybeEvil, { maxLength: 2 }),
    messageId: fc.oneof(
      fc.constant(""),
      maybeEvil.map((text) => `<${text}>`),
    ),
    ...{ alternativeFiles: files, inlineFiles: files, attachedFiles: files },
  });
  const OWN = [
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "references",
    "in-reply-to",
    "mime-version",
    "user-agent",
    "content-type",
    "content-transfer-encoding",
  ];

  it("the message has no line over 998 octets, no bare CR or LF, and no header that was not asked for", async () => {
    await fc.assert(
      fc.asyncProperty(changes, async (change) => {
        const given = draft({ ...change, text: change.text === "" && change.html === "" ? "x" : change.text });
        const result = await compose(given, NOW);
        if (!result.ok) return;
        const message = { ...result.message, content: joinContent(result.message.content) };
        const raw = Buffer.from(message.content).toString("latin1");
        assert.doesNotMatch(raw, /\r(?!\n)|(?<!\r)\n|\0/);
        assert.ok(raw.split("\r\n").every((line) => line.length <= 998));
        assert.ok(!/^[ \t]+\r\n/m.test(headerOf(message)), "a line of white space alone");
        const asked = new Set([...OWN, ...given.headers.map(([header]) => header.toLowerCase())]);
        const names = fieldsOf(message).map(([header]) => header);
        assert.deepEqual(
          names.filter((header) => !asked.has(header)),
          [],
        );
        for (const once of ["from", "to", "subject", "date", "message-id", "content-type", "mime-version"]) {
          assert.ok(names.filter((header) => header === once).length <= 1, once);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("subject and texts are read back", async () => {
    const sane = printable.map((text) => text.toWellFormed().normalize("NFC"));
    await fc.assert(
      fc.asyncProperty(sane, sane, async (subject, text) => {
        const read = await parsed({ subject, text: `${text}\n` });
        assert.equal((read.subject ?? "").trim().replace(/\s+/g, " "), subject.trim().replace(/\s+/g, " "));
        assert.equal(read.text, `${text}\n`);
      }),
      { numRuns: 200 },
    );
  });
});
