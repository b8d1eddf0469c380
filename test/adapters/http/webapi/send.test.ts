import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { simpleParser, type ParsedMail } from "mailparser";
import { DAY_MS, HOUR_MS } from "../../../../src/domain/clock.ts";
import type { Submission, SubmissionResult } from "../../../../src/domain/submission/submission.ts";
import type { TestServer } from "../support/webapi-server.ts";
import { basic, LOGIN, PASSWORD, startWebapi } from "../support/webapi-server.ts";

let server: TestServer;
before(async () => {
  server = await startWebapi();
});
after(() => server.close(0));

const TO = [{ Name: "", Address: "bob@example.net" }];
const MINIMAL = { To: TO, Text: "hi" };

const last = (): Submission => {
  const submission = server.submissions.at(-1);
  assert(submission !== undefined);
  return submission;
};

const sent = async (request: object): Promise<{ readonly submission: Submission; readonly mail: ParsedMail }> => {
  const { status, body } = await server.call("Send", request);
  assert.equal(status, 200, JSON.stringify(body));
  return { submission: last(), mail: await simpleParser(Buffer.concat(last().content), { skipTextToHtml: true }) };
};

/** Code of the error that a request gets; nothing may have been queued. */
const codeOf = async (request: unknown, authorization = LOGIN): Promise<unknown> => {
  const queued = server.submissions.length;
  const { status, body } = await server.call("Send", request, authorization);
  assert.equal(status, 400, JSON.stringify(body));
  assert.deepEqual(Object.keys(body), ["Code", "Message"]);
  assert.ok(typeof body["Message"] === "string" && body["Message"] !== "");
  assert.equal(server.submissions.length, queued);
  return body["Code"];
};

