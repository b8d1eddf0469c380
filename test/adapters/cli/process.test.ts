/** The command line as a real process: exit codes, pipes, and an end of its own. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { adminWorld, PASSWORD, type AdminWorld } from "../http/admin/admin-world.ts";

const CHILD = fileURLToPath(new URL("cli-child.ts", import.meta.url));

describe("the command line as a process", () => {
  let world: AdminWorld;

  before(async () => {
    world = await adminWorld();
    await world.queue([1, 2]);
  });
  after(() => world.stop());

  const start = (...words: readonly string[]) =>
    spawn(process.execPath, [CHILD, ...words], {
      env: { ...process.env, POSTHORN_URL: world.base, POSTHORN_ADMIN_PASSWORD: PASSWORD },
      stdio: ["pipe", "pipe", "pipe"],
    });

  it("prints, and ends by itself with a code", async () => {
    const child = start("queue", "list");
    const [out, [code]] = await Promise.all([text(child.stdout), once(child, "close") as Promise<[number]>]);
    assert.deepEqual([code, out.trimEnd().split("\n").length], [0, 3]);
    const failing = start("queue", "show", "99");
    const [err, [failure]] = await Promise.all([text(failing.stderr), once(failing, "close") as Promise<[number]>]);
    assert.deepEqual([failure, err], [1, "posthorn: there is no such message, or no longer\n"]);
  });

  it("reads a password from a pipe", async () => {
    const child = start("password", "hash");
    child.stdin.end("s3cret\n");
    assert.equal(await text(child.stdout), "hash of s3cret\n");
  });

  it("ends when the reader of its output goes", async () => {
    const child = start("events", "log", "--follow", "--after", "0");
    const closed = once(child, "close") as Promise<[number | null]>;
    await once(child.stdout, "data");
    child.stdout.destroy();
    await world.queue([3]);
    const [code] = await closed;
    assert.equal(code, 0);
    assert.equal(child.stderr.read(), null);
  });
});

describe("a command whose output nobody reads to its end", () => {
  it("ends without a complaint", async () => {
    const child = spawn(process.execPath, [fileURLToPath(new URL("../../../src/main.ts", import.meta.url)), "config", "example"]);
    child.stdout.destroy();
    const [err, [code]] = await Promise.all([text(child.stderr), once(child, "close") as Promise<[number]>]);
    assert.deepEqual([err, code], ["", 0]);
  });
});
