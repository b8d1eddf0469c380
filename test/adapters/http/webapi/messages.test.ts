/** The methods on messages in mailboxes, as clients of the webapi see them. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { messageMethods } from "../../../../src/adapters/http/webapi/message-methods.ts";
import { readMail } from "../../../../src/adapters/mime/reader/read-mail.ts";
import { readPart } from "../../../../src/adapters/mime/reader/read-part.ts";
import { contentSize, type Content } from "../../../../src/domain/event-log.ts";
import { idSource } from "../../../../src/domain/ids.ts";
import { mailboxes } from "../../../../src/domain/received/mailboxes.ts";
import { receiving, type Arrival } from "../../../../src/domain/received/receive.ts";
import { actorRuntime } from "../../../../src/domain/runtime/actor.ts";
import { receivedKind } from "../../../../src/domain/runtime/kinds.ts";
import { memoryLog } from "../../../support/memory-log.ts";
import { memoryReadModel } from "../../../support/memory-read-model.ts";
import { NOON } from "../../../support/samples.ts";
import { virtualClock } from "../../../support/virtual-clock.ts";
import type { TestServer } from "../support/webapi-server.ts";
import { basic, LOGIN, PASSWORD, startWebapi } from "../support/webapi-server.ts";

const OTHER = basic("other@example.org", PASSWORD);

const log = memoryLog();
const clock = virtualClock(NOON);
const receive = receiving({ log, clock, nextId: idSource(0, clock.now), directory: { account: () => undefined } });
const received = actorRuntime({ log, kind: receivedKind, remember: 100, terms: () => ({ now: clock.now() }) });

let server: TestServer;
before(async () => {
  const boxes = mailboxes({ received, readModel: memoryReadModel(log) });
  server = await startWebapi({ methods: messageMethods({ mailboxes: boxes, contents: log.contents, readMail, readPart }) });
});
after(() => server.close(0));

const arrival: Arrival = {
  mailFrom: "bob@there.example",
  from: "bob@there.example",
  subject: "Hello",
  messageId: "<1@there.example>",
  remoteAddress: "192.0.2.9",
  content: [],
  mailFromValidated: true,
  msgFromValidated: false,
  dkimVerifiedDomains: ["there.example", "list.example"],
  automated: false,
  report: null,
  recipients: [{ address: "shop@example.org", account: "shop", tag: "" }],
};

const lines = (...each: readonly string[]): Content => [Buffer.from(each.map((line) => `${line}\r\n`).join(""))];

const PLAIN = lines("From: bob@there.example", "", "Hi.");

/** Stores a message for the shop and answers its id. */
const arrived = async (content: Content = PLAIN, changes: Partial<Arrival> = {}): Promise<number> => {
  const [id = 0] = await receive({ ...arrival, content: content.map((piece) => new Uint8Array(piece)), ...changes });
  return id;
};

const ok = async (method: string, request: unknown): Promise<Readonly<Record<string, unknown>>> => {
  const { status, body } = await server.call(method, request);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
};

const codeOf = async (method: string, request: unknown, authorization = LOGIN): Promise<unknown> => {
  const { status, body } = await server.call(method, request, authorization);
  assert.equal(status, 400, JSON.stringify(body));
  assert.deepEqual(Object.keys(body), ["Code", "Message"]);
  return body["Code"];
};

const bytesOf = async (method: string, request: unknown) => {
  const body = new URLSearchParams({ request: JSON.stringify(request) });
  const response = await fetch(`${server.origin}/webapi/v0/${method}`, { method: "POST", body, headers: { authorization: LOGIN } });
  return { status: response.status, headers: response.headers, octets: Buffer.from(await response.arrayBuffer()) };
};

const metaOf = async (id: number) =>
  (await ok("MessageGet", { MsgID: id }))["Meta"] as { Flags: string[]; MailboxName: string; DSN: boolean };

