/** A received message on its page: readable, whatever it is, and harmless. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { adminWorld, type AdminWorld } from "../admin/admin-world.ts";
import { DAY_MS } from "../../../../src/domain/clock.ts";
import type { Report } from "../../../../src/domain/received/report.ts";
import { mailed, NOON } from "../../../support/samples.ts";
import { received } from "./received-sample.ts";

describe("a received message on its page", () => {
  let world: AdminWorld;
  let next = 200;

  before(async () => {
    world = await adminWorld();
  });
  after(() => world.stop());

  const openMail = async (content: string | Buffer, path = "") => {
    const id = (next += 1);
    await world.tell(`received-${id}`, [received(id)], [{ id: 1_000 + id, pieces: [Buffer.from(content)] }]);
    const response = await fetch(`${world.base}/received/${id}${path}`);
    return { status: response.status, headers: response.headers, text: await response.text() };
  };

  const HTML_MAIL = 'Content-Type: text/html; charset=utf-8\r\n\r\n<meta charset="utf-7"><script>alert(1)</script><p>Grüße';

  it("has its HTML in a sandbox, which has a policy of its own", async () => {
    const shown = await openMail(HTML_MAIL);
    assert.match(shown.text, /<iframe sandbox="" src="\/received\/\d+\/html"/u);
    const { headers, text } = await openMail(HTML_MAIL, "/html");
    assert.ok(text.includes("<script>alert(1)</script><p>Grüße"));
    assert.equal(headers.get("content-type"), "text/html; charset=utf-8");
    const policy = headers.get("content-security-policy") ?? "";
    assert.match(policy, /^sandbox; default-src 'none';/u);
    assert.ok(!/allow-|script-src|https?:/u.test(policy));
  });

  it("is text where the raw message is asked for, whatever it says that it is", async () => {
    const { headers, text } = await openMail(HTML_MAIL, "/raw");
    assert.deepEqual(
      [headers.get("content-type"), headers.get("x-content-type-options"), text],
      ["text/plain; charset=utf-8", "nosniff", HTML_MAIL],
    );
  });

  it("is read in its own character set and names its files", async () => {
    const mail =
      "Subject: =?iso-8859-1?Q?Gr=FC=DFe?=\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nsch=F6n\r\n--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\nxyz\r\n--b--\r\n";
    const { text } = await openMail(mail);
    for (const expected of ["<h1>Grüße</h1>", "schön", "a.pdf", "application/pdf"]) assert.ok(text.includes(expected), expected);
  });

  it("says where it is, how it came, and whether to believe it", async () => {
    const id = (next += 1);
    const facts = { mailFromValidated: true, dkimVerifiedDomains: ["b.example", "<evil>"], automated: true, keepUntil: NOON + DAY_MS };
    const events = [
      { ...received(id), ...facts },
      mailed("MessageFlagsAdded", { flags: ["\\seen", "later"] }),
      mailed("MessageMoved", { mailbox: "Archive" }),
    ];
    await world.tell(`received-${id}`, events, [{ id: 1_000 + id, pieces: [Buffer.from(HTML_MAIL)] }]);
    const page = (await (await fetch(`${world.base}/received/${id}`)).text()).replace(/\s+/gu, " ");
    const expected = [
      '<a href="/mailboxes/Archive">Archive</a>',
      "\\seen later",
      "over SMTP from 127.0.0.1",
      "envelope sender verified (SPF), From not verified (DMARC)",
      "signed by b.example, &lt;evil&gt;",
      "sent by a program",
      "MessageMoved",
      "Kept until",
    ];
    for (const each of expected) assert.ok(page.includes(each), each);
    assert.ok(!page.includes("webhook call</a>"));
  });

  it("says what it reports", async () => {
    const reported = async (report: Report): Promise<string> => {
      const id = (next += 1);
      await world.tell(`received-${id}`, [{ ...received(id), report }], [{ id: 1_000 + id, pieces: [Buffer.from(HTML_MAIL)] }]);
      return (await (await fetch(`${world.base}/received/${id}`)).text()).replace(/<[^>]*>/gu, " ").replace(/\s+/gu, " ");
    };
    const returned = { messageId: "" };
    const recipient = { finalRecipient: "bob@there.example", originalRecipient: "", action: "failed", code: 550 } as const;
    const rest = { enhancedCode: "5.1.1", diagnostic: "<no> such user", remoteHost: "" };
    const dsn = { kind: "dsn", originalEnvelopeId: "", reportingHost: "mx.there.example", returned } as const;
    assert.match(
      await reported({ ...dsn, recipients: [{ ...recipient, ...rest }] }),
      /a DSN of mx\.there\.example bob@there\.example: failed 550 5\.1\.1 &lt;no&gt; such user/u,
    );
    const complaint = { kind: "complaint", feedbackType: "abuse", originalEnvelopeId: "", originalMailFrom: "", returned } as const;
    assert.match(
      await reported({ ...complaint, originalRecipients: ["bob@there.example"] }),
      /a complaint \(abuse\) of bob@there\.example/u,
    );
  });

  it("is listed with its mailbox, and in it", async () => {
    const id = (next += 1);
    await world.tell(`received-${id}`, [received(id, "In the junk"), mailed("MessageMoved", { mailbox: "Junk" })], []);
    for (const path of ["/received", "/mailboxes/Junk"]) {
      const page = await (await fetch(`${world.base}${path}`)).text();
      assert.ok(page.includes("In the junk"), path);
      assert.ok(page.includes('href="/mailboxes/Inbox"'));
    }
    assert.ok(!(await (await fetch(`${world.base}/mailboxes/Inbox`)).text()).includes("In the junk"));
    assert.equal((await fetch(`${world.base}/mailboxes/Elsewhere`)).status, 404);
  });

  it("is gone once it is deleted", async () => {
    const id = (next += 1);
    await world.tell(`received-${id}`, [received(id, "Gone"), mailed("MessageDeleted")], [{ id: 1_000 + id, pieces: [Buffer.from("x")] }]);
    for (const path of ["", "/raw", "/html"]) assert.equal((await fetch(`${world.base}/received/${id}${path}`)).status, 404);
    assert.ok(!(await (await fetch(`${world.base}/received`)).text()).includes("Gone"));
  });

  it("is shown whatever it is", async () => {
    const nested = Array.from(
      { length: 5_000 },
      (_, level) => `Content-Type: multipart/mixed; boundary=b${level}\r\n\r\n--b${level}\r\n`,
    ).join("");
    const hostile: readonly (string | Buffer)[] = [
      "",
      "\r\n\r\n",
      "no header at all",
      Buffer.from(Array.from({ length: 256 }, (_, octet) => octet)),
      `Subject: ${"x".repeat(200_000)}\r\n\r\n`,
      `${"X-A: b\r\n".repeat(20_000)}\r\nbody`,
      `Content-Type: text/html\r\n\r\n${"<".repeat(270_000)}`,
      `Content-Type: text/plain; charset=no-such\r\n\r\n\u{FF}`,
      `Date: never\r\nFrom: ,,<>;:\r\nTo: ${"a@b.example,".repeat(5_000)}\r\n\r\n`,
      nested,
      `Content-Type: multipart/mixed; boundary=b\r\n\r\n${"--b\r\nContent-Type: application/x\r\n\r\nx\r\n".repeat(2_000)}--b--`,
      `Content-Type: text/plain\r\n\r\n${"long ".repeat(300_000)}`,
    ];
    for (const [index, mail] of hostile.entries()) {
      const startedAt = performance.now();
      const { status, text } = await openMail(mail);
      assert.equal(status, 200, `number ${index}`);
      assert.ok(text.trimEnd().endsWith("</html>"));
      assert.ok(text.length < 4_000_000, `number ${index}: ${text.length} characters`);
      assert.ok(performance.now() - startedAt < 10_000, `number ${index} took ${Math.round(performance.now() - startedAt)} ms`);
    }
    assert.deepEqual(world.errors, []);
  });
});
