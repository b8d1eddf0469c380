/** What belongs together in the project's own files stays together, and nothing in them depends on where it was written. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";

type Locked = { readonly dev?: boolean; readonly license?: string; readonly resolved?: string; readonly hasInstallScript?: boolean };

/** Licences that a package states in an older way, which the lock file does not repeat. */
const READ_BY_HAND: Readonly<Record<string, string>> = { "node_modules/busboy": "MIT", "node_modules/streamsearch": "MIT" };

const root = join(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");

const manifest = JSON.parse(read("package.json")) as {
  readonly license: string;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
};
const lock = JSON.parse(read("package-lock.json")) as { readonly packages: Readonly<Record<string, Locked>> };
const packages = Object.entries(lock.packages).filter(([path]) => path !== "");

/** Licences that ask for no more than MIT does, in substance. */
const FREE = /^\(?(MIT|MIT-0|ISC|0BSD|BSD-2-Clause|BSD-3-Clause|Apache-2\.0|BlueOak-1\.0\.0|CC0-1\.0|Unlicense)\b/;

describe("the lock file", () => {
  it("names no place to download from: every machine has its own", () => {
    assert.deepEqual(
      packages.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path),
      [],
    );
  });

  it("has only libraries at run time whose licences go with MIT", () => {
    const others = packages.filter(([path, { dev, license }]) => dev !== true && !FREE.test(license ?? READ_BY_HAND[path] ?? ""));
    assert.deepEqual(
      others.map(([path, { license }]) => `${path}: ${license ?? "unknown"}`),
      [],
    );
  });

  it("has no install script about which nobody decided", () => {
    const undecided = packages.filter(
      ([path, { hasInstallScript }]) =>
        hasInstallScript === true && manifest.allowScripts[path.replace(/^.*node_modules\//, "")] === undefined,
    );
    assert.deepEqual(
      undecided.map(([path]) => path),
      [],
    );
  });
});

describe("the project's files", () => {
  it("run with what is installed for production", () => {
    const sources = globSync("src/**/*.ts", { cwd: root }).map((path) => [path, read(path)] as const);
    const missing = sources.flatMap(([path, text]) =>
      [...text.matchAll(/^(?:import|export) (?!type\b)[^"]*? from "([^".][^"]*)"|^import "([^".][^"]*)"/gm)]
        .map(([, from, bare]) => from ?? bare ?? "")
        .filter((name) => !name.startsWith("node:"))
        .filter((name) => manifest.dependencies[/^(?:@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? ""] === undefined)
        .map((name) => `${path}: ${name}`),
    );
    assert.ok(sources.length > 50);
    assert.deepEqual(missing, []);
  });

  it("name no package registry", () => {
    // In two halves, so that this file passes its own test.
    const registry = new RegExp(["registry\\.(npm", "yarn)|npm", "js\\.(org|com)"].join(""), "i");
    const files = globSync(["*", ".ci/*", ".npmrc", "{bin,bench,scripts,src,test}/**/*"], { cwd: root, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.parentPath !== join(root, "data"))
      .map((entry) => join(entry.parentPath, entry.name));
    assert.ok(files.length > 50);
    assert.deepEqual(
      files.filter((file) => registry.test(readFileSync(file, "latin1"))),
      [],
    );
  });

  it("mean the same Node everywhere", () => {
    const majors = {
      package: /\d+/.exec(manifest.devDependencies["node"] ?? "")?.[0],
      types: /\d+/.exec(manifest.devDependencies["@types/node"] ?? "")?.[0],
      image: /^FROM node:(\d+)/m.exec(read("Dockerfile"))?.[1],
      setup: /NODE_FOR_TYPESCRIPT = (\d+)/.exec(read("scripts/setup.mjs"))?.[1],
      command: /NODE_FOR_TYPESCRIPT = (\d+)/.exec(read("bin/posthorn.js"))?.[1],
    };
    assert.deepEqual(new Set(Object.values(majors)), new Set([String(process.versions.node.split(".")[0])]), JSON.stringify(majors));
  });

  it("speak of npm scripts that exist", () => {
    const pages = ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", ".ci/run"].map(read).join("\n");
    const named = [...pages.matchAll(/\bnpm (?:run (?:-s )?([\w:-]+)|(start|test)\b)/g)].map(([, script, short]) => script ?? short ?? "");
    assert.ok(named.length > 5);
    assert.deepEqual(
      named.filter((script) => manifest.scripts[script] === undefined),
      [],
    );
  });

  it("are under the MIT licence", () => {
    assert.equal(manifest.license, "MIT");
    assert.match(read("LICENSE"), /^MIT License\n\nCopyright \(c\) \d{4} Posthorn contributors\n/);
  });
});