const MIXED = lines(
  "From: =?utf-8?q?B=C3=B6b?= <bob@there.example>",
  "To: Shop <shop@example.org>, eve@there.example",
  "Cc: ann@there.example",
  "Reply-To: answers@there.example",
  "Message-ID: <1@there.example>",
  "In-Reply-To: <0@example.org>",
  "References: <a@example.org>",
  "\t<b@example.org>",
  "Date: Mon, 1 Jun 2026 14:00:00 +0200",
  "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=",
  "MIME-Version: 1.0",
  'Content-Type: multipart/mixed; Boundary="x"',
  "",
  "--x",
  "Content-Type: multipart/alternative; boundary=y",
  "",
  "--y",
  "Content-Type: Text/Plain; charset=UTF-8",
  "Content-Transfer-Encoding: quoted-printable",
  "",
  "Hall=C3=B6",
  "--y",
  "Content-Type: text/html; charset=utf-8",
  "",
  "<p>Hi",
  "--y--",
  "--x",
  "Content-Type: application/pdf; name=a.pdf",
  "Content-Disposition: ATTACHMENT; filename=a.pdf",
  "Content-ID: <c@there.example>",
  "Content-Transfer-Encoding: base64",
  "",
  "AAECAwQF/w==",
  "--x--",
);

describe("MessageGet", () => {
  it("tells everything about a message", async () => {
    const id = await arrived(MIXED);
    const none = { ContentID: "", ContentDisposition: "", Filename: "" };
    assert.deepEqual(await ok("MessageGet", { MsgID: id }), {
      Message: {
        From: [{ Name: "Böb", Address: "bob@there.example" }],
        To: [
          { Name: "Shop", Address: "shop@example.org" },
          { Name: "", Address: "eve@there.example" },
        ],
        CC: [{ Name: "", Address: "ann@there.example" }],
        BCC: [],
        ReplyTo: [{ Name: "", Address: "answers@there.example" }],
        MessageID: "<1@there.example>",
        References: ["<0@example.org>", "<a@example.org>", "<b@example.org>"],
        Date: "2026-06-01T12:00:00.000Z",
        Subject: "Grüße",
        Text: "Hallö",
        HTML: "<p>Hi",
      },
      Structure: {
        ...{ ContentType: "multipart/mixed", ContentTypeParams: { boundary: "x" }, ...none, DecodedSize: 0 },
        Parts: [
          {
            ...{ ContentType: "multipart/alternative", ContentTypeParams: { boundary: "y" }, ...none, DecodedSize: 0 },
            Parts: [
              { ContentType: "text/plain", ContentTypeParams: { charset: "UTF-8" }, ...none, DecodedSize: 6, Parts: [] },
              { ContentType: "text/html", ContentTypeParams: { charset: "utf-8" }, ...none, DecodedSize: 5, Parts: [] },
            ],
          },
          {
            ...{ ContentType: "application/pdf", ContentTypeParams: { name: "a.pdf" }, ContentID: "<c@there.example>" },
            ...{ ContentDisposition: "attachment", Filename: "a.pdf", DecodedSize: 7, Parts: [] },
          },
        ],
      },
      Meta: {
        Size: contentSize(MIXED),
        DSN: false,
        Flags: [],
        MailFrom: "bob@there.example",
        MailFromValidated: true,
        RcptTo: "shop@example.org",
        MsgFrom: "bob@there.example",
        MsgFromValidated: false,
        DKIMVerifiedDomains: ["there.example", "list.example"],
        RemoteIP: "192.0.2.9",
        MailboxName: "Inbox",
      },
    });
  });

  it("answers empty lists, and null for a date that is missing or none", async () => {
    for (const header of [[], ["Date: yesterday"]]) {
      const id = await arrived(lines(...header, "", ""), { mailFrom: "", dkimVerifiedDomains: [] });
      const { Message, Structure, Meta } = (await ok("MessageGet", { MsgID: id })) as Record<string, Record<string, unknown>>;
      const empty = { From: [], To: [], CC: [], BCC: [], ReplyTo: [], MessageID: "", References: [], Date: null, Subject: "" };
      assert.deepEqual({ ...Message, Text: "", HTML: "" }, { ...empty, Text: "", HTML: "" });
      assert.deepEqual([Structure?.["ContentTypeParams"], Structure?.["Parts"]], [{}, []]);
      assert.deepEqual([Meta?.["Flags"], Meta?.["DKIMVerifiedDomains"], Meta?.["MailFrom"]], [[], [], ""]);
    }
  });

  it("says which messages are DSNs", async () => {
    const report = { kind: "dsn", originalEnvelopeId: "", reportingHost: "", recipients: [], returned: { messageId: "" } } as const;
    assert.equal((await metaOf(await arrived(PLAIN, { report }))).DSN, true);
    assert.equal((await metaOf(await arrived(PLAIN, { origin: "report" }))).DSN, true);
  });

  it("survives what is no message at all", async () => {
    for (const content of [[], [Buffer.from([0, 255, 13, 10, 10])], [Buffer.alloc(300_000, "a")], [Buffer.from("--x\r\n--x--")]]) {
      assert.equal((await ok("MessageGet", { MsgID: await arrived(content) }))["Meta"] !== undefined, true);
    }
  });
});

