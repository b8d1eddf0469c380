/** An attempt belongs to one claimant until it can have ended. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CLAIM_MARGIN_MS, claimEndsAt, mayBegin } from "../../src/domain/claim.ts";
import { MINUTE_MS } from "../../src/domain/clock.ts";
import { NOON } from "../support/samples.ts";

describe("a claim", () => {
  it("ends when the retry would be due, but leaves the attempt its time and a margin", () => {
    assert.equal(claimEndsAt(NOON, 10 * MINUTE_MS, MINUTE_MS), NOON + 10 * MINUTE_MS);
    assert.equal(claimEndsAt(NOON, MINUTE_MS, 10 * MINUTE_MS), NOON + 10 * MINUTE_MS + CLAIM_MARGIN_MS);
  });

  it("may be used while the attempt can end, and its end be stored, within it", () => {
    const endsAt = claimEndsAt(NOON, MINUTE_MS, 10 * MINUTE_MS);
    assert.ok(mayBegin(endsAt, NOON, 10 * MINUTE_MS));
    assert.ok(mayBegin(endsAt, NOON + CLAIM_MARGIN_MS / 2, 10 * MINUTE_MS));
    assert.ok(!mayBegin(endsAt, NOON + CLAIM_MARGIN_MS / 2 + 1, 10 * MINUTE_MS));
    assert.ok(!mayBegin(endsAt, endsAt, 10 * MINUTE_MS));
  });
});
