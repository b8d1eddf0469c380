import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, it } from "node:test";
import type { Middleware } from "koa";
import type { ListenOptions } from "../../../src/adapters/http/server.ts";
import { createHttpApp, listen } from "../../../src/adapters/http/server.ts";
import { SILENT } from "./support/webapi-server.ts";

const start = (mount: Middleware, options: Partial<ListenOptions> = {}) =>
  listen(createHttpApp({ mounts: [mount], log: SILENT }), { address: "127.0.0.1", port: 0, ...options });

const hello: Middleware = (ctx) => {
  ctx.body = "hello";
};

const talk = async (port: number, octets: string): Promise<string> => {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(octets);
  let answer = "";
  socket.on("data", (chunk: Buffer) => (answer += chunk.toString()));
  await once(socket, "close");
  return answer;
};

const closing = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

describe("a listener", () => {
  it("answers garbage with 400 and lives on", async () => {
    const server = await start(hello);
    for (const octets of [
      "garbage\r\n\r\n",
      "\0\u0001\u0002\r\n\r\n",
      "GET / HTTP/1.1\r\n\r\n",
      "GET / HTTP/9.9\r\nHost: x\r\n\r\n",
      "GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    ]) {
      assert.match(await talk(server.port, octets), /^HTTP\/1\.1 400 /, JSON.stringify(octets));
    }
    const twice = await talk(server.port, `${closing.replace("close", "keep-alive")}more garbage\r\n\r\n`);
    assert.match(twice, /^HTTP\/1\.1 (?:200|400) /);
    assert.match(await talk(server.port, closing), /hello$/);
    await server.close(0);
  });

  it("answers absurd addresses without failing", async () => {
    const server = await start((ctx, next) =>
      ctx.path.startsWith("/nowhere") ? next() : void (ctx.body = JSON.stringify(ctx.query).slice(0, 10)),
    );
    for (const target of [
      "/%",
      "/%zz%ff",
      "//",
      "/?" + "a&".repeat(7_000),
      "/?a[b][c]=1&__proto__[x]=y",
      "*",
      "http://[::1]:99999/",
      "/\\..\\..",
      "/nowhere%00",
    ]) {
      const answer = await talk(server.port, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 (?:200|400|404) /, target.slice(0, 30));
    }
    await server.close(0);
  });

  it("refuses headers that are too large", async () => {
    const server = await start(hello);
    assert.match(await talk(server.port, `GET / HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(20_000)}\r\n\r\n`), /^HTTP\/1\.1 431 /);
    await server.close(0);
  });

  it("cuts off who does not finish a header, and who does nothing", async () => {
    const server = await start(hello, { headerTimeoutMs: 30, idleTimeoutMs: 150 });
    assert.match(await talk(server.port, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "), /^(?:HTTP\/1\.1 408 |$)/);
    assert.match(await talk(server.port, ""), /^(?:HTTP\/1\.1 408 |$)/);
    await server.close(0);
  });

  it("says no more than that it failed when it does, and lives on", async () => {
    const server = await start(() => {
      throw new Error("secret detail");
    });
    const answer = await talk(server.port, closing);
    assert.match(answer, /^HTTP\/1\.1 500 [^]*X-Request-Id: /);
    assert.ok(!answer.includes("secret"));
    await server.close(0);
  });

  it("gives each request an id of its own", async () => {
    const server = await start(hello);
    const ids = await Promise.all([1, 2, 3].map(async () => (await fetch(`http://127.0.0.1:${server.port}/`)).headers.get("x-request-id")));
    assert.equal(new Set(ids).size, 3);
    await server.close(0);
  });

  it("rejects when its port is taken", async () => {
    const server = await start(hello);
    await assert.rejects(start(hello, { port: server.port }), { code: "EADDRINUSE" });
    await server.close(0);
  });
});

describe("a listener that closes", () => {
  it("lets a request in progress finish, and closes idle connections", async () => {
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<undefined>();
    const { promise: released, resolve: release } = Promise.withResolvers<undefined>();
    const server = await start(async (ctx) => {
      arrive(undefined);
      await released;
      ctx.body = "finished";
    });
    const idle = connect(server.port, "127.0.0.1");
    await once(idle, "connect");
    const answer = talk(server.port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await arrived;
    const closed = server.close(60_000);
    release(undefined);
    assert.match(await answer, /finished$/);
    await closed;
    idle.destroy();
  });

  it("cuts what is left after its grace", async () => {
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<undefined>();
    const server = await start(() => {
      arrive(undefined);
      return new Promise(() => undefined);
    });
    const answer = talk(server.port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await arrived;
    await server.close(10);
    assert.equal(await answer, "");
  });
});
