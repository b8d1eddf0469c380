/** Contents put together from bits of any size. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { gatherContent, joinContent } from "../../src/domain/content.ts";
import { CONTENT_PIECE, contentSize } from "../../src/domain/event-log.ts";

const pattern = (size: number): Uint8Array => Uint8Array.from({ length: size }, (_, index) => (index * 31 + (index >> 8)) & 0xff);

describe("a gathered content", () => {
  it("is what was added, in pieces that can change hands", () => {
    const sizes = fc.array(fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 70_000 }), fc.nat({ max: 600_000 })), { maxLength: 12 });
    fc.assert(
      fc.property(sizes, (each) => {
        const gathered = gatherContent();
        const bits = each.map(pattern);
        for (const bit of bits) gathered.add(bit);
        const content = gathered.content();
        const whole = Buffer.concat(bits);
        assert.equal(gathered.size(), whole.length);
        assert.equal(contentSize(content), whole.length);
        assert.ok(Buffer.concat(content).equals(whole));
        assert.ok(content.slice(0, -1).every(({ byteLength }) => byteLength === CONTENT_PIECE));
        if (whole.length >= CONTENT_PIECE) for (const { buffer, byteLength } of content) assert.equal(buffer.byteLength, byteLength);
      }),
      { numRuns: 60 },
    );
  });

  it("of one small bit is that bit", () => {
    const gathered = gatherContent();
    const bit = pattern(1_000);
    gathered.add(bit);
    gathered.add(new Uint8Array());
    assert.equal(gathered.content()[0], bit);
  });

  it("holds no views on what was added, of which there could be millions", () => {
    const gathered = gatherContent();
    const bits = pattern(3);
    for (let count = 0; count < 100_000; count += 1) gathered.add(bits);
    const content = gathered.content();
    assert.equal(content.length, 2);
    assert.ok(content.every(({ buffer }) => buffer !== bits.buffer));
  });

  it("gives back the memory of what was used, once it is copied and if it is all its own", () => {
    const gathered = gatherContent();
    const bits = [pattern(5_000), pattern(300_000), pattern(100_000), pattern(20)];
    const view = bits[2]?.subarray(10) ?? pattern(0);
    gathered.use(bits[0] ?? pattern(0));
    assert.equal(bits[0]?.byteLength, 5_000, "the first may be all there is");
    gathered.use(bits[1] ?? pattern(0));
    gathered.use(view);
    gathered.add(bits[3] ?? pattern(0));
    assert.deepEqual(
      bits.map(({ byteLength }) => byteLength),
      [0, 0, 100_000, 20],
    );
    const whole = Buffer.concat([pattern(5_000), pattern(300_000), pattern(100_000).subarray(10), pattern(20)]);
    assert.ok(Buffer.concat(gathered.content()).equals(whole));
  });

  it("of nothing has no piece", () => {
    assert.deepEqual(gatherContent().content(), []);
  });
});

describe("a joined content", () => {
  it("is the only piece itself, or a copy of all", () => {
    const piece = pattern(10);
    assert.equal(joinContent([piece]), piece);
    assert.deepEqual(joinContent([piece.slice(0, 4), new Uint8Array(), piece.slice(4)]), piece);
    assert.deepEqual(joinContent([]), new Uint8Array());
  });
});