describe("a message sent", () => {
  it("is answered with its Message-ID and one submission for each recipient, in the order To, CC, BCC", async () => {
    const { status, body, headers } = await server.call("Send", {
      ...MINIMAL,
      To: [{ Address: "a+X@Example.NET" }, { Address: "b@example.net" }],
      CC: [{ Address: "c@example.net" }],
      BCC: [{ Address: "a+X@Example.NET" }],
    });
    assert.equal(status, 200);
    assert.equal(headers.get("content-type"), "application/json; charset=utf-8");
    assert.deepEqual(body["Submissions"], [
      { Address: "a+X@Example.NET", QueueMsgID: 1000, FromID: "" },
      { Address: "b@example.net", QueueMsgID: 1001, FromID: "" },
      { Address: "c@example.net", QueueMsgID: 1002, FromID: "" },
      { Address: "a+X@Example.NET", QueueMsgID: 1003, FromID: "" },
    ]);
    assert.equal(body["MessageID"], last().messageId);
    assert.equal(last().recipients[0]?.text, "a+X@example.net");
  });

  it("comes from the login address and the account's full name by default", async () => {
    const { submission, mail } = await sent(MINIMAL);
    assert.equal(submission.from.text, "shop@example.org");
    assert.deepEqual(mail.from?.value, [{ name: "The shop", address: "shop@example.org" }]);
    assert.equal(submission.login.text, "shop@example.org");
  });

  it("carries everything that was asked for", async () => {
    const at = server.clock.now() + HOUR_MS;
    const { submission, mail } = await sent({
      ...{ From: [{ Name: "Shöp", Address: "shop+orders@example.org" }], To: TO, BCC: [{ Address: "hidden@example.net" }] },
      ...{ ReplyTo: [{ Name: "R", Address: "r@example.net" }], MessageID: "<mine@example.org>", References: ["<a@x>", "<b@x>"] },
      ...{ Date: "2024-02-29T12:00:00+02:00", Subject: "Größe über alles", Text: "a\nb ☺\n", HTML: "<p>☺" },
      ...{ Extra: { a: "123" }, Headers: [["X-Custom", "v"]], RequireTLS: true, FutureRelease: new Date(at).toISOString() },
    });
    const { content, recipients, ...rest } = submission;
    assert.deepEqual(
      { ...rest, account: rest.account.name, login: rest.login.text, from: rest.from.text },
      {
        ...{ source: "webapi", account: "shop", login: "shop@example.org", from: "shop+orders@example.org" },
        ...{ messageId: "<mine@example.org>", subject: "Größe über alles", extra: { a: "123" }, requireTls: true },
        ...{ smtpUtf8: false, eightBit: false, releaseAt: at },
      },
    );
    assert.deepEqual(
      recipients.map(({ text }) => text),
      ["bob@example.net", "hidden@example.net"],
    );
    assert.ok(!Buffer.concat(content).toString().includes("hidden"));
    assert.deepEqual([mail.subject, mail.text, mail.html], ["Größe über alles", "a\nb ☺\n", "<p>☺\n"]);
    assert.deepEqual([mail.references, mail.inReplyTo], [["<a@x>", "<b@x>"], "<b@x>"]);
    assert.equal(mail.headers.get("x-custom"), "v");
    assert.equal(mail.date?.toISOString(), "2024-02-29T10:00:00.000Z");
  });

  it("may hand references on as they stood in mail: none, or several in one", async () => {
    const { mail } = await sent({ ...MINIMAL, References: ["", "<a@x>", " <b@x> <c@x>"] });
    assert.deepEqual([mail.references, mail.inReplyTo], [["<a@x>", "<b@x>", "<c@x>"], "<c@x>"]);
    const without = await sent({ ...MINIMAL, References: [""] });
    assert.deepEqual([without.mail.references, without.mail.inReplyTo], [undefined, undefined]);
  });

  it("may leave everything else null, as Go clients do", async () => {
    const nothing = { From: null, CC: null, BCC: null, ReplyTo: null, References: null, Date: null, Extra: null, Headers: null };
    const more = { AlternativeFiles: null, InlineFiles: null, AttachedFiles: null, RequireTLS: null, FutureRelease: null };
    const { submission } = await sent({ ...MINIMAL, ...nothing, ...more, MessageID: "", Subject: "", HTML: "", SaveSent: false });
    assert.deepEqual([submission.requireTls, submission.releaseAt, submission.extra], [null, null, {}]);
  });

  it("may name its fields in any case", async () => {
    const { mail } = await sent({ TO: [{ address: "bob@example.net", NAME: "Bob" }], tEXT: "hi", subject: "s" });
    assert.deepEqual([mail.subject, mail.text], ["s", "hi\n"]);
  });

  it("is released at once when its time has passed", async () => {
    const { submission } = await sent({ ...MINIMAL, FutureRelease: "2020-01-01T00:00:00Z", RequireTLS: false });
    assert.deepEqual([submission.releaseAt, submission.requireTls], [null, false]);
  });

  it("keeps the order of a hundred recipients", async () => {
    const addresses = Array.from({ length: 100 }, (_, index) => `user${index}@example.net`);
    const { body } = await server.call("Send", { To: addresses.map((Address) => ({ Address })), Text: "hi" });
    assert.deepEqual(
      (body["Submissions"] as { Address: string }[]).map(({ Address }) => Address),
      addresses,
    );
  });

  it("is SMTPUTF8 with a local part that is not ASCII", async () => {
    const { submission } = await sent({ To: [{ Address: "größe@example.net" }], Text: "hi" });
    assert.ok(submission.smtpUtf8 && submission.eightBit);
  });
});

