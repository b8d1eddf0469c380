/** Reports as mail systems write them. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { parseReport } from "../../../../src/adapters/mime/report/parse-report.ts";
import type { RecipientReport, Report } from "../../../../src/domain/received/report.ts";

const SHAPES = new URL("./shapes/", import.meta.url);

/** A message from a file, with the line ends that it has on the wire. */
const shape = (name: string): Buffer => Buffer.from(readFileSync(new URL(`${name}.eml`, SHAPES), "utf8").replaceAll("\n", "\r\n"));

const parsed = (name: string): Promise<Report | null> => parseReport([shape(name)]);

const ORDER = { messageId: "<order-1@shop.example>" };

const bob: RecipientReport = {
  finalRecipient: "bob@there.example",
  originalRecipient: "",
  action: "failed",
  code: 550,
  enhancedCode: "5.1.1",
  diagnostic: "",
  remoteHost: "inner.there.example",
};

const dsn = (changes: Partial<Extract<Report, { kind: "dsn" }>>): Report => ({
  kind: "dsn",
  originalEnvelopeId: "",
  reportingHost: "mx.there.example",
  recipients: [],
  returned: ORDER,
  ...changes,
});

const DSNS: Readonly<Record<string, Report | null>> = {
  postfix: dsn({
    originalEnvelopeId: "Zc2oPq5mTkSxkB0yVQf8Yw",
    recipients: [
      {
        ...bob,
        originalRecipient: "bob+orders@there.example",
        diagnostic: "<bob@there.example>: Recipient address rejected: User unknown in local recipient table",
      },
    ],
  }),
  "postfix-delayed": dsn({
    recipients: [
      {
        ...bob,
        action: "delayed",
        code: 400,
        enhancedCode: "4.4.1",
        diagnostic: "connect to inner.there.example[192.0.2.30]:25: Connection timed out",
        remoteHost: "",
      },
    ],
  }),
  exim: dsn({ recipients: [{ ...bob, enhancedCode: "5.0.0", diagnostic: "No such user here" }] }),
  "exchange-online": dsn({
    reportingHost: "am0pr01mb1234.eurprd01.prod.exchangelabs.example",
    recipients: [
      {
        ...bob,
        originalRecipient: "bob@there.example",
        enhancedCode: "5.1.10",
        diagnostic: "RESOLVER.ADR.RecipientNotFound; Recipient bob@there.example not found by SMTP address lookup",
        remoteHost: "",
      },
    ],
  }),
  "exchange-server": dsn({
    reportingHost: "ex01.there.example",
    recipients: [{ ...bob, diagnostic: "RESOLVER.ADR.RecipNotFound; not found", remoteHost: "" }],
  }),
  gmail: dsn({
    reportingHost: "googlemail.example",
    recipients: [
      {
        ...bob,
        diagnostic:
          "The email account that you tried to reach does not exist. Please try double-checking the recipient's email address for typos or unnecessary spaces. For more information, go to https://support.there.example/?p=NoSuchUser d9443c01a7336 - gsmtp",
        remoteHost: "mx.there.example",
      },
    ],
  }),
  // No multipart/report at all (its own format, QSBMF, is for people): a message like any other.
  qmail: null,
  sendmail: dsn({ recipients: [{ ...bob, diagnostic: "<bob@there.example>... User unknown" }] }),
  "sendmail-relayed": dsn({
    originalEnvelopeId: "Zc2oPq5mTkSxkB0yVQf8Yw",
    recipients: [{ ...bob, originalRecipient: "bob@there.example", action: "relayed", code: 250, enhancedCode: "2.1.5", diagnostic: "Ok" }],
  }),
  "sendmail-unix": dsn({ recipients: [{ ...bob, code: 500, enhancedCode: "5.3.0", diagnostic: "255", remoteHost: "" }] }),
  opensmtpd: dsn({ recipients: [{ ...bob, code: 500, enhancedCode: "5.0.0", remoteHost: "" }] }),
  "several-recipients": dsn({
    originalEnvelopeId: "Zc2oPq5mTkSxkB0yVQf8Yw",
    reportingHost: "relay.example",
    recipients: [
      { ...bob, originalRecipient: "bob@there.example", diagnostic: "unknown", remoteHost: "mx.there.example" },
      {
        finalRecipient: "eve@elsewhere.example",
        originalRecipient: "eve@elsewhere.example",
        action: "failed",
        code: 552,
        enhancedCode: "5.2.2",
        diagnostic: "The mailbox is full and nobody reads it",
        remoteHost: "mx.elsewhere.example",
      },
      { ...bob, finalRecipient: "ann@far.example", action: "delayed", code: 400, enhancedCode: "4.4.1", remoteHost: "" },
    ],
  }),
  utf8: dsn({
    reportingHost: "mx.xn--dnemark-5wa.example",
    recipients: [
      {
        ...bob,
        finalRecipient: "jörg@xn--dnemark-5wa.example",
        originalRecipient: "jörg@xn--dnemark-5wa.example",
        diagnostic: "Kein Postfach für jörg",
        remoteHost: "",
      },
    ],
  }),
  wrapped: dsn({ recipients: [{ ...bob, code: 500, remoteHost: "" }], returned: { messageId: "" } }),
  untidy: dsn({
    recipients: [
      {
        ...bob,
        code: 554,
        enhancedCode: "5.7.1",
        diagnostic: "host inner.there.example[192.0.2.30] said: Spam (in reply to end of DATA command)",
        remoteHost: "",
      },
      { ...bob, finalRecipient: "", action: "unrecognized", code: 0, enhancedCode: "", remoteHost: "" },
    ],
    returned: { messageId: "order-1@shop.example" },
  }),
};

