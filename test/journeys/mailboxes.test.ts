/** Mail in mailboxes, from the SMTP port of local mode to the webapi, over restarts, until nothing is left of it. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import * as localMode from "../../src/adapters/config/local.ts";
import { viewsPath } from "../../src/adapters/views/rebuild.ts";
import { removeViews } from "../../src/adapters/views/views-file.ts";
import { DAY_MS } from "../../src/domain/clock.ts";
import { startPosthorn, type Posthorn } from "../../src/server/start.ts";
import { eventWatch, type EventWatch } from "../support/event-watch.ts";
import { webapiCall } from "../support/http-client.ts";
import { smtpDialogue } from "../support/smtp-dialogue.ts";
import { virtualClock, type VirtualClock } from "../support/virtual-clock.ts";

const { address, password } = localMode.LOCAL_LOGIN;
const LOGIN = { user: address, password };
const LIMIT_MS = 20_000;
const LOOK_AGAIN_MS = 5;
const GRACE_MS = 1_000;

const MAIL = [
  "From: Bob <bob@there.example>",
  "To: shop@localhost",
  "Subject: An answer",
  "Message-ID: <answer@there.example>",
  "MIME-Version: 1.0",
  'Content-Type: multipart/mixed; boundary="x"',
  "",
  "--x",
  "Content-Type: text/plain; charset=utf-8",
  "",
  "It works.",
  "--x",
  "Content-Type: application/octet-stream; name=data",
  "Content-Transfer-Encoding: base64",
  "",
  "AAEC/w==",
  "--x--",
  "",
].join("\r\n");

type Message = {
  readonly Message: { readonly Subject: string; readonly Text: string; readonly BCC: readonly { readonly Address: string }[] };
  readonly Structure: { readonly Parts: readonly { readonly DecodedSize: number }[] };
  readonly Meta: { readonly Flags: readonly string[]; readonly MailboxName: string; readonly RcptTo: string; readonly Size: number };
};

describe("mail in mailboxes", () => {
  let directory = "";
  let clock: VirtualClock;
  let watch: EventWatch;
  let running: Posthorn | undefined;
  let troubles: unknown[] = [];

  const posthorn = (): Posthorn => {
    if (running === undefined) throw new Error("the server does not run");
    return running;
  };

  const start = async (): Promise<void> => {
    const result = localMode.localConfig({ env: {}, dataDir: directory, smtpPort: 0, httpPort: 0, submissionPort: 0 });
    assert.ok(result.ok);
    const local = {
      account: localMode.LOCAL_LOGIN.account,
      login: { address, password },
      adminPassword: localMode.LOCAL_ADMIN_PASSWORD,
      smtpListener: localMode.LOCAL_SMTP_LISTENER,
      transport: localMode.LOCAL_TRANSPORT,
    };
    const nothing = (): void => undefined;
    const trouble = (what: unknown): void => void troubles.push(what);
    const log = { debug: nothing, info: nothing, warn: nothing, error: trouble };
    running = await startPosthorn({ config: result.config, clock, log, version: "0.0.0", local, onFatal: trouble });
    watch.follow(running.store);
  };

  const stop = async (): Promise<void> => {
    if (running === undefined) return;
    const stopped = running.stop(GRACE_MS).then(() => true);
    running = undefined;
    while (!(await Promise.race([stopped, pause(LOOK_AGAIN_MS, false)]))) if (clock.pending() > 0) clock.advance(GRACE_MS);
    await watch.ended();
  };

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "posthorn-mailboxes-"));
    clock = virtualClock();
    watch = eventWatch();
    troubles = [];
    await start();
  });
  afterEach(async () => {
    await stop();
    rmSync(directory, { recursive: true, force: true });
    assert.deepEqual(troubles, []);
  });

  const portOf = (name: string): number => posthorn().listeners.get(name)?.port ?? 0;

  const call = (method: string, request: unknown) =>
    webapiCall(`http://127.0.0.1:${portOf(localMode.LOCAL_HTTP_LISTENER)}`, LOGIN, method, request);

  const ok = async (method: string, request: unknown): Promise<unknown> => {
    const { status, body } = await call(method, request);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  };

  const get = async (MsgID: number) => (await ok("MessageGet", { MsgID })) as Message;

  /** Hands the mail in over SMTP, and answers the id that it got. */
  const arrive = async (): Promise<number> => {
    const known = watch.events.length;
    const client = await smtpDialogue(portOf(localMode.LOCAL_SMTP_LISTENER));
    assert.match((await client.upToData("bob@there.example", "shop@localhost")) ?? "", /^354/u);
    client.send(`${MAIL}.\r\n`);
    assert.match((await client.reply()) ?? "", /^250/u);
    client.hangUp();
    const { event } = await watch.first("MessageReceived", (_, { position }) => position > (watch.events[known - 1]?.position ?? 0));
    return event.id;
  };

  /** Waits for what follows by itself in the end. */
  const until = async (isSo: () => Promise<boolean>, what: string): Promise<void> => {
    const limit = performance.now() + LIMIT_MS;
    while (!(await isSo())) {
      assert.ok(performance.now() < limit, `never: ${what}`);
      await pause(LOOK_AGAIN_MS);
    }
  };

  const contents = () => posthorn().store.storedContentIds(0, 100);
  const nothingIsLeft = async (): Promise<boolean> => {
    const events = await posthorn().store.readAll(0, 10_000);
    return (await contents()).length === 0 && !events.some(({ stream }) => stream.startsWith("received-"));
  };

  it("is fetched part by part, flagged, moved and deleted, and then nothing of it is left", async () => {
    const MsgID = await arrive();
    const { Message, Structure, Meta } = await get(MsgID);
    assert.deepEqual([Message.Subject, Message.Text.trim()], ["An answer", "It works."]);
    assert.deepEqual([Meta.RcptTo, Meta.MailboxName, Meta.Flags], ["shop@localhost", "Inbox", []]);
    assert.equal(Structure.Parts[1]?.DecodedSize, 4);

    const raw = String(await ok("MessageRawGet", { MsgID }));
    assert.equal(Buffer.byteLength(raw), Meta.Size);
    assert.ok(raw.endsWith(MAIL));
    assert.equal(await ok("MessagePartGet", { MsgID, PartPath: [0] }), "It works.");
    assert.deepEqual((await call("MessagePartGet", { MsgID, PartPath: [2] })).status, 400);

    await ok("MessageFlagsAdd", { MsgID, Flags: ["\\Seen", "handled"] });
    await ok("MessageFlagsRemove", { MsgID, Flags: ["handled"] });
    await ok("MessageMove", { MsgID, DestMailboxName: "Archive" });
    const { Meta: changed } = await get(MsgID);
    assert.deepEqual([changed.Flags, changed.MailboxName], [["\\seen"], "Archive"]);
    const list = (mailbox: "Inbox" | "Archive") => posthorn().views.queries.received({ account: "local", mailbox }, { limit: 10 }).rows;
    assert.deepEqual([list("Inbox").length, list("Archive").map(({ id }) => id)], [0, [MsgID]]);

    await ok("MessageDelete", { MsgID });
    assert.deepEqual(list("Archive"), []);
    for (const method of ["MessageGet", "MessageRawGet", "MessageDelete"]) {
      assert.deepEqual(((await call(method, { MsgID })).body as { Code: string }).Code, "messageNotFound");
    }
    await until(nothingIsLeft, "the content and the stream of the deleted message are gone");
  });

  it("is the same after a restart, and after the views were built anew", async () => {
    const kept = await arrive();
    const gone = await arrive();
    await ok("MessageFlagsAdd", { MsgID: kept, Flags: ["\\flagged"] });
    await ok("MessageMove", { MsgID: kept, DestMailboxName: "Junk" });
    await ok("MessageDelete", { MsgID: gone });
    const before = await get(kept);
    await until(async () => (await contents()).length === 1, "the content of the deleted message is gone");
    const digest = await posthorn().views.digest();
    for (const anew of [false, true]) {
      await stop();
      if (anew) removeViews(viewsPath(directory));
      await start();
      assert.equal(await posthorn().views.digest(), digest);
      assert.deepEqual(await get(kept), before);
      assert.equal((await call("MessageGet", { MsgID: gone })).status, 400);
      assert.equal(posthorn().views.readModel.storedOctets("local"), before.Meta.Size);
    }
  });

  it("has a copy of what was sent, that names the blind copies", async () => {
    await ok("Send", {
      To: [{ Address: "bob@localhost" }],
      BCC: [{ Address: "ann@localhost" }],
      Subject: "News",
      Text: "Hi.",
      SaveSent: true,
    });
    const { event } = await watch.first("MessageReceived", ({ origin }) => origin === "sent");
    const { Message, Meta } = await get(event.id);
    assert.deepEqual([Message.Subject, Message.BCC.map(({ Address }) => Address)], ["News", ["ann@localhost"]]);
    assert.deepEqual([Meta.MailboxName, Meta.Flags, Meta.RcptTo], ["Sent", ["\\seen"], ""]);
    const { event: arrived } = await watch.first("MessageReceived", ({ recipient }) => recipient === "bob@localhost");
    assert.deepEqual((await get(arrived.id)).Message.BCC, []);
  });

  it("is deleted by itself when it was kept long enough", async () => {
    const MsgID = await arrive();
    clock.advance(7 * DAY_MS - 1);
    await get(MsgID);
    clock.advance(1);
    const { event } = await watch.first("MessageDeleted");
    assert.deepEqual(event.by, { kind: "system", name: "retention" });
    await until(nothingIsLeft, "what was kept long enough is gone");
    assert.equal((await call("MessageGet", { MsgID })).status, 400);
  });
});
