import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DAY_MS } from "../../src/domain/clock.ts";
import { houses, LOGIN, WEBHOOK_TOKEN } from "../support/posthorn.ts";
import type { Script } from "../support/scripted-remote.ts";

const house = houses();

describe("a message that the remote takes", () => {
  it("is delivered, told about by webhook, and shown by every view", async () => {
    const { sendTo, quiet, list, admin, remote, receiver, clock } = await house();
    const id = await sendTo("bob@there.example", { Extra: { order: "17" } });
    const call = await receiver.next("delivered");
    await quiet();

    assert.equal(remote.mails.length, 1);
    assert.deepEqual(remote.mails[0]!.to, ["bob@there.example"]);
    assert.equal(remote.mails[0]!.from, "orders@shop.example");
    assert.match(remote.mails[0]!.content.toString(), /^Subject: Your order\r$/m);

    assert.equal(call.headers.authorization, WEBHOOK_TOKEN);
    assert.equal(call.headers["x-mox-webhook-attempt"], "1");
    assert.equal(call.headers["content-type"], "application/json; charset=utf-8");
    const { MessageID, WebhookQueued, ...body } = call.body;
    assert.match(remote.mails[0]!.content.toString(), new RegExp(`^Message-I[Dd]: ${MessageID}\\r$`, "mu"));
    assert.equal(Date.parse(WebhookQueued), clock.now());
    assert.deepEqual(body, {
      ...{ Version: 0, Event: "delivered", DSN: false, Suppressing: false, QueueMsgID: id, FromID: "", Subject: "Your order" },
      ...{ SMTPCode: 0, SMTPEnhancedCode: "", Error: "", Extra: { order: "17" } },
    });

    assert.deepEqual(await list("/queue"), []);
    const [retired, ...others] = await list("/retired");
    assert.deepEqual(others, []);
    assert.deepEqual([retired!["id"], retired!["state"], retired!["attempts"], retired!["lastCode"]], [id, "delivered", 1, 250]);
    const { attempts } = await admin<{ attempts: readonly Record<string, unknown>[] }>("GET", `/messages/${id}`);
    assert.deepEqual(
      attempts.map(({ attempt, outcome, code, transport }) => ({ attempt, outcome, code, transport })),
      [{ attempt: 1, outcome: "delivered", code: 250, transport: "smarthost" }],
    );
    assert.deepEqual(await list("/webhooks"), []);
    const [done] = await list("/webhooks/retired");
    assert.deepEqual([done!["event"], done!["state"], done!["messageRef"], done!["lastStatus"]], ["delivered", "delivered", id, 200]);
    assert.equal(String(done!["id"]), call.headers["x-mox-webhook-id"]);
  });
});

