/** Batches arrive at the writing thread as they were sent. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { packBatch, unpackBatch } from "../../../src/adapters/views/packed-batch.ts";

const fields = {
  position: fc.nat(),
  revision: fc.nat(),
  version: fc.integer({ min: 1, max: 9 }),
  at: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  stream: fc.string({ unit: "grapheme" }),
  type: fc.string(),
  data: fc.string({ unit: "binary" }),
};
const stored = fc.record(fields, { noNullPrototype: true });

describe("a packed batch", () => {
  it("unpacks to what was packed, after a copy between threads", () => {
    fc.assert(
      fc.property(fc.array(stored), fc.nat(), (events, upTo) => {
        assert.deepEqual(unpackBatch(structuredClone(packBatch({ events, upTo }))), { events, upTo });
      }),
    );
  });
});
