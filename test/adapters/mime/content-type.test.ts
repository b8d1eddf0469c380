import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import libmime from "libmime";
import { simpleParser } from "mailparser";
import type { PartStructure } from "../../../src/adapters/mime/reader/mail-reading.ts";
import { readMail } from "../../../src/adapters/mime/reader/read-mail.ts";
import { composed, file, refusal, textOf } from "./support/drafts.ts";

/** The fields of a file's part as they are written, and what this server reads in them. */
const written = async (contentType: string, name = "") => {
  const message = await composed({ attachedFiles: [file({ contentType, name })] });
  const text = textOf(message);
  const header = text.slice(text.lastIndexOf("\r\nContent-Type: "), text.indexOf("\r\n\r\n", text.lastIndexOf("\r\nContent-Type: ")) + 2);
  const { structure } = await readMail([message.content]);
  const { attachments } = await simpleParser(Buffer.from(message.content));
  return { header, part: structure.parts[1] as PartStructure, filename: attachments[0]?.filename };
};

describe("the content type of a file", () => {
  it("is written as it was given", async () => {
    for (const contentType of [
      "text/plain; name*=utf-8''na%C3%AFve.txt",
      'text/plain; name="a\\"b"',
      'text/plain; name="a\\\\b; c"',
      'text/plain; name="=?utf-8?Q?na=C3=AFve?="',
      "text/x; name*0*=utf-8''na; name*1=ive; filename*=utf-8'en'%41",
      'Text/Calendar; method=REQUEST; charset="utf-8"',
      'application/x; flag=""',
      "application/pdf",
    ])
      assert.ok((await written(contentType)).header.includes(`\r\nContent-Type: ${contentType}\r\n`), contentType);
  });

  it("is read as it was given, and names the file where nothing else does", async () => {
    for (const [contentType, name, shown = name] of [
      ["text/plain; name*=utf-8''na%C3%AFve.txt", "naïve.txt"],
      ['text/plain; name="a\\"b"', 'a"b'],
      ['text/plain; name="=?utf-8?Q?na=C3=AFve?="', "=?utf-8?Q?na=C3=AFve?=", "naïve"],
      [`text/plain; name="${"long name ".repeat(20)}"`, "long name ".repeat(20).trim()],
    ] as const) {
      const { header, part, filename } = await written(contentType);
      assert.ok(header.split("\r\n").every((line) => line.length <= 78));
      assert.deepEqual([part.contentTypeParams, part.filename, filename?.trim()], [{ name }, shown, shown]);
    }
  });

  it("gets no parameter from the file's name", async () => {
    const { part } = await written("text/plain; charset=utf-8", 'ä "b".txt');
    assert.deepEqual([part.contentTypeParams, part.filename], [{ charset: "utf-8" }, 'ä "b".txt']);
    assert.deepEqual((await written("text/plain; name=type.txt", "disposition.txt")).part.contentTypeParams, { name: "type.txt" });
    assert.deepEqual((await written("", "a.txt")).part.contentTypeParams, { charset: "utf-8" });
  });

  it("is put right where its author left out quotes", async () => {
    for (const [contentType, params] of [
      ["text/plain; name=a b.txt", { name: "a b.txt" }],
      ["text/plain ; name=(1)/2.txt;;charset = utf-8;", { name: "(1)/2.txt", charset: "utf-8" }],
      ['text/plain; name="open; x', { name: "open; x" }],
      ['text/plain; name="a" b; flag', { name: "a", flag: "" }],
    ] as const)
      assert.deepEqual((await written(contentType)).part.contentTypeParams, params, contentType);
  });

  it("is refused with a malformed parameter, or when it is no type", async () => {
    for (const contentType of [
      "text/plain; =x",
      "text/plain; a b=x",
      'text/plain; "a"=x',
      "text/plain x",
      "text",
      "text/",
      "text/plain, a/b",
    ])
      assert.equal(await refusal({ attachedFiles: [file({ contentType })] }), "user", contentType);
  });

  const quoted = fc.string({ maxLength: 60 }).map((text) => `"${text.replace(/["\\]/g, "\\$&")}"`);
  const token = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,40}$/);
  const parameter = fc
    .tuple(fc.stringMatching(/^[A-Za-z][a-z0-9-]{0,20}$/), fc.oneof(quoted, token))
    .map(([name, value]) => `; ${name}=${value}`);

  it("says the same to a reader before and after, in lines that are none too long", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(parameter, { maxLength: 4 }), async (parameters) => {
        const contentType = `text/x${parameters.join("")}`;
        if (contentType.length > 500) return;
        const { header, part } = await written(contentType);
        const { params } = libmime.parseHeaderValue(contentType);
        const trimmed = Object.fromEntries(Object.entries(params).map(([name, value]) => [name, value.trim()]));
        assert.deepEqual(part.contentTypeParams, trimmed);
        assert.doesNotMatch(header, /[^\r\n]{999}|\r\n[ \t]*\r\n/);
      }),
      { numRuns: 300 },
    );
  });
});
