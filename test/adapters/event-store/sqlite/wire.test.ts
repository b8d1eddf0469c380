/** Operations survive the trip between the threads. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Operation } from "../../../../src/adapters/event-store/sqlite/operations.ts";
import { pack, unpack } from "../../../../src/adapters/event-store/sqlite/wire.ts";

const integer = fc.maxSafeInteger();
const text = fc.string({ unit: "binary" });
const event = fc.record({ type: text, version: integer, at: integer, data: text }, { noNullPrototype: true });
const write = fc.record({ stream: text, expectedRevision: integer, events: fc.array(event) }, { noNullPrototype: true });
const octets = fc.oneof(
  fc.uint8Array({ maxLength: 50 }),
  fc.integer({ min: 60_000, max: 70_000 }).map((size) => new Uint8Array(size).fill(size & 0xff)),
);
const content = fc.record({ id: integer, bytes: octets }, { noNullPrototype: true });

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record(
    { kind: fc.constant("append" as const), writes: fc.array(write), contents: fc.array(content, { maxLength: 4 }) },
    { noNullPrototype: true },
  ),
  fc.record({ kind: fc.constant("deleteStream" as const), stream: text }, { noNullPrototype: true }),
  fc.record({ kind: fc.constant("saveCheckpoint" as const), name: text, position: integer }, { noNullPrototype: true }),
  fc.record({ kind: fc.constant("deleteContents" as const), ids: fc.array(integer) }, { noNullPrototype: true }),
);

describe("operations on the wire", () => {
  it("arrive as they were sent", () => {
    fc.assert(
      fc.property(fc.array(operation), (operations) => {
        const expected = structuredClone(operations);
        const { packet, transfer } = pack(operations);
        assert.deepEqual(unpack(structuredClone(packet, { transfer: [...transfer] })), expected);
      }),
    );
  });
});
