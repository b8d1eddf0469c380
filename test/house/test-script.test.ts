/** The test script does not let a run pass that tested nothing, failed, or left something running. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";

const source = join(import.meta.dirname, "../../scripts/test.ts");

const sample = (body: string): string => `import { it } from "node:test";\nimport { spawn } from "node:child_process";\n${body}\n`;
const SAMPLES = {
  "good/passes.test.ts": sample('it("passes", () => undefined);'),
  "good/passes-too.test.ts": sample('it("passes too", () => undefined);'),
  "bad/fails.test.ts": sample('it("fails", () => { throw new Error("no"); });'),
  "bad/crashes.test.ts": sample("process.exit(3);"),
  "littering/leaves.test.ts": sample(
    'it("leaves", () => { spawn(process.execPath, ["-e", "setInterval(() => 0, 60000)"], { stdio: "ignore" }).unref(); });',
  ),
};

let project = "";
before(() => {
  project = mkdtempSync(join(tmpdir(), "posthorn-tests-"));
  for (const folder of ["scripts", "test/good", "test/bad", "test/littering", "test/empty"])
    mkdirSync(join(project, folder), { recursive: true });
  copyFileSync(source, join(project, "scripts/test.ts"));
  for (const [path, content] of Object.entries(SAMPLES)) writeFileSync(join(project, "test", path), content);
});
after(() => {
  rmSync(project, { recursive: true });
});

const run = (...args: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } => {
  // Without this, Node takes the run for a part of the one that runs this test.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return spawnSync(process.execPath, [join(project, "scripts/test.ts"), ...args], { cwd: project, env, encoding: "utf8" });
};

/** A killed process may stay as a zombie until somebody asks for its end. */
const isRunning = (pid: string): boolean => {
  try {
    return !/^\d+ \(.*\) [ZX] /s.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
};

describe("npm test", () => {
  it("passes when all tests do", () => {
    const { status, stdout } = run("test/good");
    assert.equal(status, 0);
    assert.match(stdout, /pass 2\n/);
  });

  it("takes files, patterns and options", () => {
    assert.match(run("test/good/passes.test.ts").stdout, /pass 1\n/);
    const { stdout } = run("test/good/*.test.ts", "--test-name-pattern=too");
    assert.match(stdout, /✔ passes too/);
    assert.doesNotMatch(stdout, /✔ passes \(/);
  });

  it("fails when nothing matches", () => {
    for (const nothing of ["test/empty", "test/no-such-folder", "test/good/*.test.js"]) {
      const { status, stderr } = run("test/good", nothing);
      assert.equal(status, 1);
      assert.match(stderr, /no test file matches/);
    }
  });

  it("fails when a test does, or its file ends early", () => {
    assert.equal(run("test/bad/fails.test.ts").status, 1);
    assert.equal(run("test/bad/crashes.test.ts").status, 1);
  });

  it("fails when a test leaves a process behind, and ends that", { skip: process.platform !== "linux", timeout: 10_000 }, async () => {
    const { status, stderr } = run("test/littering");
    assert.equal(status, 1);
    const pid = /left running[^]*?(\d+) /.exec(stderr)?.[1];
    assert.ok(pid !== undefined);
    while (isRunning(pid)) await setImmediate();
  });
});
