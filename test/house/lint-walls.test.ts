/** Every wall of the house stops what it is there to stop, and lets through what it must. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ESLint } from "eslint";
import typescript from "typescript-eslint";

const root = join(import.meta.dirname, "../..");

/** Without type information the probes need no real file, and take milliseconds. */
const untyped = new ESLint({
  cwd: root,
  overrideConfig: [
    { files: ["**/*.ts"], ...typescript.configs.disableTypeChecked },
    { files: ["**/*.ts"], languageOptions: { parserOptions: { projectService: false } } },
  ],
});
const typed = new ESLint({ cwd: root });

const rulesFor = async (eslint: ESLint, file: string, code: string): Promise<readonly string[]> => {
  const [result] = await eslint.lintText(`/** A probe. */\n${code}\n`, { filePath: join(root, file) });
  const messages = result?.messages ?? [];
  assert.deepEqual(
    messages.filter(({ fatal }) => fatal === true).map(({ message }) => message),
    [],
  );
  return messages.flatMap(({ ruleId }) => (ruleId === null ? [] : [ruleId]));
};

type Probe = readonly [file: string, code: string];

const stops = (rule: string, probes: readonly Probe[]): void => {
  for (const [file, code] of probes) {
    it(`stops ${code.split("\n", 1)[0] ?? ""} in ${file}`, async () => {
      const fired = await rulesFor(untyped, file, code);
      assert.ok(fired.includes(rule), `${rule} did not fire, only: ${fired.join(", ")}`);
    });
  }
};

const passes = (probes: readonly Probe[]): void => {
  for (const [file, code] of probes) {
    it(`passes ${code} in ${file}`, async () => {
      assert.deepEqual(await rulesFor(untyped, file, code), []);
    });
  }
};

describe("the walls between rooms", () => {
  stops("house/walls", [
    ["src/domain/probe.ts", 'export { readFile } from "node:fs/promises";'],
    ["src/domain/probe.ts", 'export { z } from "zod";'],
    ["src/domain/probe.ts", 'export const lazy = () => import("koa");'],
    ["src/domain/probe.ts", 'export type Probe = import("koa").Context;'],
    ["src/domain/message/decide.ts", 'export { transition } from "xstate";'],
    ["src/domain/message/machine.ts", 'export { createTestModel } from "xstate/graph";'],
    ["src/domain/message/probe.ts", 'export { queue } from "../../projections/messages.ts";'],
    ["src/domain/message/probe.ts", 'export { clock } from "../../adapters/clock/system.ts";'],
    ["src/domain/message/probe.ts", 'export { virtualClock } from "../../../test/support/virtual-clock.ts";'],
    ["src/projections/probe.ts", 'export { DatabaseSync } from "node:sqlite";'],
    ["src/projections/probe.ts", 'export { transition } from "xstate";'],
    ["src/projections/probe.ts", 'export { memory } from "../adapters/event-store/memory.ts";'],
    ["src/adapters/views/probe.ts", 'export { memory } from "../event-store/memory.ts";'],
    ["src/adapters/views/probe.ts", 'export type { Row } from "../http/page.ts";'],
    ["src/adapters/smtp-out/probe.ts", 'export { resolver } from "../dns/resolver.ts";'],
    ["src/adapters/views/probe.ts", 'export { main } from "../../main.ts";'],
    ["src/adapters/views/probe.ts", 'export { virtualClock } from "../../../test/support/virtual-clock.ts";'],
    ["src/composition.ts", 'export { main } from "./main.ts";'],
    ["src/main.ts", 'export { virtualClock } from "../test/support/virtual-clock.ts";'],
  ]);
  passes([
    ["src/domain/message/machine.ts", 'export { setup } from "xstate";'],
    ["src/domain/message/probe.ts", 'export { clock } from "../clock.ts";'],
    ["src/projections/probe.ts", 'export { clock } from "../domain/clock.ts";'],
    ["src/projections/probe.ts", 'export { schedule } from "./schedule.ts";'],
    ["src/adapters/views/probe.ts", 'export { schedule } from "../../projections/schedule.ts";'],
    ["src/adapters/views/probe.ts", 'export type { EventStore } from "../event-store/event-store.ts";'],
    ["src/adapters/views/probe.ts", 'export { codec } from "../event-store/codec.ts";'],
    ["src/adapters/smtp-out/probe.ts", 'export type { Resolver } from "../dns/resolver.ts";'],
    ["src/adapters/views/pages/probe.ts", 'export { table } from "../table.ts";'],
    ["src/adapters/views/probe.ts", 'export { DatabaseSync } from "node:sqlite";'],
    ["src/main.ts", 'export { memory } from "./adapters/event-store/memory.ts";'],
    ["test/probe.test.ts", 'export { memory } from "../src/adapters/event-store/memory.ts";'],
  ]);
});

