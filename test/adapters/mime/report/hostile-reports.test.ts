/** What is no report, and reports that are meant to hurt. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseReport } from "../../../../src/adapters/mime/report/parse-report.ts";
import { codec } from "../../../../src/adapters/event-store/codec.ts";
import type { Report } from "../../../../src/domain/received/report.ts";
import { mailed } from "../../../support/samples.ts";

const message = (status: string, returned = "Message-ID: <order-1@shop.example>", type = "message/delivery-status"): Buffer =>
  Buffer.from(
    [
      "From: mailer-daemon@there.example",
      'Content-Type: multipart/report; report-type=delivery-status; boundary="B"',
      "",
      "--B",
      "Content-Type: text/plain",
      "",
      "Sorry.",
      "--B",
      `Content-Type: ${type}`,
      "",
      status,
      "--B",
      "Content-Type: text/rfc822-headers",
      "",
      returned,
      "--B--",
      "",
    ].join("\r\n"),
  );

const parse = (content: Buffer): Promise<Report | null> => parseReport([content]);

const dsn = async (content: Buffer): Promise<Extract<Report, { kind: "dsn" }>> => {
  const report = await parse(content);
  assert.ok(report?.kind === "dsn");
  return report;
};

const BLOCK = "Final-Recipient: rfc822; bob@there.example\r\nAction: failed\r\nStatus: 5.1.1\r\n";

describe("a message that is no report", () => {
  const others: Readonly<Record<string, string>> = {
    "nothing at all": "",
    "plain text": "Subject: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; bob@there.example\r\nAction: failed\r\n",
    "a report that is attached":
      'Content-Type: multipart/mixed; boundary="B"\r\n\r\n--B\r\nContent-Type: message/delivery-status\r\n\r\n' + BLOCK,
    "a report within a forwarded message":
      'Content-Type: multipart/mixed; boundary="B"\r\n\r\n--B\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: multipart/report; boundary="C"\r\n\r\n--C\r\nContent-Type: message/delivery-status\r\n\r\n' +
      BLOCK,
    "a report of another kind":
      'Content-Type: multipart/report; report-type=disposition-notification; boundary="B"\r\n\r\n--B\r\nContent-Type: message/disposition-notification\r\n\r\nFinal-Recipient: rfc822; bob@there.example\r\nDisposition: manual-action/MDN-sent-manually; displayed\r\n',
    "a multipart without a boundary": "Content-Type: multipart/report\r\n\r\n" + BLOCK,
  };
  for (const [name, content] of Object.entries(others)) {
    it(`is taken for none: ${name}`, async () => {
      assert.equal(await parse(Buffer.from(content)), null);
    });
  }
});

describe("a report that says nothing", () => {
  it("is a report without recipients", async () => {
    assert.deepEqual((await dsn(message(""))).recipients, []);
    assert.deepEqual((await dsn(message("no fields at all"))).recipients, []);
    assert.deepEqual((await dsn(message("Reporting-MTA: dns; a.example"))).recipients, []);
  });

  it("about a complaint is one of no particular type", async () => {
    const report = await parse(message("", "", "message/feedback-report"));
    assert.ok(report?.kind === "complaint");
    assert.deepEqual([report.feedbackType, report.originalRecipients, report.returned.messageId], ["other", [], ""]);
  });
});

describe("a report that is meant to hurt", () => {
  /** Reads it, within a time that a busy machine needs for far more, and gives what would be stored of it. */
  const bounded = async (content: Buffer): Promise<Report | null> => {
    const before = performance.now();
    const report = await parse(content);
    assert.ok(performance.now() - before < 5_000, "it takes too long");
    assert.ok(JSON.stringify(report).length < 200_000, "it is too much to store");
    codec.encode(mailed("MessageReceived", { report }));
    return report;
  };

  it("has its recipients cut", async () => {
    const report = await bounded(message(`${BLOCK}\r\n`.repeat(20_000)));
    assert.ok(report?.kind === "dsn");
    assert.equal(report.recipients.length, 100);
  });

  it("has its fields and lines cut", async () => {
    const report = await bounded(
      message(
        `${BLOCK}Diagnostic-Code: smtp; 550 5.1.1 ${"a ".repeat(90_000)}\r\n`,
        `Message-ID: <${"x".repeat(60_000)}@a>\r\nReturn-Path: <${"y".repeat(60_000)}@a>`,
      ),
    );
    assert.ok(report?.kind === "dsn");
    assert.ok((report.recipients[0]?.diagnostic.length ?? 1_000) <= 500);
    assert.ok(report.returned.messageId.length <= 500);
  });

  const hostile: Readonly<Record<string, Buffer>> = {
    "a field folded a hundred thousand times": message(`${BLOCK}Diagnostic-Code: smtp;${"\r\n 550-5.1.1 a".repeat(100_000)}`),
    "a hundred thousand fields": message(BLOCK + "X: y\r\n".repeat(100_000)),
    "a header of the report without an end": Buffer.from(`Content-Type: multipart/report;${" a=b;".repeat(200_000)}`),
    "digits that look like codes": message(`${BLOCK}Diagnostic-Code: smtp; ${"5".repeat(3_900)}`),
    "separators that look like codes": message(`${BLOCK}Diagnostic-Code: smtp; ${"said: ".repeat(600)}`),
    "brackets and more brackets": message(`Final-Recipient: rfc822; ${"<".repeat(3_900)}\r\nAction: failed\r\nStatus: 5.1.1`),
    "spaces and brackets": message(`Final-Recipient: rfc822; ${" (".repeat(1_900)}\r\nAction: failed\r\nStatus: 5.1.1`),
    "escapes and more escapes": message(`Final-Recipient: utf-8; ${"\\x{".repeat(1_200)}\r\nAction: failed\r\nStatus: 5.1.1`),
    "reports within reports": Buffer.from(
      Array.from({ length: 3_000 }, (_, at) => `Content-Type: multipart/report; boundary="b${at}"\r\n\r\n--b${at}\r\n`).join(""),
    ),
    "large parts before it": message("").subarray(0, 100),
  };
  for (const [name, content] of Object.entries(hostile)) {
    it(`costs little: ${name}`, async () => {
      await bounded(content);
    });
  }

  it("is not read past its first megabytes", async () => {
    const padding = Buffer.alloc(3 * 1_024 * 1_024, "padding\r\n");
    const whole = message(BLOCK);
    const end = whole.indexOf("Sorry.");
    assert.equal(await bounded(Buffer.concat([whole.subarray(0, end), padding, whole.subarray(end)])), null);
    const report = await bounded(Buffer.concat([whole, padding]));
    assert.ok(report?.kind === "dsn" && report.recipients.length === 1);
  });

  it("gives no control characters away", async () => {
    const { recipients } = await dsn(
      message(`${BLOCK}Diagnostic-Code: smtp; 550 5.1.1 a\u0000b\u001bc\u2028d\r\nRemote-MTA: dns; a\u0007b.example`),
    );
    assert.deepEqual([recipients[0]?.diagnostic, recipients[0]?.remoteHost], ["a b c d", "a"]);
  });

  it("has addresses that are none left out", async () => {
    for (const address of [
      "rfc822; bob",
      "rfc822; bob@",
      "x400; /c=de/",
      "rfc822;",
      "utf-8; \\x{D800}@there.example",
      "dns; bob@there.example",
    ]) {
      const { recipients } = await dsn(message(`Final-Recipient: ${address}\r\nAction: failed\r\nStatus: 5.1.1`));
      assert.deepEqual([recipients.length, recipients[0]?.finalRecipient], [1, ""], address);
    }
  });
});

describe("any octets", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      BLOCK,
      "--B\r\n",
      "--B--",
      "\r\n\r\n",
      "Content-Type: message/delivery-status\r\n",
      "Diagnostic-Code: smtp; 550",
      "Action:",
      "\u0000",
    ),
    fc.string({ unit: "binary", maxLength: 20 }),
  );

  it("are read without an error, and what is read can be stored", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 30 }), fc.boolean(), async (pieces, isFramed) => {
        const text = pieces.join("");
        const report = await parse(isFramed ? message(text) : Buffer.from(text, "latin1"));
        codec.encode(mailed("MessageReceived", { report }));
      }),
      { numRuns: 300 },
    );
  });
});
