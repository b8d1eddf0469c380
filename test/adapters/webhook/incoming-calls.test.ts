import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";

import type { StoredContent } from "../../../src/domain/event-log.ts";
import type { Call, CallOutcome } from "../../../src/domain/webhook/caller.ts";
import type { IncomingPayload } from "../../../src/domain/webhook/events.ts";
import type { WebhookCallerOptions } from "../../../src/adapters/webhook/webhook-caller.ts";
import { anIncomingCall } from "../../support/samples.ts";
import { bodyOf, httpReceiver, localCaller, never, NOW, openResources } from "./receiver.ts";

const { keep: kept, closeAll } = openResources();
afterEach(closeAll);

const MESSAGE = [
  "From: =?utf-8?q?J=C3=BCrgen?= <jurgen@there.example>",
  "To: orders@shop.example, Shop <shop@shop.example>",
  "To: third@shop.example",
  "Cc: c@there.example",
  "Reply-To: Desk <desk@there.example>",
  "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=",
  "Message-ID: <2@there.example>",
  "In-Reply-To: <1@shop.example>",
  "References: <0@shop.example> <1@shop.example>",
  "Date: Mon, 1 Jun 2026 13:00:00 +0200",
  'Content-Type: multipart/mixed; boundary="m"',
  "",
  "--m",
  "Content-Type: multipart/alternative; boundary=a",
  "",
  "--a",
  "Content-Type: text/plain; charset=utf-8",
  "",
  "hello ☺",
  "",
  "--a",
  "Content-Type: text/html",
  "",
  "<p>hello</p>",
  "--a--",
  "--m",
  "Content-Type: application/pdf",
  'Content-Disposition: attachment; filename="order.pdf"',
  "Content-ID: <order@there.example>",
  "Content-Transfer-Encoding: base64",
  "",
  "aGVsbG8=",
  "--m--",
  "",
].join("\r\n");

const PAYLOAD: IncomingPayload = {
  receivedId: 70,
  contentId: 71,
  mailFrom: "jurgen@there.example",
  mailFromValidated: true,
  msgFromValidated: false,
  recipient: "orders+7@shop.example",
  dkimVerifiedDomains: ["there.example"],
  remoteAddress: "192.0.2.1",
  receivedAt: NOW,
  mailbox: "Inbox",
  automated: false,
  messageId: "<2@there.example>",
  subject: "Grüße",
};

const incoming = (url: string, payload: Partial<IncomingPayload> = {}): Call => ({
  ...anIncomingCall({ url }),
  payload: { ...PAYLOAD, ...payload },
  attempt: 1,
  queuedAt: NOW,
});

async function* piecesOf(octets: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < octets.length; at += 1_000) yield await Promise.resolve(octets.subarray(at, at + 1_000));
}

const storing = (message: string | Buffer): WebhookCallerOptions["contents"] => {
  const octets = Buffer.from(message);
  return { open: (id) => Promise.resolve(id === 71 ? { size: octets.length, pieces: piecesOf(octets) } : undefined) };
};

/** A receiver, and what it was told. */
const listening = async () => {
  const bodies: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const receiver = kept(
    await httpReceiver((request, response) => {
      authorizations.push(request.headers.authorization);
      void bodyOf(request).then((body) => {
        bodies.push(body);
        response.end();
      });
    }),
  );
  return { url: receiver.url, bodies, authorizations };
};

const callWith = async (options: Partial<WebhookCallerOptions>, call: Call, signal = never()): Promise<CallOutcome> =>
  kept(localCaller(options)).call(call, signal);

