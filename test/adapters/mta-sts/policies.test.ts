/** Policies hold as long as they say, whatever happens to their record and their file meanwhile. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";

import type { Lookup } from "../../../src/adapters/dns/resolver.ts";
import { policyFile } from "../../../src/adapters/mta-sts/policy-file.ts";
import { stsPolicies, type StsOptions } from "../../../src/adapters/mta-sts/policies.ts";
import { DAY_MS, MINUTE_MS } from "../../../src/domain/clock.ts";
import { virtualClock } from "../../support/virtual-clock.ts";

const file = (mode: string, age = 7 * 86_400): string => `version: STSv1\nmode: ${mode}\nmx: mx.there.example\nmax_age: ${age}\n`;

const unexpected = (error: unknown): never => {
  throw new Error("unexpected trouble", { cause: error });
};

/** A domain whose record and file a test changes. */
const domain = (options: Partial<StsOptions> = {}) => {
  const clock = virtualClock();
  const world = {
    /** "failing": it cannot be asked for. */
    id: "a" as string | undefined,
    file: file("enforce") as string | Error,
    fetched: [] as string[],
    troubles: 0,
  };
  const policies = stsPolicies({
    clock,
    txt: (name): Promise<Lookup<string>> => {
      assert.equal(name, "_mta-sts.there.example");
      if (world.id === "failing") return Promise.resolve({ status: "failed", reason: "SERVFAIL" });
      return Promise.resolve(world.id === undefined ? { status: "noDomain" } : { status: "found", records: [`v=STSv1; id=${world.id}`] });
    },
    fetch: async (name) => {
      world.fetched.push(name);
      if (world.file instanceof Error) throw world.file;
      return world.file;
    },
    onTrouble: () => (world.troubles += 1),
    ...options,
  });
  return { clock, world, policies, mode: async () => (await policies.policyFor("there.example"))?.mode };
};

describe("the policy of a domain", () => {
  it("is fetched once, however many ask", async () => {
    const { world, mode } = domain();
    assert.deepEqual(await Promise.all([mode(), mode(), mode()]), ["enforce", "enforce", "enforce"]);
    await mode();
    assert.deepEqual(world.fetched, ["there.example"]);
  });

  it("is not looked for where no record announces one", async () => {
    const { world, mode } = domain();
    world.id = undefined;
    assert.equal(await mode(), undefined);
    assert.deepEqual(world.fetched, []);
  });

  it("is fetched anew when its id changes", async () => {
    const { world, mode } = domain();
    await mode();
    Object.assign(world, { id: "b", file: file("testing") });
    assert.equal(await mode(), "testing");
  });

  for (const [what, change] of [
    ["the record is gone", { id: undefined }],
    ["the record cannot be asked for", { id: "failing" }],
    ["a new one cannot be fetched", { id: "b", file: new Error("no") }],
    ["a new one makes no sense", { id: "b", file: "<html>" }],
  ] as const) {
    it(`holds when ${what}, and not longer than it said`, async () => {
      const { world, mode, clock } = domain();
      await mode();
      Object.assign(world, change);
      assert.equal(await mode(), "enforce");
      clock.advance(7 * DAY_MS - 1);
      assert.equal(await mode(), "enforce");
      clock.advance(1);
      assert.equal(await mode(), undefined);
    });
  }

  it("is given up when the domain says so", async () => {
    const { world, mode } = domain();
    await mode();
    Object.assign(world, { id: "b", file: file("none") });
    assert.equal(await mode(), undefined);
  });

  it("is refreshed every day while nobody waits for it", async () => {
    const { world, mode, clock } = domain();
    await mode();
    clock.advance(DAY_MS);
    await mode();
    await mode();
    assert.equal(world.fetched.length, 2);
    clock.advance(7 * DAY_MS - 1);
    world.id = undefined;
    assert.equal(await mode(), "enforce");
  });

  it("that cannot be fetched is not asked for again within five minutes, and mail goes on without", async () => {
    const { world, mode, clock } = domain();
    world.file = new Error("no");
    assert.equal(await mode(), undefined);
    assert.equal(await mode(), undefined);
    clock.advance(5 * MINUTE_MS - 1);
    await mode();
    assert.equal(world.fetched.length, 1);
    assert.equal(world.troubles, 1);
    clock.advance(1);
    world.file = file("enforce");
    assert.equal(await mode(), "enforce");
  });

  it("is one of a bounded number", async () => {
    const { policies } = domain({ limit: 3, txt: () => Promise.resolve({ status: "found", records: ["v=STSv1; id=a"] }) });
    for (let index = 0; index < 10; index += 1) await policies.policyFor(`${index}.example`);
    assert.equal(policies.kept().length, 3);
  });
});

describe("the file of policies", () => {
  const inFile = async (test: (path: string) => Promise<void>): Promise<void> => {
    const directory = mkdtempSync(join(tmpdir(), "posthorn-sts-"));
    try {
      await test(join(directory, "mta-sts.json"));
    } finally {
      rmSync(directory, { recursive: true });
    }
  };

  it("carries them over a restart", () =>
    inFile(async (path) => {
      const kept = policyFile(path, unexpected);
      const first = domain({
        onChange: () => {
          kept.changed(() => first.policies.kept());
        },
      });
      await first.mode();
      await kept.close();
      const { world, mode } = domain({ known: policyFile(path, unexpected).known });
      world.id = "failing";
      assert.equal(await mode(), "enforce");
    }));

  it("does no harm when it is damaged", () =>
    inFile(async (path) => {
      for (const damage of ["{", "[{}]", '{"a":1}']) {
        writeFileSync(path, damage);
        const errors: unknown[] = [];
        assert.deepEqual(policyFile(path, (error) => errors.push(error)).known, []);
        assert.equal(errors.length, 1);
      }
    }));

  it("is written as a whole, also when much changes at a time", () =>
    inFile(async (path) => {
      const { changed, close } = policyFile(path, unexpected);
      for (let index = 0; index < 100; index += 1) {
        changed(() => [{ domain: `${index}.example`, policy: { id: "a", mode: "enforce", mx: ["mx"], maxAgeMs: 1 }, fetchedAt: 0 }]);
      }
      await close();
      assert.match(readFileSync(path, "utf8"), /"99\.example"/u);
    }));
});
