/** Small new contents are read from memory, and are the same as in the store. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { codec } from "../../../src/adapters/event-store/codec.ts";
import { eventLog } from "../../../src/adapters/event-store/event-log.ts";
import { memoryStore } from "../../../src/adapters/event-store/memory.ts";
import { rememberingContents } from "../../../src/adapters/event-store/recent-contents.ts";
import { joinContent } from "../../../src/domain/content.ts";
import type { ContentStore } from "../../../src/domain/event-log.ts";

const octets = (size: number, value: number): Uint8Array => new Uint8Array(size).fill(value);

const bench = (limit?: number) => {
  const store = memoryStore();
  const opened: number[] = [];
  const contents: ContentStore = {
    ...store.contents,
    open: (id) => {
      opened.push(id);
      return store.contents.open(id);
    },
  };
  const remembering = rememberingContents({ log: eventLog(store, codec), contents }, limit);
  const whole = async (id: number): Promise<Uint8Array | undefined> => {
    const content = await remembering.contents.open(id);
    if (content === undefined) return undefined;
    const pieces: Uint8Array[] = [];
    for await (const piece of content.pieces) pieces.push(piece);
    const joined = joinContent(pieces);
    assert.equal(joined.byteLength, content.size);
    // Whoever reads pieces owns them.
    joined.fill(0xff);
    for (const piece of pieces) if (piece.buffer instanceof ArrayBuffer) piece.buffer.transfer(0);
    return store.contents.read(id);
  };
  return { ...remembering, store, opened, whole };
};

describe("a small content that was stored just now", () => {
  it("is not read from the store, as often as it is asked for", async () => {
    const { log, contents, opened } = bench();
    await log.append([], [{ id: 1, pieces: [octets(10, 1), octets(0, 0), octets(20, 2)] }]);
    for (let times = 0; times < 3; times += 1) {
      const content = await contents.open(1);
      assert.equal(content?.size, 30);
      const pieces: Uint8Array[] = [];
      for await (const piece of content.pieces) {
        pieces.push(new Uint8Array(piece));
        piece.fill(9); // it is the reader's
      }
      assert.deepEqual(joinContent(pieces), joinContent([octets(10, 1), octets(20, 2)]));
    }
    assert.deepEqual(opened, []);
  });

  it("is gone when it is deleted", async () => {
    const { log, contents } = bench();
    await log.append([], [{ id: 1, pieces: [octets(10, 1)] }]);
    await contents.delete([1]);
    assert.equal(await contents.open(1), undefined);
  });

  it("is not there when its append was refused", async () => {
    const { log, contents } = bench();
    const result = await log.append([{ stream: "message-1", expectedRevision: 7, events: [] }], [{ id: 1, pieces: [octets(10, 1)] }]);
    assert.equal(result.appended, false);
    assert.equal(await contents.open(1), undefined);
  });
});

describe("a content that is large, or older than many others", () => {
  it("is read from the store", async () => {
    const { log, opened, whole } = bench(100);
    await log.append([], [{ id: 1, pieces: [octets(60, 1)] }]);
    await log.append([], [{ id: 2, pieces: [octets(60, 2)] }]);
    await log.append([], [{ id: 3, pieces: [octets(300_000, 3)] }]);
    assert.deepEqual(await whole(1), octets(60, 1));
    assert.deepEqual(await whole(2), octets(60, 2));
    assert.deepEqual(await whole(3), octets(300_000, 3));
    assert.deepEqual(opened, [1, 3]);
  });
});