describe("a call about mail that arrived", () => {
  it("shows domains with their letters", async () => {
    const { url, bodies } = await listening();
    const changes = {
      mailFrom: "bob@xn--nda.example",
      recipient: "orders@xn--bcher-kva.example",
      dkimVerifiedDomains: ["xn--nda.example"],
    };
    await callWith({ contents: storing("From: bob@xn--nda.example\r\n\r\n") }, incoming(url, changes));
    const { From, Meta } = JSON.parse(bodies[0] ?? "{}") as Record<string, Record<string, unknown>>;
    assert.deepEqual(From, [{ Name: "", Address: "bob@ö.example" }]);
    const { MailFrom, RcptTo, DKIMVerifiedDomains } = Meta ?? {};
    assert.deepEqual([MailFrom, RcptTo, DKIMVerifiedDomains], ["bob@ö.example", "orders@bücher.example", ["ö.example"]]);
  });

  it("has the contract's body, made of the message and of how it came", async () => {
    const { url, bodies, authorizations } = await listening();
    const outcome = await callWith({ contents: storing(MESSAGE), authorization: (account, kind) => `${account} ${kind}` }, incoming(url));
    assert.equal(outcome.kind, "answered");
    assert.deepEqual(authorizations, ["shop incoming"]);
    assert.equal(
      bodies[0],
      '{"Version":0,"From":[{"Name":"Jürgen","Address":"jurgen@there.example"}],' +
        '"To":[{"Name":"","Address":"orders@shop.example"},{"Name":"Shop","Address":"shop@shop.example"},{"Name":"","Address":"third@shop.example"}],' +
        '"CC":[{"Name":"","Address":"c@there.example"}],"BCC":[],"ReplyTo":[{"Name":"Desk","Address":"desk@there.example"}],' +
        '"Subject":"Grüße","MessageID":"<2@there.example>","InReplyTo":"<1@shop.example>",' +
        '"References":["<0@shop.example>","<1@shop.example>"],"Date":"2026-06-01T11:00:00.000Z",' +
        '"Text":"hello ☺\\n","HTML":"<p>hello</p>",' +
        '"Structure":{"ContentType":"multipart/mixed","ContentTypeParams":{"boundary":"m"},"ContentID":"","ContentDisposition":"",' +
        '"Filename":"","DecodedSize":0,"Parts":[' +
        '{"ContentType":"multipart/alternative","ContentTypeParams":{"boundary":"a"},"ContentID":"","ContentDisposition":"",' +
        '"Filename":"","DecodedSize":0,"Parts":[' +
        '{"ContentType":"text/plain","ContentTypeParams":{"charset":"utf-8"},"ContentID":"","ContentDisposition":"","Filename":"",' +
        '"DecodedSize":11,"Parts":[]},' +
        '{"ContentType":"text/html","ContentTypeParams":{},"ContentID":"","ContentDisposition":"","Filename":"","DecodedSize":12,"Parts":[]}]},' +
        '{"ContentType":"application/pdf","ContentTypeParams":{},"ContentID":"<order@there.example>","ContentDisposition":"attachment",' +
        '"Filename":"order.pdf","DecodedSize":5,"Parts":[]}]},' +
        '"Meta":{"MsgID":70,"MailFrom":"jurgen@there.example","MailFromValidated":true,"MsgFromValidated":false,' +
        '"RcptTo":"orders+7@shop.example","DKIMVerifiedDomains":["there.example"],"RemoteIP":"192.0.2.1",' +
        '"Received":"2026-06-01T12:00:00.000Z","MailboxName":"Inbox","Automated":false}}',
    );
  });

  it("has every field of a message that has nothing", async () => {
    const { url, bodies } = await listening();
    await callWith({ contents: storing("\r\n") }, incoming(url, { mailFrom: "", dkimVerifiedDomains: [], automated: true }));
    const { Meta, Structure, ...body } = JSON.parse(bodies[0] ?? "") as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    assert.deepEqual(body, {
      ...{ Version: 0, From: [], To: [], CC: [], BCC: [], ReplyTo: [], Subject: "", MessageID: "", InReplyTo: "", References: [] },
      ...{ Date: null, Text: "", HTML: "" },
    });
    assert.deepEqual([Structure?.["ContentType"], Structure?.["Parts"]], ["text/plain", []]);
    assert.deepEqual([Meta?.["MailFrom"], Meta?.["DKIMVerifiedDomains"], Meta?.["Automated"]], ["", [], true]);
  });

  it("has text and HTML cut at 1 MiB, and tells their size", async () => {
    const { url, bodies } = await listening();
    const long = "é".repeat(1_024 * 1_024);
    await callWith({ contents: storing(`Content-Type: text/html; charset=utf-8\r\n\r\n${long}`) }, incoming(url));
    const { HTML, Structure } = JSON.parse(bodies[0] ?? "") as { HTML: string; Structure: { DecodedSize: number } };
    assert.deepEqual([Buffer.byteLength(HTML), Structure.DecodedSize], [1_024 * 1_024, 2 * 1_024 * 1_024]);
  });

  it("has ids in angle brackets as references, and the answered one as it was written", async () => {
    const { url, bodies } = await listening();
    const content = "References: ref@x <A@x>\r\nIn-Reply-To: ref@x\r\n\r\n";
    await callWith({ contents: storing(content) }, incoming(url));
    const { References, InReplyTo } = JSON.parse(bodies[0] ?? "") as Readonly<Record<string, unknown>>;
    assert.deepEqual([References, InReplyTo], [["<A@x>"], "ref@x"]);
  });

  it("is told of a message of 5,000 nested levels", async () => {
    const { url, bodies } = await listening();
    const deep = Array.from({ length: 5_000 }, (_, at) => `Content-Type: multipart/mixed; boundary=b${at}\r\n\r\n--b${at}\r\n`).join("");
    const outcome = await callWith({ contents: storing(`Subject: deep\r\n${deep}\r\nhello`) }, incoming(url));
    assert.equal(outcome.kind, "answered");
    assert.equal((JSON.parse(bodies[0] ?? "") as { Subject: string }).Subject, "deep");
  });
});

