import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { retryAfterMs } from "../../../src/adapters/webhook/retry-after.ts";

const NOW = Date.UTC(2026, 10, 6, 8, 49, 37);

describe("a Retry-After header", () => {
  const understood: readonly (readonly [string, number])[] = [
    ["0", 0],
    ["120", 120_000],
    [" 5 ", 5_000],
    ["Fri, 06 Nov 2026 08:50:37 GMT", 60_000],
    ["Friday, 06-Nov-26 08:50:37 GMT", 60_000],
    ["Fri Nov  6 08:50:37 2026", 60_000],
    ["Sun, 06 Nov 1994 08:49:37 GMT", 0],
    ["Sunday, 06-Nov-94 08:49:37 GMT", 0],
  ];
  for (const [text, ms] of understood) {
    it(`asks for ${ms} ms: ${text}`, () => {
      assert.equal(retryAfterMs(text, NOW), ms);
    });
  }

  const nonsense = [
    "",
    "-1",
    "1.5",
    "1e3",
    "0x10",
    "soon",
    "9999999999999",
    "Fri, 06 Nov 2026 08:50:37 CET",
    "2026-11-06T08:50:37Z",
    "Fri, 66 Nov 2026 08:50:37 GMT",
    "١٢",
  ];
  for (const text of nonsense) {
    it(`is ignored when it is nonsense: ${JSON.stringify(text)}`, () => {
      assert.equal(retryAfterMs(text, NOW), null);
    });
  }

  it("is ignored when it is missing or repeated", () => {
    assert.equal(retryAfterMs(undefined, NOW), null);
    assert.equal(retryAfterMs(["1", "2"], NOW), null);
  });
});
