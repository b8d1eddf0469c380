/** Contents as bodies of answers, over a real connection. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import Koa from "koa";
import { answerContent, type BodyContent } from "../../../src/adapters/http/content-body.ts";

const PIECE = Buffer.alloc(100_000, "a");

/** Answers every request with the content, and calls back when asked for another piece. */
const served = async (content: BodyContent, use: (url: string) => Promise<void>): Promise<void> => {
  const app = new Koa({ env: "test" });
  app.silent = true;
  app.use((ctx) => {
    ctx.type = "message/rfc822";
    answerContent(ctx, content);
  });
  const handle = app.callback();
  const server = createServer((request, response) => void handle(request, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  } finally {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  }
};

describe("a content that is answered", () => {
  it("comes whole, with its size", async () => {
    await served({ size: 300_000, pieces: [PIECE, PIECE, PIECE] }, async (url) => {
      const response = await fetch(url);
      assert.deepEqual([response.headers.get("content-length"), response.headers.get("content-type")], ["300000", "message/rfc822"]);
      assert.equal((await response.text()).length, 300_000);
      const head = await fetch(url, { method: "HEAD" });
      assert.deepEqual([head.headers.get("content-length"), await head.text()], ["300000", ""]);
    });
  });

  it("breaks the connection when it cannot be read to its end", async () => {
    async function* pieces(): AsyncGenerator<Uint8Array> {
      yield PIECE;
      throw new Error("deleted");
    }
    await served({ size: 300_000, pieces: pieces() }, async (url) => {
      await assert.rejects(async () => (await fetch(url)).text());
    });
  });

  it("is read no faster than the client takes it, and no further when the client goes", async () => {
    let read = 0;
    const ended = Promise.withResolvers<undefined>();
    async function* pieces(): AsyncGenerator<Uint8Array> {
      try {
        for (; read < 10_000; read += 1) yield PIECE;
      } finally {
        ended.resolve(undefined);
      }
    }
    await served({ size: 10_000 * PIECE.length, pieces: pieces() }, async (url) => {
      const gone = new AbortController();
      const response = await fetch(url, { signal: gone.signal });
      await response.body?.getReader().read();
      gone.abort();
      await ended.promise;
      assert.ok(read < 1_000, `${read} pieces were read`);
    });
  });
});
