import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { MAX_RETURNED_OCTETS, senderReports } from "../../../src/adapters/mime/dsn-report.ts";
import { readMail } from "../../../src/adapters/mime/reader/read-mail.ts";
import { readPart } from "../../../src/adapters/mime/reader/read-part.ts";
import { parseReport } from "../../../src/adapters/mime/report/parse-report.ts";
import { joinContent } from "../../../src/domain/content.ts";
import type { StoredContent } from "../../../src/domain/event-log.ts";
import type { SenderNotice } from "../../../src/domain/message/sender-notice.ts";
import { aMessage, NOON, smtpResult } from "../../support/samples.ts";

const stored = (text: string | Uint8Array, size?: number): StoredContent => {
  const bytes = Buffer.from(text);
  return {
    size: size ?? bytes.length,
    pieces: {
      async *[Symbol.asyncIterator]() {
        for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000);
      },
    },
  };
};

const ORIGINAL = "From: <orders@shop.example>\r\nSubject: Your order\r\nMessage-ID: <order-1@shop.example>\r\n\r\nHello Bob\r\n";

const aNotice = (changes: Partial<SenderNotice> = {}): SenderNotice => ({
  id: 1_001,
  at: NOON,
  action: "failed",
  message: aMessage(),
  arrivedAt: NOON - 60_000,
  reply: smtpResult(550, "5.1.1", { error: "5.1.1 <bob@there.example> no such user" }),
  reason: "",
  bounce: { class: "bad-address", rule: "no-such-user" },
  lastAttemptAt: NOON - 1_000,
  retryUntil: null,
  ...changes,
});

const { compose } = senderReports({ hostName: "mail.here.example", random: (octets) => Buffer.alloc(octets, 7) });

const composed = async (notice: SenderNotice, original: StoredContent | undefined = stored(ORIGINAL)) => {
  const report = await compose(notice, original);
  const reading = await readMail(report.content);
  const part = async (...path: readonly number[]): Promise<string> => Buffer.from((await readPart(report.content, path)) ?? []).toString();
  return { report, ...reading, raw: Buffer.from(joinContent(report.content)).toString(), part };
};