describe("a call about a message that cannot be read", () => {
  it("cannot be made when the message was deleted", async () => {
    const { url, bodies } = await listening();
    const outcome = await callWith({}, incoming(url));
    assert.equal(outcome.kind, "impossible");
    assert.deepEqual(
      [outcome.result.status, outcome.result.error, outcome.result.startedAt],
      [0, "the message that this call is about was deleted", NOW],
    );
    assert.deepEqual(bodies, []);
  });

  it("is made later when the store or the reading fails, and the operator is told why", async () => {
    const errors: unknown[] = [];
    const failing = async function* (): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(Buffer.from("Subject: x\r\n"));
      throw new Error("disk is gone");
    };
    for (const options of [
      { contents: { open: () => Promise.reject(new Error("store is closed")) } },
      { contents: { open: (): Promise<StoredContent> => Promise.resolve({ size: 1, pieces: failing() }) } },
      { contents: storing(MESSAGE), readMail: () => Promise.reject(new Error("a bug")) },
    ]) {
      const { url } = await listening();
      const outcome = await callWith({ ...options, onError: (error) => void errors.push(error) }, incoming(url));
      assert.equal(outcome.kind === "unreachable" && outcome.result.error, "the message could not be read for now");
    }
    assert.deepEqual(
      errors.map((error) => (error as Error).message),
      ["store is closed", "disk is gone", "a bug"],
    );
  });

  it("ends when the server stops, or its time is over", async () => {
    const endless = { open: (): Promise<undefined> => new Promise(() => undefined) };
    const stop = new AbortController();
    const stopped = callWith({ contents: endless }, incoming("http://127.0.0.1:9/"), stop.signal);
    stop.abort();
    assert.equal((await stopped).kind, "interrupted");
    const late = await callWith({ contents: endless, deadlineMs: 20 }, incoming("http://127.0.0.1:9/"));
    assert.equal(late.kind === "unreachable" && late.result.error, "no answer within 0.02 seconds");
  });

  it("does not stand in the way of others", async () => {
    const { open } = storing(MESSAGE);
    const contents = { open: (id: number): ReturnType<typeof open> => (id === 71 ? open(id) : new Promise(() => undefined)) };
    const { url, bodies } = await listening();
    const caller = kept(localCaller({ contents, deadlineMs: 500 }));
    const stop = new AbortController();
    const hanging = Array.from({ length: 20 }, () => caller.call(incoming(url, { contentId: 99 }), stop.signal));
    stop.abort();
    const outcomes = await Promise.all([...hanging, caller.call(incoming(url), never())]);
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      [...Array<string>(20).fill("interrupted"), "answered"],
    );
    assert.equal(bodies.length, 1);
  });
});
