import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { program, type Program } from "../support/program.ts";
import { webhookReceiver, type WebhookReceiver } from "../support/webhook-receiver.ts";

const run = promisify(execFile);
const LOOK_AGAIN_MS = 10;
const LIMIT_MS = 20_000;

/** Commands of the README that send something, as they stand there. */
const README = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const readmeCommands = [...README.matchAll(/^ {4}(curl (?:.*\\\n)*.*)$/gmu)].map(([, command = ""]) => command);
const [, readmeSubmission = ""] = /^ {4}(printf .*\|\n(?:.*\\\n)*.*)$/mu.exec(README) ?? [];

const ENTITIES: Readonly<Record<string, string>> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'" };
const shown = (markup: string): string =>
  markup.replace(/<[^>]*>/gu, "").replace(/&(?:amp|lt|gt|quot|#39);/gu, (entity) => ENTITIES[entity] ?? entity);

const hasCurl = await run("curl", ["--version"]).then(
  () => true,
  () => false,
);

describe("local mode, as the README has it", { skip: hasCurl ? false : "curl is not installed" }, () => {
  const directory = mkdtempSync(join(tmpdir(), "posthorn-local-"));
  let receiver: WebhookReceiver;
  let server: Program;
  let origin = "";
  let submission = "";

  before(async () => {
    receiver = await webhookReceiver();
    server = program(["--webhook-url", receiver.url, "--data", directory, "--smtp-port", "0", "--http-port", "0"]);
    [, submission = ""] = await server.said(/submission 127\.0\.0\.1:(\d+)/u);
    const [, port = ""] = await server.said(/^Open http:\/\/localhost:(\d+)\//u);
    origin = `http://localhost:${port}`;
  });
  after(async () => {
    await receiver.close();
    server.signal("SIGTERM");
    const exit = await server.exited;
    rmSync(directory, { recursive: true, force: true });
    assert.deepEqual(exit, { code: 0, signal: null });
  });

  /** Pastes a command into a shell, with the port that this server has. */
  const paste = async (
    command: string,
  ): Promise<{ readonly MessageID: string; readonly Submissions: readonly { QueueMsgID: number }[] }> => {
    const { stdout } = await run("sh", ["-c", command.replaceAll("http://localhost:1080", origin)]);
    return JSON.parse(stdout) as Awaited<ReturnType<typeof paste>>;
  };
  const read = async (path: string): Promise<string> => {
    const response = await fetch(`${origin}${path}`, { headers: { Accept: "text/html" } });
    assert.equal(response.status, 200, path);
    return response.text();
  };
  /** A page, as soon as it shows something: views may be some milliseconds behind. */
  const readUntil = async (path: string, wanted: RegExp): Promise<string> => {
    const limit = performance.now() + LIMIT_MS;
    for (let page = await read(path); ; page = await read(path)) {
      if (wanted.test(shown(page))) return page;
      if (performance.now() > limit) assert.fail(`${path} never shows ${wanted}: ${shown(page)}`);
      await pause(LOOK_AGAIN_MS);
    }
  };

  it("says on its first page what runs where", async () => {
    const page = shown(await read("/"));
    assert.match(page, /Posthorn is running/u);
    assert.ok(page.includes(receiver.url));
    assert.ok(page.includes(new URL(origin).port));
    assert.match(page, /SMTP/u);
  });

  it("takes a pasted message, tells of its delivery and shows what arrived", async () => {
    const { MessageID } = await paste(readmeCommands[0]!);
    const { body } = await receiver.next("delivered");
    assert.deepEqual([body.MessageID, body.Subject], [MessageID, "Hello"]);
    const page = await readUntil("/received", /Hello/u);
    const [, path = ""] = /href="(\/received\/\d+)"/u.exec(page) ?? [];
    assert.match(shown(await read(path)), /It works\./u);
  });

  it("takes a pasted message by SMTP as well", async () => {
    await run("sh", ["-c", readmeSubmission.replace("smtp://localhost:1587", `smtp://localhost:${submission}`)]);
    const { body } = await receiver.next("delivered");
    assert.equal(body.Subject, "Hello");
  });

  it("delivers to an address that must be quoted", async () => {
    const { MessageID } = await paste(readmeCommands[0]!.replace("you@localhost", String.raw`\"a b\"@localhost`));
    assert.equal((await receiver.next("delivered")).body.MessageID, MessageID);
    await readUntil("/received", /"a b"@localhost/u);
  });

  it("suppresses an address that bounces, and does not try it again", async () => {
    const bounce = readmeCommands[1]!;
    await paste(bounce);
    const { body } = await receiver.next("failed");
    assert.deepEqual([body.Suppressing, body.SMTPCode], [true, 550]);
    await readUntil("/suppressions", /a-permerror@localhost/u);
    await paste(bounce);
    assert.equal((await receiver.next("suppressed")).body.SMTPCode, 0);
  });

  it("keeps a message that fails for now, and shows its attempts and the time of the next", async () => {
    const { Submissions } = await paste(readmeCommands[1]!.replace("a-permerror", "a-temperror"));
    assert.equal((await receiver.next("delayed")).body.SMTPCode, 451);
    await readUntil("/queue", /a-temperror@localhost/u);
    const page = shown(await read(`/messages/${Submissions[0]!.QueueMsgID}`));
    assert.match(page, /451/u);
    assert.match(page, /in 7 min/u);
  });

  it("has commands on its first page that work when pasted", async () => {
    const page = await read("/");
    const commands = [...page.matchAll(/<pre[^>]*>([^]*?)<\/pre>/gu)]
      .map(([, text = ""]) => shown(text))
      .filter((text) => text.startsWith("curl "));
    assert.equal(commands.length, 2);
    await paste(commands[0]!);
    await receiver.next("delivered");
    await paste(commands[1]!);
    await receiver.next("delayed");
  });

  it("obeys the command line", async () => {
    const command = async (...words: readonly string[]): Promise<string> => {
      const cli = program(words, { env: { POSTHORN_URL: origin } });
      assert.deepEqual(await cli.exited, { code: 0, signal: null }, cli.lines.join("\n"));
      return cli.lines.join("\n");
    };
    assert.match(await command("queue", "list"), /a-temperror@localhost/u);
    assert.match(await command("suppressions", "list", "--account", "local"), /a-permerror@localhost/u);
    await command("queue", "drop", "--to", "a-temperror@localhost");
    await receiver.next("canceled");
  });
});