describe("a message for several recipients", () => {
  it("goes to those of one domain in one SMTP transaction", async () => {
    const { send, quiet, remote } = await house();
    const { Submissions } = await send({
      To: [{ Address: "ann@there.example" }, { Address: "bob@there.example" }],
      CC: [{ Name: "Cid", Address: "cid@elsewhere.example" }],
      BCC: [{ Address: "dan@there.example" }],
    });
    await quiet();
    assert.deepEqual(
      Submissions.map(({ Address }) => Address),
      ["ann@there.example", "bob@there.example", "cid@elsewhere.example", "dan@there.example"],
    );
    assert.deepEqual(
      remote.mails.map(({ to }) => [...to].sort()).sort((a, b) => b.length - a.length),
      [["ann@there.example", "bob@there.example", "dan@there.example"], ["cid@elsewhere.example"]],
    );
  });

  it("names no blind copy in what is sent", async () => {
    const { send, quiet, remote } = await house();
    await send({ To: [{ Address: "ann@there.example" }], BCC: [{ Name: "Secret Friend", Address: "dan@hidden.example" }] });
    await quiet();
    assert.equal(remote.mails.length, 2);
    assert.deepEqual(remote.mails.flatMap(({ to }) => to).sort(), ["ann@there.example", "dan@hidden.example"]);
    for (const { content } of remote.mails) assert.doesNotMatch(content.toString(), /bcc|secret friend|dan@/iu);
  });

  it("is settled recipient by recipient when the remote refuses some of them", async () => {
    const refused = new Map([
      ["bob@there.example", "550 5.1.1 No such user"],
      ["cid@there.example", "451 4.2.1 Mailbox busy"],
    ]);
    const script: Script = ({ phase, line }) => (phase === "RCPT" ? refused.get(/<(.*)>/u.exec(line)![1]!) : undefined);
    const { send, quiet, passTo, remote, list, receiver, awaitEvent } = await house({ remote: { script } });
    await send({ To: ["ann", "bob", "cid", "dan"].map((name) => ({ Address: `${name}@there.example` })) });
    await quiet();
    assert.deepEqual(
      remote.mails.map(({ to }) => to),
      [["ann@there.example", "dan@there.example"]],
    );
    assert.deepEqual(receiver.calls.map(({ body }) => body.Event).sort(), ["delayed", "delivered", "delivered", "failed"]);
    assert.deepEqual(
      (await list("/queue")).map(({ recipient }) => recipient),
      ["cid@there.example"],
    );

    refused.clear();
    const { event } = await awaitEvent("DeliveryDeferred");
    await passTo(event.nextAttemptAt);
    assert.deepEqual(remote.mails.map(({ to }) => to).slice(1), [["cid@there.example"]]);
    assert.deepEqual(await list("/queue"), []);
  });

  it("goes to a hundred of them at once, and to more in turns", async () => {
    const { send, quiet, remote, list } = await house();
    const To = Array.from({ length: 130 }, (_, index) => ({ Address: `reader-${index}@there.example` }));
    await send({ To });
    await quiet();
    assert.deepEqual(
      remote.mails.map(({ to }) => to.length).sort((a, b) => b - a),
      [100, 30],
    );
    assert.equal(new Set(remote.mails.flatMap(({ to }) => to)).size, 130);
    assert.deepEqual(await list("/queue"), []);
  });
});

describe("a message sent with a fromid login", () => {
  it("has a MAIL FROM of its own for each recipient, which the answer and the webhook name", async () => {
    const { send, quiet, remote, receiver } = await house({ account: { fromIdLoginAddresses: [LOGIN.user] } });
    const { Submissions } = await send({ To: [{ Address: "ann@there.example" }, { Address: "bob@there.example" }] });
    await quiet();
    assert.equal(new Set(Submissions.map(({ FromID }) => FromID)).size, 2);
    for (const { Address, FromID, QueueMsgID } of Submissions) {
      assert.match(FromID, /^[A-Za-z0-9_-]{22}$/u);
      const mail = remote.mails.find(({ to }) => to.includes(Address));
      assert.equal(mail?.from, `orders+${FromID}@shop.example`);
      assert.equal(receiver.calls.find(({ body }) => body.QueueMsgID === QueueMsgID)?.body.FromID, FromID);
    }
  });
});

describe("a message for a future release", () => {
  it("is not attempted before its time", async () => {
    const { sendTo, quiet, pass, remote, list, clock } = await house();
    const releaseAt = clock.now() + 3 * DAY_MS;
    await sendTo("bob@there.example", { FutureRelease: new Date(releaseAt).toISOString() });
    await pass(3 * DAY_MS - 1);
    assert.equal(remote.connections(), 0);
    assert.equal((await list("/queue"))[0]!["nextAttemptAt"], releaseAt);
    await pass(1);
    assert.equal(remote.mails.length, 1);
    await quiet();
    assert.deepEqual(await list("/queue"), []);
  });

  it("is refused when that is more than 60 days ahead", async () => {
    const { webapi, clock, list } = await house();
    const request = {
      To: [{ Address: "bob@there.example" }],
      Text: "Hi",
      FutureRelease: new Date(clock.now() + 60 * DAY_MS + 1_000).toISOString(),
    };
    const { status, body } = await webapi("Send", request);
    assert.equal(status, 400);
    assert.equal((body as { Code: string }).Code, "user");
    assert.deepEqual(await list("/queue"), []);
  });
});
