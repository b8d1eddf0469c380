/** Parameters of MAIL and RCPT, one by one: what they mean, and how each can be wrong. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { pathCommand } from "../../../../src/adapters/smtp-in/command-line.ts";
import { mailWishes, recipientWishes } from "../../../../src/adapters/smtp-in/submission/parameters.ts";
import { decodeUtf8Xtext, decodeXtext } from "../../../../src/adapters/smtp-in/submission/xtext.ts";
import { DAY_MS } from "../../../../src/domain/clock.ts";
import { NOON } from "../../../support/samples.ts";

const codeOf = (value: object): string =>
  "code" in value && "enhancedCode" in value ? `${String(value.code)} ${String(value.enhancedCode)}` : "ok";

const mail = (parameters: string, secure = true) => {
  const command = pathCommand(Buffer.from(`MAIL FROM:<a@b.example>${parameters === "" ? "" : ` ${parameters}`}`), "MAIL FROM");
  return "code" in command ? command : mailWishes(command, { now: NOON, secure, maxMessageSize: 1_000 });
};

const rcpt = (parameters: string) => {
  const command = pathCommand(Buffer.from(`RCPT TO:<a@b.example> ${parameters}`), "RCPT TO");
  return "code" in command ? command : recipientWishes(command);
};

const NONE = { size: 0, smtpUtf8: false, requireTls: false, releaseAt: null, returnContent: null, envelopeId: "" };

describe("parameters of MAIL", () => {
  for (const [parameters, changes] of [
    ["", {}],
    ["SIZE=1000", { size: 1_000 }],
    ["size=1 BODY=8bitmime", { size: 1 }],
    ["BODY=7BIT  SMTPUTF8", { smtpUtf8: true }],
    ["SIZE=1 \t", { size: 1 }],
    ["REQUIRETLS", { requireTls: true }],
    ["RET=HDRS ENVID=order+2B7+3D1", { returnContent: "headers", envelopeId: "order+7=1" }],
    ["RET=full", { returnContent: "full" }],
    [`ENVID=${"e".repeat(100)}`, { envelopeId: "e".repeat(100) }],
    ["AUTH=<>", {}],
    ["AUTH=someone+40b.example", {}],
    ["HOLDFOR=1", { releaseAt: NOON + 1_000 }],
    ["HOLDFOR=5184000", { releaseAt: NOON + 60 * DAY_MS }],
    ["HOLDUNTIL=2026-07-31T12:00:00Z", { releaseAt: NOON + 60 * DAY_MS }],
    ["HOLDUNTIL=2026-06-01t12:00:01.5z", { releaseAt: NOON + 1_500 }],
  ] as const) {
    it(`are read: ${JSON.stringify(parameters.slice(0, 60))}`, () => {
      assert.deepEqual(mail(parameters), { ...NONE, ...changes });
    });
  }

  for (const [parameters, code] of [
    ["SIZE", "501 5.5.4"],
    ["SIZE=", "501 5.5.4"],
    ["SIZE=1k", "501 5.5.4"],
    ["SIZE=-1", "501 5.5.4"],
    [`SIZE=${"9".repeat(21)}`, "501 5.5.4"],
    ["SIZE=1001", "552 5.3.4"],
    ["SIZE=1 SIZE=1", "501 5.5.4"],
    ["BODY=BINARYMIME", "501 5.5.4"],
    ["BODY", "501 5.5.4"],
    ["SMTPUTF8=yes", "501 5.5.4"],
    ["REQUIRETLS=1", "501 5.5.4"],
    ["RET", "501 5.5.4"],
    ["RET=BODY", "501 5.5.4"],
    ["ENVID", "501 5.5.4"],
    [`ENVID=${"e".repeat(101)}`, "501 5.5.4"],
    ["ENVID=a+0D+0Ab", "501 5.5.4"],
    ["ENVID=a+2b", "501 5.5.4"],
    ["ENVID=a+", "501 5.5.4"],
    ["ENVID=ä", "501 5.5.4"],
    ["ENVID=+FF", "501 5.5.4"],
    ["AUTH", "501 5.5.4"],
    ["HOLDFOR=0", "501 5.5.4"],
    ["HOLDFOR=01", "501 5.5.4"],
    ["HOLDFOR=5184001", "501 5.5.4"],
    ["HOLDFOR=1h", "501 5.5.4"],
    ["HOLDUNTIL=2026-07-31T12:00:01Z", "501 5.5.4"],
    ["HOLDUNTIL=2026-06-31T12:00:00Z", "501 5.5.4"],
    ["HOLDUNTIL=2026-06-02", "501 5.5.4"],
    ["HOLDUNTIL=2026-06-02T12:00:00", "501 5.5.4"],
    ["HOLDFOR=1 HOLDUNTIL=2026-06-02T12:00:00Z", "501 5.5.4"],
    ["NOTIFY=NEVER", "555 5.5.4"],
    ["BY=120;R", "555 5.5.4"],
    ["CONSTRUCTOR=1", "555 5.5.4"],
    ["__PROTO__=1", "501 5.5.4"],
    ["=1", "501 5.5.4"],
    [Array.from({ length: 21 }, (_, index) => `X${index}`).join(" "), "501 5.5.4"],
  ] as const) {
    it(`are refused: ${JSON.stringify(parameters.slice(0, 60))}`, () => {
      assert.equal(codeOf(mail(parameters)), code);
    });
  }

  it("have no REQUIRETLS without TLS", () => {
    assert.equal(codeOf(mail("REQUIRETLS", false)), "530 5.7.10");
  });
});

describe("parameters of RCPT", () => {
  for (const [parameters, wishes] of [
    ["NOTIFY=NEVER", { notify: [], originalRecipient: "" }],
    ["NOTIFY=success,DELAY", { notify: ["success", "delay"], originalRecipient: "" }],
    ["ORCPT=rfc822;bob+2Btag@there.example NOTIFY=FAILURE", { notify: ["failure"], originalRecipient: "rfc822;bob+tag@there.example" }],
    ["ORCPT=utf-8;\\x{FC}ber@b\\x{FC}cher.example", { notify: null, originalRecipient: "utf-8;über@bücher.example" }],
    ["ORCPT=UTF-8;über@there.example", { notify: null, originalRecipient: "UTF-8;über@there.example" }],
  ] as const) {
    it(`are read: ${parameters}`, () => {
      assert.deepEqual(rcpt(parameters), wishes);
    });
  }

  for (const [parameters, code] of [
    ["NOTIFY", "501 5.5.4"],
    ["NOTIFY=", "501 5.5.4"],
    ["NOTIFY=NEVER,FAILURE", "501 5.5.4"],
    ["NOTIFY=FAILURE,FAILURE", "501 5.5.4"],
    ["NOTIFY=FAILURE,", "501 5.5.4"],
    ["NOTIFY=ALWAYS", "501 5.5.4"],
    ["ORCPT", "501 5.5.4"],
    ["ORCPT=bob@there.example", "501 5.5.4"],
    ["ORCPT=rfc822;", "501 5.5.4"],
    ["ORCPT=rfc822;a+0D+0Ab@there.example", "501 5.5.4"],
    ["ORCPT=rfc822;a+zz", "501 5.5.4"],
    [`ORCPT=rfc822;${"a".repeat(500)}`, "501 5.5.4"],
    ["ORCPT=utf-8;a\\x{D800}", "501 5.5.4"],
    ["ORCPT=utf-8;a\\x{A}", "501 5.5.4"],
    ["SIZE=3", "555 5.5.4"],
  ] as const) {
    it(`are refused: ${parameters.slice(0, 60)}`, () => {
      assert.equal(codeOf(rcpt(parameters)), code);
    });
  }
});

describe("a path", () => {
  const pathOf = (line: string): string => {
    const command = pathCommand(Buffer.from(line), "RCPT TO");
    return "code" in command ? `${command.code}` : command.path;
  };

  it("ends at a bracket that is not quoted", () => {
    assert.equal(pathOf('RCPT TO:<"a>b"@there.example> NOTIFY=NEVER'), '"a>b"@there.example');
    assert.equal(pathOf('rcpt to: <"a\\">b"@there.example>'), '"a\\">b"@there.example');
    assert.equal(pathOf('RCPT TO:<"a>b@there.example'), "501");
    assert.equal(pathOf("RCPT TO:<a<b@there.example>"), "501");
  });

  it("may have blanks around the colon, and behind it", () => {
    for (const line of ["RCPT TO:  <a@b.example>", "rcpt to : <a@b.example>", "RCPT TO:\t<a@b.example>", "RCPT TO:<a@b.example> \t "]) {
      assert.equal(pathOf(line), "a@b.example", line);
    }
  });

  it("is UTF-8", () => {
    const command = pathCommand(Buffer.from("RCPT TO:<b\xfcb@there.example>", "latin1"), "RCPT TO");
    assert.equal(codeOf(command), "501 5.5.2");
  });
});

describe("xtext", () => {
  it("stands for printable UTF-8, or nothing", () => {
    assert.equal(decodeXtext("gr+C3+BC+C3+9Fe"), "grüße");
    for (const text of ["+C3", "+00", "+c3+bc", "a=b", "a b", "ü", "+"]) assert.equal(decodeXtext(text), undefined, text);
  });

  it("of RFC 6533 stands for characters by their numbers", () => {
    assert.equal(decodeUtf8Xtext("\\x{1F4EE}@there.example"), "\u{1F4EE}@there.example");
    for (const text of ["\\x{110000}", "\\x{dfff}", "\\x{}", "\\", "a b", "\\x{0}"]) assert.equal(decodeUtf8Xtext(text), undefined, text);
  });
});