describe("a report to a sender", () => {
  it("is what it says it is: from nobody, to the envelope sender, made by a program", async () => {
    const { header, report, raw, structure } = await composed(aNotice());
    assert.deepEqual(
      [
        header.from[0]?.address,
        header.to[0]?.address,
        header.subject,
        header.date,
        header.first("Return-Path"),
        header.first("Auto-Submitted"),
      ],
      ["MAILER-DAEMON@mail.here.example", "orders@shop.example", "Not delivered: Your order", NOON, "<>", "auto-replied"],
    );
    assert.deepEqual([report.from, report.subject, report.messageId], [header.from[0]?.address, header.subject, header.messageId]);
    assert.match(header.messageId, /^<[^@]+@mail\.here\.example>$/);
    assert.deepEqual(header.references, ["<order-1@shop.example>"]);
    assert.equal(structure.contentType.toLowerCase(), "multipart/report");
    assert.equal(structure.contentTypeParams["report-type"], "delivery-status");
    assert.deepEqual(
      structure.parts.map(({ contentType }) => contentType.toLowerCase()),
      ["text/plain", "message/delivery-status", "text/rfc822-headers"],
    );
    assert.doesNotMatch(raw.replaceAll("\r\n", ""), /[\r\n]/, "no line end that stands alone");
  });

  it("says in plain words what happened", async () => {
    const { text } = await composed(aNotice());
    assert.match(text, /could not be delivered to\n\n {4}bob@there\.example\n/);
    assert.match(text, /mx\.there\.example said:\n\n {4}550 5\.1\.1 <bob@there\.example> no such user\n/);
    assert.match(text, /no such address/);
  });

  it("has the fields of RFC 3464 in their two blocks", async () => {
    const { part } = await composed(aNotice({ message: aMessage({ originalRecipient: "rfc822;bob@old.example" }) }));
    assert.equal(
      await part(1),
      [
        "Original-Envelope-Id: Zc2oPq5mTkSxkB0yVQf8Yw",
        "Reporting-MTA: dns; mail.here.example",
        "Arrival-Date: Mon, 1 Jun 2026 11:59:00 +0000",
        "",
        "Original-Recipient: rfc822; bob@old.example",
        "Final-Recipient: rfc822; bob@there.example",
        "Action: failed",
        "Status: 5.1.1",
        "Remote-MTA: dns; mx.there.example",
        "Diagnostic-Code: smtp; 550 5.1.1 <bob@there.example> no such user",
        "Last-Attempt-Date: Mon, 1 Jun 2026 11:59:59 +0000",
        "",
      ].join("\r\n"),
    );
  });

  it("says of a delay until when it is tried", async () => {
    const reply = smtpResult(0, "", { error: "connect ECONNREFUSED" });
    const { part, text, header } = await composed(aNotice({ action: "delayed", reply, retryUntil: NOON + 3_600_000 }));
    const status = await part(1);
    assert.match(status, /Action: delayed\r\nStatus: 4\.0\.0\r\nDiagnostic-Code: x-posthorn; connect ECONNREFUSED\r\n/);
    assert.match(status, /Will-Retry-Until: Mon, 1 Jun 2026 13:00:00 \+0000\r\n/);
    assert.doesNotMatch(status, /Remote-MTA/, "nobody was reached");
    assert.match(text, /keeps trying until Mon, 1 Jun 2026 13:00:00/);
    assert.equal(header.subject, "Still not delivered: Your order");
  });

  it("says why no attempt was made, or that the message was handed on", async () => {
    const failed = await composed(aNotice({ reply: null, reason: "failed by ada", bounce: null }));
    assert.match(await failed.part(1), /Status: 5\.0\.0\r\nDiagnostic-Code: x-posthorn; failed by ada\r\n/);
    assert.match(failed.text, /The reason: failed by ada/);
    const relayed = await composed(aNotice({ action: "relayed", reply: smtpResult(250, "2.0.0"), bounce: null }));
    assert.match(await relayed.part(1), /Action: relayed\r\nStatus: 2\.0\.0\r\n/);
  });

  it("names a host without a name by its address", async () => {
    const v6 = smtpResult(550, "", { remoteHost: "", remoteAddress: "2001:db8::1" });
    assert.match(await (await composed(aNotice({ reply: v6 }))).part(1), /Remote-MTA: dns; \[IPv6:2001:db8::1\]\r\n/);
  });

  it("is read by this server as any other DSN", async () => {
    const { report } = await composed(aNotice());
    assert.deepEqual(await parseReport(report.content), {
      kind: "dsn",
      originalEnvelopeId: "Zc2oPq5mTkSxkB0yVQf8Yw",
      reportingHost: "mail.here.example",
      recipients: [
        {
          finalRecipient: "bob@there.example",
          originalRecipient: "",
          action: "failed",
          code: 550,
          enhancedCode: "5.1.1",
          diagnostic: "<bob@there.example> no such user",
          remoteHost: "mx.there.example",
        },
      ],
      returned: { messageId: "<order-1@shop.example>" },
    });
  });
});