describe("a message not sent", () => {
  const refusals: readonly (readonly [code: string, what: string, request: unknown])[] = [
    ["missingBody", "neither text nor HTML", { To: TO }],
    ["multipleFrom", "two From addresses", { ...MINIMAL, From: [{ Address: "shop@example.org" }, { Address: "shop@example.org" }] }],
    ["badFrom", "somebody else's From", { ...MINIMAL, From: [{ Address: "other@example.org" }] }],
    ["badFrom", "a stranger's From", { ...MINIMAL, From: [{ Address: "x@example.com" }] }],
    ["domainDisabled", "a disabled domain", { ...MINIMAL, From: [{ Address: "off@disabled.example" }] }],
    ["noRecipients", "no recipients", { Text: "hi" }],
    ["malformedMessageID", "a Message-ID without <>", { ...MINIMAL, MessageID: "x@y" }],
    ["user", "FutureRelease too far away", { ...MINIMAL, FutureRelease: "2099-01-01T00:00:00Z" }],
    ["user", "Data that is not base64", { ...MINIMAL, AttachedFiles: [{ Data: "a-b_" }] }],
    ["user", "too much Extra", { ...MINIMAL, Extra: { a: "x".repeat(70_000) } }],
    ["user", "too many Extra keys", { ...MINIMAL, Extra: Object.fromEntries(Array.from({ length: 1_001 }, (_, i) => [i, ""])) }],
    ["user", "too many headers", { ...MINIMAL, Headers: Array.from({ length: 501 }, () => ["X-A", "b"]) }],
    ["messageTooLarge", "text that is too large", { ...MINIMAL, Text: "x".repeat(1_000_001) }],
    ["messageTooLarge", "a file that is too large", { ...MINIMAL, AttachedFiles: [{ Data: "A".repeat(1_000_000) }] }],
    ["protocol", "an unknown field", { ...MINIMAL, Bogus: 1 }],
    ["protocol", "a wrong type", { ...MINIMAL, Subject: 1 }],
    ["protocol", "a list that is none", { ...MINIMAL, To: { Address: "bob@example.net" } }],
    ["protocol", "a date that is none", { ...MINIMAL, Date: "tomorrow" }],
    ["protocol", "an Extra value that is no string", { ...MINIMAL, Extra: { a: 1 } }],
    ["protocol", "a request that is no object", "[]"],
    ["protocol", "a request that is not JSON", "notjson"],
    ["protocol", "deep JSON", `{"To":${"[".repeat(100_000)}`],
    ["protocol", "an empty request", ""],
  ];
  for (const [code, what, request] of refusals) {
    it(`is answered ${code}: ${what}`, async () => {
      assert.equal(await codeOf(request), code);
    });
  }

  it("is answered badAddress for what is no address, in every place", async () => {
    for (const Address of [
      "",
      "bob",
      "a@",
      "@example.net",
      "a@b..example",
      "a b@example.net",
      "a@[127.0.0.1]",
      "a@[IPv6:::1]",
      "<bob@example.net>",
      "bob@example.net\r\nRCPT TO:<x@y>",
      "a\r\n@example.net",
    ]) {
      for (const field of ["From", "To", "CC", "BCC", "ReplyTo"]) {
        assert.equal(await codeOf({ ...MINIMAL, [field]: [{ Address }] }), "badAddress", `${field} ${Address}`);
      }
    }
  });

  it("is answered user for control characters in any header material", async () => {
    const evil = "x\r\nBcc: victim@example.net";
    const named = [{ Name: evil, Address: "bob@example.net" }];
    const own = [{ Name: evil, Address: "shop@example.org" }];
    const file = { Data: "AAAA" };
    const attempts = [
      ...[{ Subject: evil }, { From: own }, { To: named }, { CC: named }, { BCC: named }, { ReplyTo: named }, { MessageID: `<${evil}>` }],
      ...[{ References: [evil] }, { Headers: [["X-A", evil]] }, { Headers: [[evil, "x"]] }, { Headers: [["Subject", "second"]] }],
      ...[{ AttachedFiles: [{ ...file, Name: evil }] }, { AttachedFiles: [{ ...file, ContentType: `a/b\r\nX: y` }] }],
      ...[{ InlineFiles: [{ ...file, ContentID: evil }] }, { AlternativeFiles: [{ ...file, ContentType: "text/plain\nX: y" }] }],
    ];
    for (const attempt of attempts) assert.equal(await codeOf({ ...MINIMAL, ...attempt }), "user", JSON.stringify(attempt));
  });

  it("is answered with the code of the queue's refusal", async () => {
    const reasons = ["badFrom", "domainDisabled", "messageLimitReached", "recipientLimitReached"] as const;
    let refusal: SubmissionResult = { accepted: false, refusal: { reason: "badFrom", detail: "because" } };
    const strict = await startWebapi({ submit: () => Promise.resolve(refusal) });
    for (const reason of reasons) {
      refusal = { accepted: false, refusal: { reason, detail: "because" } };
      assert.deepEqual((await strict.call("Send", MINIMAL)).body, { Code: reason, Message: "because" });
    }
    refusal = { accepted: false, refusal: { reason: "fromIdImpossible", detail: "no separator" } };
    assert.deepEqual((await strict.call("Send", MINIMAL)).body, { Code: "user", Message: "no separator" });
    await strict.close(0);
  });

  it("is answered server, and logged, when the store is out of order, and tells nothing of it", async () => {
    const logged: object[] = [];
    const log = {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: (fields: object) => void logged.push(fields),
    };
    const broken = await startWebapi({ submit: () => Promise.reject(new Error("disk on fire")), log });
    const { status, body, headers } = await broken.call("Send", MINIMAL);
    assert.deepEqual([status, body["Code"]], [400, "server"]);
    assert.ok(!JSON.stringify(body).includes("fire"));
    assert.equal((logged[0] as { requestId: string }).requestId, headers.get("x-request-id"));
    await broken.close(0);
  });

  it("is answered user with more recipients than allowed", async () => {
    const small = await startWebapi({ maxRecipients: 2 });
    const { body } = await small.call("Send", { Text: "hi", To: [...TO, ...TO], BCC: TO });
    assert.equal(body["Code"], "user");
    await small.close(0);
  });
});

