import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { health } from "../../../src/adapters/observability/health.ts";

describe("health", () => {
  it("is good when every check is", async () => {
    const report = await health({ checks: { store: () => null, views: () => Promise.resolve(null) } })();
    assert.deepEqual(report, { ok: true, checks: { store: { ok: true }, views: { ok: true } } });
  });

  it("is bad when one check is, and says which and why", async () => {
    const report = await health({ checks: { store: () => null, views: () => "10 minutes behind" } })();
    assert.deepEqual(report, { ok: false, checks: { store: { ok: true }, views: { ok: false, reason: "10 minutes behind" } } });
  });

  it("tells what a check threw to the log and not to the asker", async () => {
    const errors: [string, unknown][] = [];
    const trouble = new Error("/secret/path is gone");
    const throws = (): never => {
      throw trouble;
    };
    const ask = health({ checks: { a: throws, b: () => Promise.reject(trouble) }, onError: (check, error) => errors.push([check, error]) });
    assert.deepEqual(await ask(), { ok: false, checks: { a: { ok: false, reason: "failed" }, b: { ok: false, reason: "failed" } } });
    assert.deepEqual(errors, [
      ["a", trouble],
      ["b", trouble],
    ]);
  });

  it("does not wait for a check that hangs", async () => {
    const report = await health({ checks: { hangs: () => new Promise(() => undefined) }, timeoutMs: 20 })();
    assert.deepEqual(report.checks, { hangs: { ok: false, reason: "no answer in time" } });
  });

  it("runs its checks once for all who ask at the same time, and anew for who asks later", async () => {
    let runs = 0;
    const ask = health({
      checks: {
        counted: () => {
          runs += 1;
          return null;
        },
      },
    });
    await Promise.all([ask(), ask(), ask()]);
    assert.equal(runs, 1);
    await ask();
    assert.equal(runs, 2);
  });
});
