/** Operations survive the trip between the threads. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Operation } from "../../../../src/adapters/event-store/sqlite/operations.ts";
import { joinContent } from "../../../../src/domain/content.ts";
import { pack, unpack } from "../../../../src/adapters/event-store/sqlite/wire.ts";

const integer = fc.maxSafeInteger();
const text = fc.string({ unit: "binary" });
const event = fc.record({ type: text, version: integer, at: integer, data: text }, { noNullPrototype: true });
const write = fc.record({ stream: text, expectedRevision: integer, events: fc.array(event) }, { noNullPrototype: true });
const octets = fc.oneof(
  fc.uint8Array({ maxLength: 50 }),
  fc.integer({ min: 60_000, max: 70_000 }).map((size) => new Uint8Array(size).fill(size & 0xff)),
);
const content = fc.record({ id: integer, pieces: fc.array(octets, { maxLength: 4 }) }, { noNullPrototype: true });

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record(
    { kind: fc.constant("append" as const), writes: fc.array(write), contents: fc.array(content, { maxLength: 4 }) },
    { noNullPrototype: true },
  ),
  fc.record({ kind: fc.constant("deleteStream" as const), stream: text }, { noNullPrototype: true }),
  fc.record({ kind: fc.constant("saveCheckpoint" as const), name: text, position: integer }, { noNullPrototype: true }),
  fc.record({ kind: fc.constant("deleteContents" as const), ids: fc.array(integer) }, { noNullPrototype: true }),
);

/** Where the cuts lie means nothing. */
const uncut = (operations: readonly Operation[]): readonly unknown[] =>
  operations.map((each) =>
    each.kind === "append"
      ? { ...each, contents: each.contents.map(({ id, pieces }) => ({ id, bytes: joinContent([...pieces, new Uint8Array()]) })) }
      : each,
  );

describe("operations on the wire", () => {
  it("arrive as they were sent", () => {
    fc.assert(
      fc.property(fc.array(operation), (operations) => {
        const expected = structuredClone(uncut(operations));
        const { packet, transfer } = pack(operations);
        assert.deepEqual(uncut(unpack(structuredClone(packet, { transfer: [...transfer] }))), expected);
      }),
    );
  });

  it("take the memory of large pieces along, and small ones together", () => {
    const large = new Uint8Array(70_000).fill(1);
    const small = (size: number): Uint8Array => new Uint8Array(size).fill(2);
    const pieces = [small(1), small(2), large, small(3), small(4)];
    const { packet, transfer } = pack([{ kind: "append", writes: [], contents: [{ id: 1, pieces }] }]);
    assert.deepEqual(transfer, [packet.packed.buffer, large.buffer]);
    const [operation] = unpack(packet);
    assert.ok(operation?.kind === "append");
    assert.deepEqual(
      operation.contents[0]?.pieces.map(({ byteLength }) => byteLength),
      [3, 70_000, 7],
    );
  });
});