describe("the edge of 60 days", () => {
  it("is still in reach", async () => {
    const at = server.clock.now() + 60 * DAY_MS;
    const { submission } = await sent({ ...MINIMAL, FutureRelease: new Date(at).toISOString() });
    assert.equal(submission.releaseAt, at);
    assert.equal(await codeOf({ ...MINIMAL, FutureRelease: new Date(at + 1000).toISOString() }), "user");
  });
});

describe("the copy in Sent", () => {
  it("is asked for with the message, and names the blind copies", async () => {
    const { submission } = await sent({ ...MINIMAL, BCC: [{ Address: "hidden@example.net" }], SaveSent: true });
    assert.equal(Buffer.from(submission.sentCopy?.head ?? []).toString(), "Bcc: <hidden@example.net>\r\n");
    assert.ok(!Buffer.concat(submission.content).toString().includes("hidden"));
    assert.equal((await sent({ ...MINIMAL, SaveSent: true })).submission.sentCopy?.head.byteLength, 0);
    assert.equal((await sent(MINIMAL)).submission.sentCopy, undefined);
  });

  it("is missed where the quota has no room for it", async () => {
    const full = await startWebapi({
      submit: () =>
        Promise.resolve({ accepted: true, submissionId: 1, queued: [{ id: 2, recipient: "a", fromId: "" }], copyLeftOut: true }),
    });
    const { status, body } = await full.call("Send", { ...MINIMAL, SaveSent: true });
    assert.deepEqual([status, body["Code"]], [400, "sentOverQuota"]);
    assert.match(String(body["Message"]), /message was queued/);
    await full.close(0);
  });
});

describe("a message of a domain with DKIM", () => {
  it("is queued as it was signed", async () => {
    const signing = await startWebapi({
      sign: (content, domain) => Promise.resolve([Buffer.from(`DKIM-Signature: d=${domain}\r\n`), ...content]),
    });
    await signing.call("Send", MINIMAL);
    assert.match(Buffer.concat(signing.submissions[0]?.content ?? []).toString(), /^DKIM-Signature: d=example\.org\r\nFrom: /);
    await signing.close(0);
  });
});

describe("a login with a tag", () => {
  it("is the address the message comes from, and is known to the queue", async () => {
    assert.equal((await server.call("Send", MINIMAL, basic("shop+app@example.org", PASSWORD))).status, 200);
    assert.deepEqual([last().login.text, last().from.text], ["shop+app@example.org", "shop+app@example.org"]);
  });
});
