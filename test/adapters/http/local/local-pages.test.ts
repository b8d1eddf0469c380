/** Local mode's pages over a real socket: what they show, what they refuse, and that nothing shown ever runs. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { MINUTE_MS } from "../../../../src/domain/clock.ts";
import { aCall, anIncomingCall, happened, httpResult, NOON, smtpResult, webhookSamples } from "../../../support/samples.ts";
import { adminWorld, type AdminWorld } from "../admin/admin-world.ts";
import { received } from "./received-sample.ts";

const EVIL = `<script>alert(1)</script>"'><img src=x onerror=alert(2)>&amp;`;

const PAGES = ["/", "/received", "/queue", "/retired", "/webhooks", "/webhooks/retired", "/suppressions"];

describe("the pages of local mode", () => {
  let world: AdminWorld;

  before(async () => {
    world = await adminWorld();
    await world.queue([1, 2]);
    await world.tell("message-1", [
      happened("DeliveryAttempted"),
      happened("DeliveryDeferred", {
        result: smtpResult(451, "4.3.0", { error: "451 4.3.0 try again" }),
        nextAttemptAt: NOON + 7.5 * MINUTE_MS,
        callId: 90,
      }),
    ]);
    await world.tell("message-2", [happened("MessageHeld")]);
    await world.tell(
      "message-3",
      [{ ...happened("MessageQueued"), id: 3, contentId: 77 }, happened("DeliveryAttempted")],
      [{ id: 77, pieces: [Buffer.from("Subject: <b>\r\n")] }],
    );
    await world.queue([4]);
    await world.tell("message-4", [happened("DeliveryAttempted"), happened("DeliverySucceeded"), happened("MessageRetired")]);
    await world.tell("message-4", [
      happened("DsnReceived", { receivedId: 101, code: 552, enhancedCode: "5.2.2", error: EVIL, remoteHost: EVIL }),
      happened("ComplaintReceived", { receivedId: 102, feedbackType: "fraud" }),
    ]);
    await world.queue([5]);
    await world.tell("message-5", [happened("DeliveryAttempted"), happened("DeliveryUncertain")]);
    await world.tell("webhook-90", [{ ...webhookSamples.WebhookQueued, ...aCall({ id: 90, messageRef: 1 }) }]);
    await world.tell("webhook-91", [
      { ...webhookSamples.WebhookQueued, ...aCall({ id: 91, messageRef: 4 }) },
      webhookSamples.WebhookAttempted,
      { ...webhookSamples.WebhookDelivered, result: httpResult(200, { response: "thanks" }) },
      webhookSamples.WebhookRetired,
    ]);
    await world.tell("webhook-92", [{ type: "WebhookQueued", at: NOON, ...anIncomingCall({ id: 92, messageRef: 100 }) }]);
    for (let id = 100; id < 175; id += 1)
      await world.tell(`received-${id}`, [received(id)], [{ id: 1_000 + id, pieces: [Buffer.from(`Subject: number ${id}\r\n\r\nhi`)] }]);
  });
  after(() => world.stop());

  const open = async (path: string) => {
    const response = await fetch(`${world.base}${path}`);
    return { status: response.status, headers: response.headers, text: await response.text() };
  };

  it("are there, complete, and forbid scripts and everything from elsewhere", async () => {
    for (const path of [...PAGES, "/messages/1", "/webhooks/90", "/received/100"]) {
      const { status, headers, text } = await open(path);
      assert.equal(status, 200, path);
      assert.equal(headers.get("content-type"), "text/html; charset=utf-8");
      const policy = headers.get("content-security-policy") ?? "";
      assert.match(policy, /default-src 'none'/u);
      assert.match(policy, /frame-ancestors 'none'/u);
      assert.ok(!/unsafe|script-src|https?:/u.test(policy), policy);
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.ok(text.startsWith("<!doctype html>") && text.trimEnd().endsWith("</html>"), path);
      assert.ok(!/<script|\son\w+=|style="|(?:src|href)="(?:https?:)?\/\//u.test(text), path);
    }
  });

  it("link to pages that exist", async () => {
    const seen = new Set<string>();
    for (const path of [...PAGES, "/messages/1", "/webhooks/91", "/webhooks/92", "/received/100"]) {
      for (const [, target = ""] of (await open(path)).text.matchAll(/(?:href|src)="([^"]+)"/gu)) seen.add(target.replaceAll("&amp;", "&"));
    }
    // Those are other parts of the server.
    for (const others of ["/webapi/v0/", "/metrics", "/healthz", "data:,"]) assert.ok(seen.delete(others), others);
    for (const target of seen) {
      const { status } = await open(target);
      const isGone = target.endsWith("/raw") && status === 404;
      assert.ok(status === 200 || isGone || target === "/webhooks/1001", `${target}: ${status}`);
    }
    assert.ok(seen.size > 60);
  });

  it("tell where everything is, with commands for where the browser is", async () => {
    const { text } = await open("/");
    assert.ok(text.includes(`http://127.0.0.1:${world.port}/webapi/v0/Send`));
    for (const expected of ["127.0.0.1:1025", "local@localhost", "temperror@localhost", "--webhook-url", "/healthz"])
      assert.ok(text.includes(expected), expected);
  });

  it("show a call about mail that arrived, with the way to it", async () => {
    for (const path of ["/webhooks", "/webhooks/92"]) {
      const { text } = await open(path);
      assert.ok(text.includes('href="/received/100"') && text.includes("incoming") && !text.includes('href="/messages/100"'), path);
    }
  });

  it("show a message with its attempts and when the next one is", async () => {
    const { text } = await open("/messages/1");
    assert.match(text, /Next attempt <time datetime="2026-06-01T12:07:30\.000Z"[^>]*>\d\d:\d\d:\d\d \(in 7 min 30 s\)/u);
    assert.ok(text.includes("1 of 8 made; 7 left"));
    assert.ok(text.includes("451 4.3.0 try again"));
    assert.ok(text.includes('href="/webhooks/90"'));
    assert.ok(text.includes("DeliveryDeferred"));
    assert.ok((await open("/messages/2")).text.includes("On hold."));
    assert.ok((await open("/messages/3")).text.includes("Attempt 1 is under way."));
    assert.ok((await open("/messages/5")).text.includes("Nobody knows whether it arrived"));
    assert.ok(!(await open("/messages/4")).text.includes("Next attempt"));
  });

  it("show what came back about a message, with a way to it", async () => {
    const { text } = await open("/messages/4");
    assert.match(text, /What came back/u);
    assert.ok(text.includes("552 5.2.2 &lt;script&gt;") && text.includes('href="/received/101"'));
    assert.ok(text.includes("the recipient complained (fraud)"));
    assert.match((await open("/retired")).text, /complained/u);
    assert.ok(!(await open("/messages/1")).text.includes("What came back"));
  });

  it("show the content of a queued message as text, and say when it is gone", async () => {
    const { headers, text } = await open("/messages/3/raw");
    assert.deepEqual([headers.get("content-type"), text], ["text/plain; charset=utf-8", "Subject: <b>\r\n"]);
    assert.equal((await open("/messages/1/raw")).status, 404);
  });

  it("come one after the other, where a list is long", async () => {
    const seen: string[] = [];
    let path: string | undefined = "/received";
    while (path !== undefined) {
      const { text } = await open(path);
      seen.push(...[...text.matchAll(/href="\/received\/(\d+)"/gu)].map(([, id]) => id ?? ""));
      path = /href="([^"]+)" rel="next"/u.exec(text)?.[1];
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 75 }, (_, index) => `${174 - index}`),
    );
  });

  it("refuse cursors that no list made", async () => {
    for (const cursor of ["x", "%00", "WzEsMl0x", "%3Cscript%3E"]) {
      const { status, text } = await open(`/queue?cursor=${cursor}`);
      assert.equal(status, 400);
      assert.ok(!text.includes("<script"));
    }
    assert.equal((await open("/queue?cursor=a&cursor=b")).status, 200);
  });

  it("are not found for what is not there", async () => {
    const paths = [
      "/messages/99",
      "/messages/x",
      "/messages/1e0",
      "/messages/%00",
      "/webhooks/99",
      "/received/99",
      "/received/99/raw",
      "/received/99/html",
      "/received/0100x",
      "/messages/-1",
    ];
    for (const path of paths) assert.equal((await open(path)).status, 404, path);
    for (const path of ["/Queue", "/queue/", "/etc/passwd", "/..%2f..%2fetc%2fpasswd", "/posthorn.css/x"])
      assert.equal((await open(path)).status, 404, path);
    assert.equal((await fetch(`${world.base}/queue`, { method: "POST" })).status, 404);
  });

  it("have their sheet, to be kept by the browser", async () => {
    const [, href = ""] = /rel="stylesheet" href="([^"]+)"/u.exec((await open("/")).text) ?? [];
    const { status, headers } = await open(href);
    assert.deepEqual([status, headers.get("content-type")], [200, "text/css; charset=utf-8"]);
    assert.match(headers.get("cache-control") ?? "", /immutable/u);
  });

  it("answer to names of this machine only", async () => {
    for (const host of ["localhost", "localhost:1080", "LOCALHOST", "app.localhost:1", "127.0.0.1:80", "[::1]:1080", "192.0.2.7"]) {
      assert.equal((await world.raw("/queue", { host })).status, 200, host);
    }
    for (const host of [
      "evil.example",
      "localhost.evil.example",
      "evil.example:1080",
      "127.0.0.1.evil.example",
      "localhost@evil.example",
      "a b",
      "localhost/evil",
    ]) {
      const { status, text } = await world.raw("/queue", { host });
      assert.ok(status === 403 || status === 400, `${host}: ${status}`);
      assert.ok(!text.includes("Your order"));
    }
  });
});

describe("hostile text on the pages of local mode", () => {
  it("is shown and never becomes markup", async () => {
    const world = await adminWorld();
    try {
      const message = {
        recipient: `"${EVIL.replaceAll('"', "")}"@b.example`,
        from: EVIL,
        mailFrom: EVIL,
        subject: EVIL,
        messageId: EVIL,
        extra: { [EVIL]: EVIL },
        transport: EVIL,
        fromId: EVIL,
        account: EVIL,
      };
      await world.queue([1, 2], message);
      const result = smtpResult(451, EVIL, { error: EVIL, remoteHost: EVIL, remoteAddress: EVIL, transport: EVIL });
      await world.tell("message-1", [happened("DeliveryAttempted"), happened("DeliveryDeferred", { result })]);
      await world.tell("message-2", [
        happened("MessageFailed", { reason: EVIL, by: { kind: "operator", name: EVIL } }),
        happened("MessageRetired"),
      ]);
      const call = aCall({ id: 90, messageRef: 1, url: `https://hook.example/${EVIL}`, account: EVIL });
      await world.tell("webhook-90", [
        { ...webhookSamples.WebhookQueued, ...call, payload: { ...call.payload, subject: EVIL, error: EVIL, extra: { [EVIL]: EVIL } } },
        webhookSamples.WebhookAttempted,
        { ...webhookSamples.WebhookDeferred, result: httpResult(500, { response: EVIL, error: EVIL }) },
      ]);
      await world.tell("recipient-shop/x@b.example", [
        {
          type: "SuppressionAdded",
          at: NOON,
          account: EVIL,
          baseAddress: EVIL,
          id: 1,
          originalAddress: `${EVIL}2`,
          manual: true,
          reason: EVIL,
          cause: null,
          by: { kind: "operator", name: EVIL },
        },
      ]);
      const mail = `From: ${EVIL}\r\nTo: ${EVIL} <${EVIL}>\r\nSubject: ${EVIL}\r\nX-Evil: ${EVIL}\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n${EVIL}\r\n--b\r\nContent-Type: ${EVIL}; name="${EVIL.replaceAll('"', "")}"\r\nContent-Disposition: attachment\r\n\r\nx\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>${EVIL}\r\n--b--\r\n`;
      await world.tell(
        "received-70",
        [{ ...received(70), from: EVIL, mailFrom: EVIL, subject: EVIL, recipient: EVIL, messageId: EVIL }],
        [{ id: 1_070, pieces: [Buffer.from(mail)] }],
      );
      for (const path of [
        "/queue",
        "/retired",
        "/webhooks",
        "/suppressions",
        "/received",
        "/messages/1",
        "/messages/2",
        "/webhooks/90",
        "/received/70",
      ]) {
        const text = await (await fetch(`${world.base}${path}`)).text();
        assert.ok(text.includes("&lt;script&gt;alert(1)&lt;/script&gt;"), `${path} shows it`);
        assert.ok(!text.includes("<script"), path);
        assert.ok(!text.includes("<img"), path);
      }
      assert.deepEqual(world.errors, []);
    } finally {
      await world.stop();
    }
  });
});