describe("what a report returns", () => {
  it("is the header, unless the sender asked for all of it and it failed", async () => {
    const full = aMessage({ returnContent: "full" });
    assert.equal(await (await composed(aNotice())).part(2), ORIGINAL.slice(0, ORIGINAL.indexOf("\r\n\r\n") + 2));
    const returned = await composed(aNotice({ message: full }));
    assert.deepEqual([returned.structure.parts[2]?.contentType.toLowerCase(), await returned.part(2)], ["message/rfc822", ORIGINAL]);
    const delayed = await composed(aNotice({ message: full, action: "delayed" }));
    assert.equal(delayed.structure.parts[2]?.contentType.toLowerCase(), "text/rfc822-headers");
  });

  it("is the header when all of it would be too much", async () => {
    const large = ORIGINAL + "x".repeat(MAX_RETURNED_OCTETS);
    const { structure, report } = await composed(aNotice({ message: aMessage({ returnContent: "full" }) }), stored(large));
    assert.equal(structure.parts[2]?.contentType.toLowerCase(), "text/rfc822-headers");
    assert.ok(joinContent(report.content).byteLength < 10_000);
  });

  it("is a part of a header without end, in whole lines", async () => {
    const { part, report } = await composed(aNotice(), stored("X-Long: 1234567\r\n".repeat(100_000)));
    assert.match((await part(2)).slice(-40), /\r\nX-Long: 1234567\r\n$/);
    assert.ok(joinContent(report.content).byteLength < 70_000);
  });

  it("is nothing when the message is gone, or goes meanwhile", async () => {
    const broken: StoredContent = {
      size: 10,
      pieces: {
        // eslint-disable-next-line require-yield -- it fails before its first piece
        async *[Symbol.asyncIterator]() {
          throw new Error("deleted meanwhile");
        },
      },
    };
    for (const original of [undefined, broken]) {
      const { content } = await compose(aNotice(), original);
      assert.equal((await readMail(content)).structure.parts.length, 2);
    }
  });
});

describe("a report with UTF-8", () => {
  it("has the types of RFC 6533 where an address needs them", async () => {
    const message = aMessage({ recipient: "jürgen@there.example", originalRecipient: "utf-8;jürgen@there.example" });
    const { structure, part } = await composed(aNotice({ message, reply: smtpResult(550, "", { error: "nicht möglich" }) }));
    assert.equal(structure.parts[1]?.contentType.toLowerCase(), "message/global-delivery-status");
    const status = await part(1);
    assert.match(status, /Original-Recipient: utf-8; jürgen@there\.example\r\nFinal-Recipient: utf-8; jürgen@there\.example\r\n/);
    assert.match(status, /Diagnostic-Code: smtp; 550 nicht möglich\r\n/);
  });

  it("has them where the returned header needs them, and says the rest in ASCII", async () => {
    const { structure, part } = await composed(
      aNotice({ reply: smtpResult(550, "", { error: "nicht möglich" }) }),
      stored("Subject: Grüße\r\n\r\nHallo\r\n"),
    );
    assert.deepEqual(
      structure.parts.map(({ contentType }) => contentType.toLowerCase()),
      ["text/plain", "message/delivery-status", "message/global-headers"],
    );
    assert.match(await part(1), /Diagnostic-Code: smtp; 550 nicht m\?glich\r\n/);
    assert.equal(await part(2), "Subject: Grüße\r\n");
  });
});

const FIELD = /^(?:[ \t]|(?:Return-Path|From|To|Subject|Date|Message-ID|In-Reply-To|References|Auto-Submitted|MIME-Version|Content-Type):)/;

describe("a report about anything", () => {
  it("has lines that any server takes, and nothing of what it quotes becomes a field", async () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 3_000 }),
      fc.string({ unit: fc.constantFrom("a", " ", "\r\n", "\n", ":", "\u0000", "é"), maxLength: 3_000 }),
    );
    await fc.assert(
      fc.asyncProperty(text, text, text, fc.constantFrom("failed", "delayed", "relayed"), async (error, subject, odd, action) => {
        const message = aMessage({ subject, messageId: odd, envelopeId: odd, originalRecipient: odd });
        const reply = smtpResult(550, odd.slice(0, 9), { error, remoteHost: odd });
        const { content } = await compose(aNotice({ message, reply, action, retryUntil: NOON }), stored(ORIGINAL));
        const raw = Buffer.from(joinContent(content));
        const [header = ""] = raw.toString("latin1").split("\r\n\r\n");
        for (const line of raw.toString("latin1").split("\r\n")) {
          assert.ok(line.length <= 998);
          assert.doesNotMatch(line, /[\r\n\0]/);
        }
        for (const line of header.split("\r\n")) assert.match(line, FIELD);
      }),
      { numRuns: 60 },
    );
  });
});