describe("a message that is not there", () => {
  const REQUESTS: readonly (readonly [method: string, more: object])[] = [
    ["MessageGet", {}],
    ["MessageRawGet", {}],
    ["MessagePartGet", { PartPath: [0] }],
    ["MessageDelete", {}],
    ["MessageFlagsAdd", { Flags: ["\\seen"] }],
    ["MessageFlagsRemove", { Flags: ["\\seen"] }],
    ["MessageMove", { DestMailboxName: "Trash" }],
  ];

  for (const [method, more] of REQUESTS) {
    it(`is not found by ${method}: none, deleted, or another account's`, async () => {
      const theirs = await arrived();
      const deleted = await arrived();
      await ok("MessageDelete", { MsgID: deleted });
      const head = log.head();
      for (const MsgID of [0, -1, null, 1, Number.MAX_SAFE_INTEGER, 2 ** 53, 2 ** 63, deleted])
        assert.equal(await codeOf(method, { MsgID, ...more }), "messageNotFound");
      assert.equal(await codeOf(method, more), "messageNotFound");
      assert.equal(await codeOf(method, { MsgID: theirs, ...more }, OTHER), "messageNotFound");
      assert.equal(log.head(), head);
    });

    it(`is asked for by ${method} with a whole number`, async () => {
      for (const MsgID of ["1", 1.5, true, {}, 2 ** 64, 1e300]) assert.equal(await codeOf(method, { MsgID, ...more }), "protocol");
      assert.equal(await codeOf(method, { MsgID: 1, ...more, Extra: 1 }), "protocol");
    });
  }
});

describe("MessageRawGet", () => {
  it("answers the octets as they came, however many", async () => {
    const large = Array.from({ length: 9 }, (_, index) => Buffer.alloc(250_000, index));
    for (const content of [[Buffer.from([0, 1, 200, 255, 13, 10])], large, []]) {
      const { status, headers, octets } = await bytesOf("MessageRawGet", { MsgID: await arrived(content) });
      assert.equal(status, 200);
      assert.deepEqual([headers.get("content-type"), headers.get("cache-control")], ["text/plain", "no-store"]);
      assert.equal(headers.get("content-length"), `${contentSize(content)}`);
      assert.ok(octets.equals(Buffer.concat(content)));
    }
  });
});

describe("MessagePartGet", () => {
  it("answers the decoded octets of a part", async () => {
    const MsgID = await arrived(MIXED);
    const { headers, octets } = await bytesOf("MessagePartGet", { MsgID, PartPath: [1] });
    assert.equal(headers.get("content-type"), "application/octet-stream");
    assert.deepEqual([...octets], [0, 1, 2, 3, 4, 5, 255]);
    assert.equal((await bytesOf("messagepartget", { MsgID, PartPath: [1] })).status, 404);
    assert.equal((await bytesOf("MessagePartGet", { msgid: MsgID, partpath: [0, 0] })).octets.toString(), "Hallö");
    assert.equal((await bytesOf("MessagePartGet", { MsgID: await arrived(PLAIN) })).octets.toString(), "Hi.\r\n");
  });

  it("does not find parts that are not there", async () => {
    const MsgID = await arrived(MIXED);
    for (const PartPath of [[2], [-1], [0, 2], [1, 0], [0, 0, 0], [2 ** 40]]) {
      assert.equal(await codeOf("MessagePartGet", { MsgID, PartPath }), "partNotFound");
    }
    assert.equal(await codeOf("MessagePartGet", { MsgID, PartPath: [0.5] }), "protocol");
    assert.equal(await codeOf("MessagePartGet", { MsgID, PartPath: 0 }), "protocol");
  });
});

