/** The command line itself: help, mistakes, where the server is, what goes wrong on the way, and the commands that run here. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { runCli } from "../../../src/adapters/cli/cli.ts";
import { happened } from "../../support/samples.ts";
import { adminWorld, PASSWORD, type AdminWorld } from "../http/admin/admin-world.ts";
import { cliOptions, collected, runCommand } from "./run-command.ts";

const NOWHERE = "http://127.0.0.1:1";

const withServer = async (listener: RequestListener, use: (url: string) => Promise<void>): Promise<void> => {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
};

describe("the command line", () => {
  it("explains itself", async () => {
    const { code, out } = await runCommand(NOWHERE, ["--help"]);
    assert.equal(code, 0);
    for (const name of [
      "serve",
      "local",
      "queue",
      "retired",
      "webhooks",
      "holdrules",
      "suppressions",
      "events",
      "views",
      "config",
      "password",
    ]) {
      assert.match(out, new RegExp(`^ {2}${name} `, "mu"));
    }
    assert.match(out, /Exit codes: 0 done/u);
    assert.match((await runCommand(NOWHERE, ["queue", "drop", "--help"])).out, /--dry-run/u);
    assert.equal((await runCommand(NOWHERE, ["--version"])).out, "0.1.0\n");
  });

  it("refuses what it does not know, and says so", async () => {
    for (const words of [
      [],
      ["nonsense"],
      ["queue"],
      ["queue", "nonsense"],
      ["queue", "list", "--nonsense"],
      ["queue", "show"],
      ["queue", "list", "--limit", "0"],
      ["local", "--smtp-port", "70000"],
    ]) {
      const { code, err } = await runCommand(NOWHERE, words);
      assert.equal(code, 2, words.join(" "));
      assert.notEqual(err, "");
    }
  });

  it("hands the server commands their options", async () => {
    assert.deepEqual((await runCommand(NOWHERE, ["serve", "--config", "a.yaml"])).called, [["serve", { config: "a.yaml" }]]);
    assert.deepEqual(
      (await runCommand(NOWHERE, ["local", "--webhook-url", "http://localhost:1/", "--data", "/d", "--smtp-port", "0"])).called,
      [["local", { webhookUrl: "http://localhost:1/", incomingWebhookUrl: undefined, dataDir: "/d", smtpPort: 0, httpPort: undefined }]],
    );
    const [[, incoming] = []] = (await runCommand(NOWHERE, ["local", "--incoming-webhook-url", "http://localhost:2/"])).called;
    assert.equal((incoming as { readonly incomingWebhookUrl: string }).incomingWebhookUrl, "http://localhost:2/");
    const rebuilt = await runCommand(NOWHERE, ["views", "rebuild", "--local"]);
    assert.deepEqual(rebuilt.called, [["rebuildViews", { config: undefined, local: true, dataDir: undefined }]]);
    assert.equal(rebuilt.out, "the views were built from 7 events\n");
    assert.equal((await runCommand(NOWHERE, ["views", "rebuild", "--local", "--config", "a.yaml"])).code, 2);
  });

  it("prints an example configuration and checks one", async () => {
    assert.equal((await runCommand(NOWHERE, ["config", "example"])).out, "hostName: mail.example.org\n");
    const right = await runCommand(NOWHERE, ["config", "check", "a.yaml"]);
    assert.deepEqual([right.code, right.out, right.called], [0, "it is right\n", [["checkConfig", { config: "a.yaml" }]]]);
    const wrong = await runCommand(NOWHERE, ["config", "check"], { configIsRight: false });
    assert.deepEqual([wrong.code, wrong.out], [1, ""]);
    assert.equal(wrong.err, "posthorn: a.yaml:1: hostName: is missing\na.yaml:2: \u{FFFD}[31mx\n");
  });

  it("hashes a password from standard input, never from the command line", async () => {
    for (const words of [
      ["password", "hash"],
      ["config", "hash-password"],
    ]) {
      const { code, out, err } = await runCommand(NOWHERE, words, { input: "s3cret words\n" });
      assert.deepEqual([code, out, err], [0, "hash of s3cret words\n", ""]);
      assert.equal((await runCommand(NOWHERE, [...words, "s3cret"])).code, 2);
      for (const input of ["", "\n", "two\nlines\n", "x".repeat(1_025)])
        assert.equal((await runCommand(NOWHERE, words, { input })).code, 2);
    }
  });
});

describe("the way to the server", () => {
  let world: AdminWorld;

  before(async () => {
    world = await adminWorld();
  });
  after(() => world.stop());

  it("is what --url says, else the environment, else local mode's", async () => {
    const environment = { POSTHORN_URL: NOWHERE, POSTHORN_ADMIN_PASSWORD: PASSWORD };
    assert.equal((await runCommand(NOWHERE, ["queue", "list", "--url", `${world.base}/`], { environment })).code, 0);
    assert.equal((await runCommand(NOWHERE, ["--url", world.base, "queue", "list"], { environment })).code, 0);
    assert.equal((await runCommand(world.base, ["queue", "list"], { environment })).code, 3);
    assert.equal((await runCommand(world.base, ["queue", "list"])).code, 0);
  });

  it("has the password from a file or the environment", async () => {
    const directory = await mkdtemp(join(tmpdir(), "posthorn-cli-"));
    try {
      const file = join(directory, "password");
      await writeFile(file, `${PASSWORD}\n`);
      assert.equal(
        (await runCommand(world.base, ["views", "status", "--password-file", file], { environment: { POSTHORN_ADMIN_PASSWORD: "wrong" } }))
          .code,
        0,
      );
      assert.equal(
        (
          await runCommand(world.base, ["views", "status"], {
            environment: { POSTHORN_ADMIN_PASSWORD_FILE: file, POSTHORN_ADMIN_PASSWORD: "" },
          })
        ).code,
        0,
      );
      const missing = await runCommand(world.base, ["views", "status", "--password-file", join(directory, "none")]);
      assert.equal(missing.code, 2);
      assert.match(missing.err, /cannot be read \(ENOENT\)/u);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it("gives local mode's password to this machine only", async () => {
    const heard = world.passwords.length;
    assert.equal((await runCommand(world.base, ["views", "status"], { environment: {} })).code, 4);
    assert.deepEqual(world.passwords.slice(heard), ["posthorn"]);
    const elsewhere = await runCommand("https://mail.example.org", ["views", "status"], { environment: {} });
    assert.deepEqual(
      [elsewhere.code, elsewhere.err],
      [4, "posthorn: no admin password: set POSTHORN_ADMIN_PASSWORD or give --password-file\n"],
    );
  });

  it("says what is wrong with it", async () => {
    const wrong = await runCommand(world.base, ["queue", "list"], { environment: { POSTHORN_ADMIN_PASSWORD: "a wrong one" } });
    assert.deepEqual([wrong.code, wrong.err], [4, "posthorn: unknown user name or wrong password\n"]);
    const nobody = await runCommand(NOWHERE, ["queue", "list"]);
    assert.equal(nobody.code, 3);
    assert.match(nobody.err, /^posthorn: no server at http:\/\/127\.0\.0\.1:1\/: .*(ECONNREFUSED|bad port)/u);
    for (const url of ["nonsense", "ftp://a.example", "http://admin:secret@127.0.0.1:1/"]) {
      const { code, err } = await runCommand(NOWHERE, ["queue", "list", "--url", url]);
      assert.equal(code, 2, url);
      assert.ok(!err.includes("secret"));
    }
  });

  it("does not take something else for Posthorn, nor follow it elsewhere with the password", async () => {
    const asked: string[] = [];
    const answers: readonly RequestListener[] = [
      (_request, response) => void response.writeHead(404).end("<h1>Not found</h1>"),
      (_request, response) => void response.writeHead(200, { "content-type": "text/html" }).end("<h1>Hello</h1>"),
      (_request, response) => void response.writeHead(302, { location: "/elsewhere" }).end(),
      (_request, response) => void response.writeHead(403).end("403 - this listener takes no passwords over plain HTTP\u001b[31m"),
      (_request, response) => void response.writeHead(200, { "content-length": "100" }).write("{", () => void response.destroy()),
      (request) => void request.socket.destroy(),
    ];
    for (const answer of answers) {
      await withServer(
        (request, response) => {
          asked.push(request.url ?? "");
          answer(request, response);
        },
        async (url) => {
          const { code, out, err } = await runCommand(url, ["queue", "list"]);
          assert.deepEqual([code, out], [3, ""]);
          assert.match(err, /^posthorn: .*http:\/\/127\.0\.0\.1/u);
          assert.ok(!err.includes("\u001b"));
        },
      );
    }
    assert.ok(!asked.includes("/elsewhere"));
  });
});

describe("following the log on the command line", () => {
  it("prints events as they come, and says how to go on when the server is gone", async () => {
    const world = await adminWorld();
    try {
      await world.queue([1]);
      const out = collected();
      const err = collected();
      const options = cliOptions(world.base, {}, out.stream, err.stream, []);
      const running = runCli(options, ["events", "log", "--follow", "--after", "0"]);
      await out.until(/message-1 {2}MessageQueued: queued/u);
      await world.tell("message-1", [happened("MessageHeld")]);
      await out.until(/^\d+ {2}\S+ {2}message-1 {2}MessageHeld: put on hold by ada$/mu);
      world.stopFollowers();
      assert.equal(await running, 3);
      assert.equal(err.text(), `posthorn: the server is gone; to go on from here: --follow --after ${world.log.head()}\n`);
    } finally {
      await world.stop();
    }
  });

  it("ends quietly when nobody reads any more", async () => {
    const world = await adminWorld();
    try {
      await world.queue([1]);
      const out = collected();
      const err = collected();
      const running = runCli(cliOptions(world.base, {}, out.stream, err.stream, []), [
        "events",
        "log",
        "--follow",
        "--after",
        "0",
        "--json",
      ]);
      await out.until(/MessageQueued/u);
      out.stream.destroy(new Error("EPIPE"));
      assert.equal(await running, 0);
      assert.equal(err.text(), "");
    } finally {
      await world.stop();
    }
  });
});