describe("a DSN", () => {
  for (const [name, expected] of Object.entries(DSNS)) {
    it(`is read as ${name} writes it`, async () => {
      assert.deepEqual(await parsed(name), expected);
    });
  }

  it("may have other line ends, and come in pieces of any size", async () => {
    const whole = shape("gmail");
    const pieces = Array.from({ length: Math.ceil(whole.length / 7) }, (_, index) => whole.subarray(index * 7, index * 7 + 7));
    assert.deepEqual(await parseReport(pieces), DSNS["gmail"]);
    assert.deepEqual(await parseReport([Buffer.from(shape("gmail").toString("latin1").replaceAll("\r\n", "\n"), "latin1")]), DSNS["gmail"]);
  });
});

const complaint = (changes: Partial<Extract<Report, { kind: "complaint" }>>): Report => ({
  kind: "complaint",
  feedbackType: "abuse",
  originalEnvelopeId: "",
  originalRecipients: ["bob@there.example"],
  originalMailFrom: "orders+Zc2oPq5mTkSxkB0yVQf8Yw@shop.example",
  returned: ORDER,
  ...changes,
});

const COMPLAINTS: Readonly<Record<string, Report>> = {
  "arf-yahoo": complaint({}),
  "arf-microsoft": complaint({ originalRecipients: ["bob@hotmail.there.example"] }),
  "arf-redacted": complaint({ feedbackType: "fraud", originalRecipients: [], originalMailFrom: "" }),
  "arf-not-spam": complaint({
    feedbackType: "not-spam",
    originalEnvelopeId: "Zc2oPq5mTkSxkB0yVQf8Yw",
    originalRecipients: ["bob@there.example", "Eve@there.example"],
    originalMailFrom: "",
  }),
};

describe("a complaint", () => {
  for (const [name, expected] of Object.entries(COMPLAINTS)) {
    it(`is read as ${name} writes it`, async () => {
      assert.deepEqual(await parsed(name), expected);
    });
  }
});

describe("the shapes", () => {
  it("all have their test", () => {
    const files = readdirSync(SHAPES).map((file) => file.replace(".eml", ""));
    assert.deepEqual(files.sort(), [...Object.keys(DSNS), ...Object.keys(COMPLAINTS)].sort());
  });
});
