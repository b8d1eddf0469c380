import assert from "node:assert/strict";
import { once } from "node:events";
import { PassThrough, Writable } from "node:stream";
import { describe, it } from "node:test";

import { mailContent, pour } from "../../../src/adapters/smtp-out/mail-content.ts";
import { CONTENT_PIECE } from "../../../src/domain/event-log.ts";

/** A socket that takes what it is given when the test says so. */
const slowSocket = () => {
  const taken: Buffer[] = [];
  let release: (() => void) | undefined;
  const socket = new Writable({
    highWaterMark: 64 * 1_024,
    write: (chunk: Buffer, _encoding, done) => {
      release = () => {
        taken.push(Buffer.from(chunk));
        done();
      };
    },
  });
  return {
    socket,
    taken: () => Buffer.concat(taken),
    waiting: () => release !== undefined,
    take: (): void => {
      const run = release;
      release = undefined;
      run?.();
    },
  };
};

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const stored = (sizes: readonly number[]) => {
  const pieces = sizes.map((size, index) => new Uint8Array(size).fill(index + 1));
  const whole = Buffer.concat(pieces);
  let read = 0;
  return {
    pieces,
    whole,
    read: () => read,
    content: {
      size: whole.length,
      pieces: {
        async *[Symbol.asyncIterator]() {
          for (const piece of pieces) {
            read += 1;
            yield piece;
          }
        },
      },
    },
  };
};

const fail = (error?: unknown): never => assert.fail(String(error));

describe("a large content on its way out", () => {
  it("is read piece by piece, each given back when it has left, and arrives whole", async () => {
    const { socket, take, taken, waiting } = slowSocket();
    const into = new PassThrough();
    into.pipe(socket);
    const { content, pieces, whole, read } = stored([CONTENT_PIECE, CONTENT_PIECE, CONTENT_PIECE, 1_000, 70_000, 5]);
    pour(await mailContent(content, fail), into, socket, fail);
    const ended = once(socket, "finish");
    let turns = 0;
    for (; !socket.writableFinished && turns < 1_000; turns += 1) {
      await turn();
      const before = read();
      if (waiting()) {
        assert.ok((pieces[before - 1]?.byteLength ?? 0) > 0, "what has not left is not given back");
        await turn();
        assert.equal(read(), before, "nothing is read before the last has left");
      }
      take();
    }
    await ended;
    assert.ok(taken().equals(whole));
    assert.deepEqual(
      pieces.map(({ byteLength }) => byteLength),
      [0, 0, 0, 1_000, 0, 5],
    );
  });

  it("is read no further when it is stopped, and not ended", async () => {
    const { socket, take } = slowSocket();
    const into = new PassThrough();
    into.pipe(socket);
    const { content, read } = stored([CONTENT_PIECE, CONTENT_PIECE, CONTENT_PIECE]);
    const stop = pour(await mailContent(content, fail), into, socket, fail);
    await turn();
    stop();
    take();
    await turn();
    assert.equal(read(), 1);
    assert.ok(!into.writableEnded);
  });
});
