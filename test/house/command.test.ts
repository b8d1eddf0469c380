/** The `posthorn` command passes everything through: arguments, signals, the end. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

const source = join(import.meta.dirname, "../../bin/posthorn.js");

const MAIN = `
  const args: readonly string[] = process.argv.slice(2);
  if (args[0] === "wait") {
    const waiting = setInterval(() => undefined, 60_000);
    process.on("SIGTERM", () => {
      clearInterval(waiting);
      process.exitCode = 7;
    });
  } else if (args[0] === "die") {
    process.kill(process.pid, "SIGKILL");
  } else {
    process.exitCode = Number(args[0]);
  }
  console.log(JSON.stringify(args));
`;

let folder = "";
before(() => {
  folder = mkdtempSync(join(tmpdir(), "posthorn-command-"));
  for (const part of ["bin", "src", "node_modules/.bin"]) mkdirSync(join(folder, part), { recursive: true });
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  writeFileSync(join(folder, "src/main.ts"), MAIN);
  symlinkSync(process.execPath, join(folder, "node_modules/.bin/node"));
  copyFileSync(source, join(folder, "bin/posthorn.js"));
  // The same as it goes on a machine whose Node is too old: no Node is new enough for this copy.
  const old = readFileSync(source, "utf8").replace(/NODE_FOR_TYPESCRIPT = \d+/, "NODE_FOR_TYPESCRIPT = 9999");
  writeFileSync(join(folder, "bin/on-old-node.js"), old);
});
after(() => {
  rmSync(folder, { recursive: true });
});

for (const [host, file] of [
  ["a new Node", "bin/posthorn.js"],
  ["an old Node", "bin/on-old-node.js"],
] as const) {
  describe(`posthorn on ${host}`, () => {
    it("hands on arguments and exit code", () => {
      const { status, stdout } = spawnSync(process.execPath, [join(folder, file), "3", "--to", "a b"], { encoding: "utf8" });
      assert.deepEqual({ status, stdout }, { status: 3, stdout: '["3","--to","a b"]\n' });
    });

    it("hands on SIGTERM, and waits for the end", async () => {
      const command = spawn(process.execPath, [join(folder, file), "wait"], { stdio: ["ignore", "pipe", "inherit"] });
      await once(command.stdout, "data");
      command.kill("SIGTERM");
      const [code] = (await once(command, "exit")) as [number | null];
      assert.equal(code, 7);
    });
  });
}

describe("posthorn without any Node that will do", () => {
  it("says what to do", () => {
    rmSync(join(folder, "node_modules"), { recursive: true });
    const { status, stderr } = spawnSync(process.execPath, [join(folder, "bin/on-old-node.js")], { encoding: "utf8" });
    assert.equal(status, 1);
    assert.match(stderr, /Node 9999 is needed.*npm ci/);
  });
});

describe("posthorn on an old Node whose main is killed", () => {
  it("ends with the shell's code for that signal", () => {
    mkdirSync(join(folder, "node_modules/.bin"), { recursive: true });
    symlinkSync(process.execPath, join(folder, "node_modules/.bin/node"));
    assert.equal(spawnSync(process.execPath, [join(folder, "bin/on-old-node.js"), "die"]).status, 137);
  });
});
