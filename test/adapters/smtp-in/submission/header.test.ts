/** The header of a submitted message: whose it is, what it asks for, and what of it leaves. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { authorOf } from "../../../../src/adapters/smtp-in/submission/author.ts";
import { submittedHeader, type SubmittedHeader } from "../../../../src/adapters/smtp-in/submission/header.ts";
import { NOON } from "../../../support/samples.ts";

const FROM = "From: orders@shop.example\r\n";

const read = (header: string | Buffer, smtpUtf8 = false) =>
  submittedHeader(Buffer.isBuffer(header) ? header : Buffer.from(header), { now: NOON, smtpUtf8, newMessageId: () => "<made@here>" });

const ok = (header: string, smtpUtf8 = false): SubmittedHeader => {
  const result = read(header, smtpUtf8);
  if ("code" in result) assert.fail(result.text);
  return result;
};

const refusal = (header: string | Buffer, smtpUtf8 = false): string => {
  const result = read(header, smtpUtf8);
  return "code" in result ? `${result.code} ${result.enhancedCode}` : "ok";
};

const textOf = (header: string, smtpUtf8 = false): string => ok(header, smtpUtf8).text.toString("utf8");

describe("an author", () => {
  for (const [value, address] of [
    ["orders@shop.example", "orders@shop.example"],
    ["<orders@shop.example>", "orders@shop.example"],
    ["Orders <orders@shop.example>", "orders@shop.example"],
    ['"Orders, the <best>" <orders@shop.example> (really)', "orders@shop.example"],
    ["(a (nested) comment) orders@shop.example", "orders@shop.example"],
    ["orders@shop.example <orders@shop.example>", "orders@shop.example"],
    ["eve@there.example <orders@shop.example>", "orders@shop.example"],
    ['"a b"@shop.example', '"a b"@shop.example'],
    ['Odd <"a>b"@shop.example>', '"a>b"@shop.example'],
    ["=?utf-8?q?Or=2C_ders?= <orders@shop.example>", "orders@shop.example"],
  ] as const) {
    it(`is read from ${value}`, () => {
      assert.equal(authorOf(value)?.text, address);
    });
  }

  for (const value of [
    "",
    "Orders",
    "orders@shop.example, eve@there.example",
    "<orders@shop.example>, <eve@there.example>",
    "<orders@shop.example> <eve@there.example>",
    "<orders@shop.example> eve@there.example",
    "<orders@shop.example", // not closed
    "Orders <<orders@shop.example>>",
    "Team: orders@shop.example;",
    "eve@there.example, <orders@shop.example>",
    '"open <orders@shop.example>',
    "(open <orders@shop.example>",
    "<@relay.example:orders@shop.example>",
    "orders @ shop.example",
    `${"(".repeat(50)}${")".repeat(50)} orders@shop.example`,
    "a\\b <orders@shop.example>",
  ]) {
    it(`cannot be read in ${JSON.stringify(value.slice(0, 60))}`, () => {
      assert.equal(authorOf(value), undefined);
    });
  }
});

describe("a submitted header", () => {
  it("gets Date and Message-ID where they are missing, or empty", () => {
    assert.equal(textOf(FROM), `${FROM}Date: Mon, 01 Jun 2026 12:00:00 +0000\r\nMessage-ID: <made@here>\r\n`);
    assert.equal(textOf(`${FROM}Message-ID: \r\nDate:\r\n`), textOf(FROM));
    assert.equal(ok(FROM).messageId, "<made@here>");
  });

  it("leaves as it came otherwise, octet by octet", () => {
    const header = `Received: from a\r\n\tby b; c\r\n${FROM}subject:  =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n =?utf-8?q?!?=\r\nX-Odd :v\r\nMESSAGE-id: <1@x>\r\nDate: now\r\n`;
    assert.equal(textOf(header), header);
    const { messageId, subject, needsUtf8, tlsNotRequired, extra } = ok(header);
    assert.deepEqual(
      { messageId, subject, needsUtf8, tlsNotRequired, extra },
      {
        ...{ messageId: "<1@x>", subject: "Grüße!", needsUtf8: false, tlsNotRequired: false, extra: {} },
      },
    );
  });

  it("is one without line end, too", () => {
    assert.equal(textOf("From: orders@shop.example"), textOf(FROM));
    assert.equal(textOf(`${FROM}\r\n`), textOf(FROM));
  });

  it("loses blind copies and what only the last hop may say", () => {
    const text = textOf(
      `Return-Path: <x@y>\r\nBcc: a@b.example,\r\n c@d.example\r\n${FROM}bcc : e@f.example\r\nResent-Bcc: g@h.example\r\n`,
    );
    assert.equal(text, textOf(FROM));
  });

  it("has no more fields than what takes it will let pass", () => {
    const fields = (count: number): string => FROM + "X-Field: x\r\n".repeat(count - 1);
    assert.equal(refusal(fields(900)), "ok");
    assert.equal(refusal(fields(901)), "554 5.6.0");
  });

  it("has exactly one author", () => {
    for (const header of ["", "Subject: x\r\n", "From:\r\n", "From: a@b.example, c@d.example\r\n"]) {
      assert.equal(refusal(header), "550 5.7.1", JSON.stringify(header));
    }
  });

  for (const name of ["From", "Sender", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To", "References"]) {
    it(`has ${name} once`, () => {
      const field = name === "From" ? "" : `${name}: <1@x>\r\n`;
      for (const second of [`${name}: <2@x>\r\n`, `${name.toLowerCase()} : <1@x>\r\n`, `${name.toUpperCase()}:\r\n\t<1@x>\r\n`]) {
        const result = read(`${field}${FROM}X-Between: y\r\n${second}`);
        assert.ok("code" in result, second);
        assert.equal(`${result.code} ${result.enhancedCode} ${result.text}`, `554 5.6.0 The message has more than one ${name} field`);
      }
    });
  }

  it("has no empty second From or Subject either", () => {
    for (const header of [`${FROM}From:\r\n`, `From:\r\n${FROM}`, `${FROM}Subject: x\r\nSubject:\r\n`])
      assert.equal(refusal(header), "554 5.6.0", header);
  });

  it("may have an empty Date or Message-ID beside a real one, and others more than once", () => {
    assert.equal(
      textOf(
        `${FROM}Message-ID:\r\nDate:\r\nDate: now\r\nMessage-ID: <1@x>\r\nBcc: a@b.example\r\nBcc: c@d.example\r\nComments: 1\r\nComments: 2\r\n`,
      ),
      `${FROM}Date: now\r\nMessage-ID: <1@x>\r\nComments: 1\r\nComments: 2\r\n`,
    );
  });

  for (const id of ["<1@x>", "<order-7>", "<a:b@x>", "\r\n <folded@x>", "  <1@[192.0.2.1]>  ", "<1@x> (by hand) (or not)"]) {
    it(`keeps the Message-ID ${JSON.stringify(id)}`, () => {
      const header = `${FROM}Message-ID:${id}\r\nDate: now\r\n`;
      assert.equal(textOf(header), header);
      assert.equal(ok(header).messageId, id.trim().split(" ")[0]);
    });
  }

  for (const id of ["1@x", "<1@x", "1@x>", "<>", "<1@x> <2@x>", "<1 2@x>", "<<1@x>>", "<1\t@x>", "(none)"]) {
    it(`gets another Message-ID in place of ${JSON.stringify(id)}`, () => {
      assert.equal(ok(`${FROM}Message-ID: ${id}\r\n`).messageId, "<made@here>");
      assert.equal(textOf(`${FROM}Message-ID: ${id}\r\n`), textOf(FROM));
    });
  }

  it("is made of fields", () => {
    for (const header of [`${FROM}no field\r\n`, `${FROM}: x\r\n`, ` folded\r\n${FROM}`, `${FROM}X: a\0b\r\n`, `${FROM}Ümlaut: x\r\n`]) {
      assert.equal(refusal(header), "554 5.6.0", JSON.stringify(header));
    }
    assert.equal(refusal(FROM + "X: y\r\n".repeat(2_001)), "554 5.6.0");
    assert.equal(refusal(FROM + "Received: x\r\n".repeat(101)), "554 5.4.6");
  });

  it("keeps extra data apart, under names of one spelling", () => {
    const header = `${FROM}X-Mox-Extra-order-ID: 7\r\nx-mox-extra-NOTE:  two\r\n lines\r\nX-MOX-EXTRA-Empty:\r\n`;
    assert.deepEqual(ok(header).extra, { "Order-Id": "7", Note: "two lines", Empty: "" });
    assert.equal(textOf(header), textOf(FROM));
  });

  it("has extra data once for each name, and not without end", () => {
    assert.equal(refusal(`${FROM}X-Mox-Extra-a: 1\r\nX-Mox-Extra-A: 1\r\n`), "554 5.6.0");
    assert.equal(refusal(`${FROM}X-Mox-Extra-: 1\r\n`), "554 5.6.0");
    assert.equal(refusal(`${FROM}X-Mox-Extra-a: ${"x".repeat(70_000)}\r\n`), "554 5.6.0");
    assert.deepEqual(ok(`${FROM}X-Mox-Extra-__proto__: 1\r\n`).extra, { ["__proto__"]: "1" });
  });

  it("asks for no TLS with TLS-Required: No, which stays", () => {
    assert.ok(ok(`${FROM}TLS-Required: no\r\n`).tlsNotRequired);
    assert.ok(!ok(`${FROM}TLS-Required: Yes\r\n`).tlsNotRequired);
    assert.match(textOf(`${FROM}TLS-Required: No\r\n`), /TLS-Required: No\r\n/u);
  });

  it("with text beyond ASCII needs SMTPUTF8", () => {
    const header = `${FROM}Subject: Grüße\r\n`;
    assert.equal(refusal(header), "554 5.6.9");
    const taken = ok(header, true);
    assert.ok(taken.needsUtf8);
    assert.equal(taken.subject, "Grüße");
    assert.equal(ok("From: grüße@bücher.example\r\n", true).from.text, "grüße@xn--bcher-kva.example");
  });

  it("is judged by what leaves: extra data may be UTF-8", () => {
    const taken = ok(`${FROM}X-Mox-Extra-Note: Grüße\r\n`);
    assert.deepEqual([taken.extra, taken.needsUtf8], [{ Note: "Grüße" }, false]);
  });

  it("has lines of 998 octets at most, unless they stay here", () => {
    const field = (octets: number): string => `X-Long: `.padEnd(octets, "x") + "\r\n";
    assert.ok(textOf(`${FROM}${field(998)}`).includes(field(998)));
    for (const header of [`${FROM}${field(999)}`, `${field(999)}${FROM}`, `${FROM}X:\r\n\t${field(998)}`]) {
      assert.equal(refusal(header), "554 5.6.0");
    }
    assert.equal(textOf(`Bcc: ${field(5_000)}${FROM}`), textOf(FROM));
    assert.equal(ok(`${FROM}X-Mox-Extra-Note: ${"x".repeat(2_000)}\r\n`).extra["Note"]?.length, 2_000);
  });

  it("is never Latin-1", () => {
    const header = Buffer.from(`${FROM}Subject: Gr\xfc\xdfe\r\n`, "latin1");
    assert.equal(refusal(header), "554 5.6.0");
    assert.equal(refusal(header, true), "554 5.6.0");
  });
});