describe("flags", () => {
  it("are added and taken off, in lower case", async () => {
    const MsgID = await arrived();
    assert.deepEqual(await ok("MessageFlagsAdd", { MsgID, Flags: ["\\Seen", "Handled", "$Forwarded"] }), {});
    assert.deepEqual((await metaOf(MsgID)).Flags, ["$forwarded", "\\seen", "handled"]);
    assert.deepEqual(await ok("MessageFlagsRemove", { MsgID, Flags: ["\\SEEN", "never"] }), {});
    assert.deepEqual((await metaOf(MsgID)).Flags, ["$forwarded", "handled"]);
  });

  it("that change nothing leave no event", async () => {
    const MsgID = await arrived();
    await ok("MessageFlagsAdd", { MsgID, Flags: ["\\seen"] });
    const head = log.head();
    await ok("MessageFlagsAdd", { MsgID, Flags: ["\\seen"] });
    await ok("MessageFlagsAdd", { MsgID, Flags: null });
    await ok("MessageFlagsRemove", { MsgID, Flags: ["\\flagged"] });
    assert.equal(log.head(), head);
  });

  it("that are none are refused, all with them", async () => {
    const MsgID = await arrived();
    for (const flag of ["", "\\recent", "two words", "(", "ä"]) {
      assert.equal(await codeOf("MessageFlagsAdd", { MsgID, Flags: ["\\seen", flag] }), "user");
      assert.equal(await codeOf("MessageFlagsRemove", { MsgID, Flags: [flag] }), "user");
    }
    assert.deepEqual((await metaOf(MsgID)).Flags, []);
  });

  it("are not without limit", async () => {
    const MsgID = await arrived();
    const many = (from: number) => Array.from({ length: 60 }, (_, index) => `flag-${from + index}`);
    await ok("MessageFlagsAdd", { MsgID, Flags: many(0) });
    assert.equal(await codeOf("MessageFlagsAdd", { MsgID, Flags: many(60) }), "user");
    assert.equal(await codeOf("MessageFlagsAdd", { MsgID, Flags: [...many(0), ...many(0)] }), "user");
    assert.equal((await metaOf(MsgID)).Flags.length, 60);
  });
});

describe("MessageMove", () => {
  it("moves to the mailboxes that there are", async () => {
    const MsgID = await arrived();
    for (const DestMailboxName of ["Archive", "Trash", "Junk", "Drafts", "Sent", "Sent", "Inbox"]) {
      assert.deepEqual(await ok("MessageMove", { MsgID, DestMailboxName }), {});
      assert.equal((await metaOf(MsgID)).MailboxName, DestMailboxName);
    }
    await ok("MessageMove", { MsgID, DestMailboxName: "Trash" });
    await ok("MessageMove", { MsgID, DestMailboxName: "INBOX" });
    assert.equal((await metaOf(MsgID)).MailboxName, "Inbox");
    assert.deepEqual((await metaOf(MsgID)).Flags, []);
  });

  it("knows no others", async () => {
    const MsgID = await arrived();
    for (const DestMailboxName of ["", "trash", "drafts", "Inbox/Sub", "x".repeat(10_000)]) {
      assert.equal(await codeOf("MessageMove", { MsgID, DestMailboxName }), "user");
    }
  });
});

describe("the pages of these methods", () => {
  it("show an example and are listed", async () => {
    const index = await (await fetch(`${server.origin}/webapi/v0/`)).text();
    for (const name of ["Get", "RawGet", "PartGet", "Delete", "FlagsAdd", "FlagsRemove", "Move"].map((end) => `Message${end}`)) {
      assert.ok(index.includes(`>${name}</a>`));
      const page = await fetch(`${server.origin}/webapi/v0/${name}`);
      assert.equal(page.status, 200);
      const text = await page.text();
      assert.match(text, /MsgID/);
      assert.match(text, /messageNotFound/);
    }
  });
});