describe("the pure core", () => {
  for (const file of ["src/domain/probe.ts", "src/projections/probe.ts"]) {
    stops("no-restricted-globals", [
      [file, "export const probe = process.env;"],
      [file, "export const probe = globalThis.Date;"],
      [file, "export const probe = crypto.randomUUID();"],
      [file, "export const probe = performance.now();"],
      [file, "setTimeout(() => undefined, 1);"],
      [file, "setInterval(() => undefined, 1);"],
      [file, "queueMicrotask(() => undefined);"],
      [file, 'export const probe = fetch("/");'],
      [file, 'export const probe = Buffer.from("");'],
    ]);
    stops("no-restricted-properties", [
      [file, "export const probe = Math.random();"],
      [file, "export const { random } = Math;"],
      [file, "export const probe = AbortSignal.timeout(1);"],
    ]);
    stops("no-restricted-syntax", [
      [file, "export const probe = Date.now();"],
      [file, "export const probe = new Date();"],
      [file, "export const probe = Date;"],
      [file, "export const probe = import.meta.dirname;"],
    ]);
    passes([
      [file, "export const probe = Date.UTC(2026, 0, 1);"],
      [file, 'export const probe = new URL("http://localhost/");'],
      [file, 'export const probe = new TextEncoder().encode("");'],
      [file, "export const probe = Math.max(1, 2);"],
    ]);
  }
});

describe("the shape of a file", () => {
  stops("house/file-name", [
    ["src/adapters/http/utils.ts", "export const probe = 1;"],
    ["src/adapters/http/queue-helpers.ts", "export const probe = 1;"],
    ["src/adapters/http/queuePage.ts", "export const probe = 1;"],
  ]);
  stops("no-restricted-syntax", [
    ["src/adapters/http/probe.ts", "export default 1;"],
    ["src/adapters/http/probe.ts", 'export * from "./page.ts";'],
  ]);
  stops("max-lines", [["src/adapters/http/probe.ts", Array.from({ length: 301 }, (_, n) => `export const a${n} = ${n};`).join("\n")]]);
  stops("max-lines-per-function", [["src/adapters/http/probe.ts", `export const probe = () => {\n${"  probe();\n".repeat(60)}};`]]);
  stops("complexity", [["src/adapters/http/probe.ts", `export const probe = (n: number) => ${"n > 1 && ".repeat(15)}n;`]]);

  it("asks for an opening comment", async () => {
    const [result] = await untyped.lintText("export const probe = 1; // too late\n", {
      filePath: join(root, "src/adapters/http/probe.ts"),
    });
    assert.deepEqual(
      result?.messages.map(({ ruleId }) => ruleId),
      ["house/opening-comment"],
    );
  });
});

describe("rules that know the types", () => {
  it("stop a promise that nobody waits for", async () => {
    const code = "export const probe = (work: () => Promise<void>): void => {\n  work();\n};";
    assert.deepEqual(await rulesFor(typed, "src/domain/clock.ts", code), ["@typescript-eslint/no-floating-promises"]);
  });

  it("stop a switch that forgets a variant", async () => {
    const code = 'export const probe = (answer: "yes" | "no"): void => {\n  switch (answer) {\n    case "yes":\n      return;\n  }\n};';
    assert.deepEqual(await rulesFor(typed, "src/domain/clock.ts", code), ["@typescript-eslint/switch-exhaustiveness-check"]);
  });

  it("stop an import of a type that is not marked as one", async () => {
    const code = 'import { Address } from "./address.ts";\nexport type Probe = Address;';
    assert.deepEqual(await rulesFor(typed, "src/domain/clock.ts", code), ["@typescript-eslint/consistent-type-imports"]);
  });

  it("let describe and it stand alone in a test", async () => {
    const code =
      'import { describe, it } from "node:test";\ndescribe("a", () => {\n  it("b", async () => {\n    await Promise.resolve();\n  });\n});';
    assert.deepEqual(await rulesFor(typed, "test/support/virtual-clock.ts", code), []);
  });
});
