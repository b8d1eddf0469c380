import assert from "node:assert/strict";
import { describe, it } from "node:test";

import fc from "fast-check";

import { readHeader } from "../../../src/adapters/mime/reader/mail-header.ts";
import { headerSummary } from "../../../src/adapters/smtp-in/header-summary.ts";

const summary = (...lines: string[]): ReturnType<typeof headerSummary> =>
  headerSummary(readHeader, Buffer.from(`${lines.join("\r\n")}\r\n\r\nFrom: body@no.example\r\n`));

describe("the summary of a header", () => {
  it("has the author's address, the subject and the Message-ID", () => {
    assert.deepEqual(summary('From: "Doe, Jane" <jane@a.example>, joe@a.example', "Subject: Hello", "Message-ID: <1@a.example>"), {
      from: "jane@a.example",
      subject: "Hello",
      messageId: "<1@a.example>",
      hops: 0,
    });
  });

  it("decodes words and unfolds lines", () => {
    const { subject } = summary("Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= =?utf-8?B?IGF1cw==?=", "\t=?iso-8859-1?Q?_K=F6ln?=");
    assert.equal(subject, "Grüße aus Köln");
  });

  it("reads raw UTF-8", () => {
    assert.equal(summary("Subject: 你好").subject, "你好");
  });

  it("takes the first of each, in any case, and the first of a group", () => {
    const { from, subject } = summary("SUBJECT: one", "subject: two", "from: Team: a@a.example, b@a.example;");
    assert.deepEqual([from, subject], ["a@a.example", "one"]);
  });

  it("is empty where the header is", () => {
    const nothing = { from: "", subject: "", messageId: "", hops: 0 };
    assert.deepEqual(headerSummary(readHeader, Buffer.from("")), nothing);
    assert.deepEqual(headerSummary(readHeader, Buffer.from("\r\nSubject: body\r\n")), nothing);
    assert.deepEqual(headerSummary(readHeader, Buffer.from("\r\n\r\nSubject: body\r\n")), nothing);
  });

  it("counts hops", () => {
    assert.equal(summary(...Array<string>(7).fill("Received: from a by b; date")).hops, 7);
  });

  it("is not impressed by names that JavaScript knows", () => {
    assert.equal(summary("__proto__: x", "constructor: y", "Subject: z").subject, "z");
  });

  it("is bounded and free of control characters, whatever comes", () => {
    const { subject, from } = summary(`Subject: a\u0000b\u001b[31m${"x".repeat(100_000)}`, `From: ${"<".repeat(50_000)}`);
    assert.ok(subject.startsWith("a b [31mxx") && subject.length === 998);
    assert.ok(from.length <= 998);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (octets) => {
        const { subject: any } = headerSummary(readHeader, Buffer.concat([Buffer.from("Subject: =?utf-8?B?"), octets]));
        assert.ok(!/[\u0000-\u001f]/u.test(any));
      }),
    );
  });
});
