/** The set-up step of a fresh clone: installs when it must, only then, and says what is wrong when it cannot. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";

const source = join(import.meta.dirname, "../../scripts/setup.mjs");

/** An npm that does what a good one does in so far as setup.mjs looks at it: notes that it ran, and installs the lock file. */
const WORKING_NPM = `
  const { mkdirSync, readFileSync, writeFileSync } = require("node:fs");
  writeFileSync("npm-ran", process.argv.slice(2).join(" "));
  mkdirSync("node_modules/a", { recursive: true });
  const { packages: { "": self, "node_modules/other-platform": other, ...packages } } = JSON.parse(readFileSync("package-lock.json", "utf8"));
  writeFileSync("node_modules/.package-lock.json", JSON.stringify({ packages }));
`;
const BROKEN_NPM = `console.error("npm error network: connect ECONNREFUSED"); process.exit(1);`;

let clone = "";
const at = (...path: string[]): string => join(clone, ...path);

const writeLock = (version: string): void => {
  const packages = {
    "": { name: "clone" },
    "node_modules/a": { version, integrity: `sha512-${version}` },
    "node_modules/other-platform": { version, integrity: "sha512-b", optional: true },
  };
  writeFileSync(at("package-lock.json"), JSON.stringify({ lockfileVersion: 3, packages }));
};

const setUp = (): { readonly status: number | null; readonly said: string; readonly installed: boolean } => {
  rmSync(at("npm-ran"), { force: true });
  const env = { ...process.env, npm_execpath: at("npm-cli.js") };
  const { status, stderr } = spawnSync(process.execPath, [at("scripts/setup.mjs")], { cwd: tmpdir(), env, encoding: "utf8" });
  return { status, said: stderr, installed: existsSync(at("npm-ran")) };
};

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), "posthorn-clone-"));
  mkdirSync(at("scripts"));
  copyFileSync(source, at("scripts/setup.mjs"));
  writeFileSync(at("npm-cli.js"), WORKING_NPM);
  writeLock("1.0.0");
});

afterEach(() => {
  rmSync(clone, { recursive: true });
});

describe("a fresh clone", () => {
  it("is installed, with what development needs", () => {
    const { status, installed } = setUp();
    assert.deepEqual({ status, installed }, { status: 0, installed: true });
    assert.match(readFileSync(at("npm-ran"), "utf8"), /^ci --include=dev /);
  });

  it("says what npm said when that fails", () => {
    writeFileSync(at("npm-cli.js"), BROKEN_NPM);
    const { status, said } = setUp();
    assert.equal(status, 1);
    assert.match(said, /could not be installed[^]*ECONNREFUSED[^]*npm config list/);
  });

  it("without a lock file says so", () => {
    rmSync(at("package-lock.json"));
    const { status, said } = setUp();
    assert.equal(status, 1);
    assert.match(said, /package-lock\.json is missing/);
  });
});

describe("an installed clone", () => {
  beforeEach(() => {
    assert.equal(setUp().status, 0);
  });

  it("is left alone, silently", () => {
    assert.deepEqual(setUp(), { status: 0, said: "", installed: false });
  });

  it("is installed anew when the lock file asks for something else", () => {
    writeLock("1.0.1");
    assert.equal(setUp().installed, true);
    assert.equal(setUp().installed, false);
  });

  it("is installed anew when a package has gone", () => {
    rmSync(at("node_modules/a"), { recursive: true });
    assert.equal(setUp().installed, true);
  });
});

describe("the Node that npm brings", () => {
  const bundled = (write: (path: string) => void): void => {
    mkdirSync(at("node_modules/.bin"), { recursive: true });
    write(at("node_modules/.bin/node"));
  };

  it("is used when it is new enough", () => {
    bundled((path) => {
      symlinkSync(process.execPath, path);
    });
    assert.equal(setUp().status, 0);
  });

  for (const [what, script, expected] of [
    ["is refused when it is too old", "echo 22.12.0", /instead there is Node 22/],
    ["is refused when it does not run", "exit 127", /does not run/],
  ] as const) {
    it(what, () => {
      bundled((path) => {
        writeFileSync(path, `#!/bin/sh\n${script}\n`);
        chmodSync(path, 0o755);
      });
      const { status, said } = setUp();
      assert.equal(status, 1);
      assert.match(said, expected);
      assert.match(said, /npm rebuild node/);
    });
  }
});
