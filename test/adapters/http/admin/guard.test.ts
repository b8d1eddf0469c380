/** Who gets in to the admin API, and with what requests. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { MINUTE_MS } from "../../../../src/domain/clock.ts";
import { adminWorld, LOGIN, PASSWORD, type AdminWorld } from "./admin-world.ts";

const basic = (user: string, password: string): string => `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

const every = [
  ["GET", "/queue"],
  ["POST", "/queue/actions"],
  ["GET", "/retired"],
  ["GET", "/messages/1"],
  ["GET", "/messages/1/content"],
  ["GET", "/webhooks"],
  ["GET", "/webhooks/retired"],
  ["GET", "/webhooks/1"],
  ["POST", "/webhooks/actions"],
  ["GET", "/suppressions"],
  ["POST", "/suppressions"],
  ["DELETE", "/suppressions/shop/a@b.example"],
  ["GET", "/holdrules"],
  ["POST", "/holdrules"],
  ["DELETE", "/holdrules/1"],
  ["GET", "/events"],
  ["GET", "/events?follow=true"],
  ["GET", "/streams/message-1"],
  ["GET", "/received"],
  ["GET", "/received/1"],
  ["GET", "/received/1/content"],
  ["GET", "/views"],
  ["GET", "/stats"],
  ["GET", "/nothing-here"],
] as const;

describe("the admin API's door", () => {
  let world: AdminWorld;

  before(async () => {
    world = await adminWorld();
  });
  after(() => world.stop());

  const status = async (authorization: string): Promise<number> => (await world.call("/stats", { headers: { authorization } })).status;

  it("is shut on every route without a login", async () => {
    for (const [method, path] of every) {
      const response = await fetch(`${world.base}/admin/api/v0${path}`, { method });
      const body = (await response.json()) as { readonly error: { readonly code: string } };
      assert.deepEqual([response.status, body.error.code], [401, "unauthorized"], path);
      assert.match(response.headers.get("www-authenticate") ?? "", /^Basic realm="/u);
    }
  });

  it("opens to the admin's password only", async () => {
    assert.equal(await status(LOGIN), 200);
    for (const login of [
      basic("root", PASSWORD),
      basic("admin", ""),
      basic("admin", `${PASSWORD} `),
      basic("", ""),
      basic("admin", "x".repeat(5_000)),
    ]) {
      assert.equal(await status(login), 401);
    }
    for (const header of ["", "Basic", "Basic !", "Bearer abc", `Basic ${Buffer.from("admin").toString("base64")}`]) {
      assert.equal(await status(header), 401, header);
    }
    assert.ok(!world.passwords.some((password) => password.length > 1_024), "a long password is not worth a hash");
  });

  it("stays shut for a while to who guessed too often, right or wrong, and never hashes more guesses at once", async () => {
    world.clock.advance(24 * 60 * MINUTE_MS);
    const heard = world.passwords.length;
    const statuses = await Promise.all(Array.from({ length: 40 }, () => status(basic("admin", "guess"))));
    assert.equal(statuses.filter((code) => code === 401).length, 10);
    assert.ok(statuses.filter((code) => code !== 401).every((code) => code === 429 || code === 503));
    assert.equal(world.passwords.length - heard, 10);
    assert.equal(await status(LOGIN), 429);
    world.clock.advance(MINUTE_MS);
    assert.equal(await status(LOGIN), 200);
  });

  it("takes no changes from pages of other sites", async () => {
    const body = { recipientDomain: "a.example" };
    for (const headers of [
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
      { origin: "https://evil.example" },
      { origin: "null" },
    ]) {
      const answer = await world.call("/holdrules", { body, headers: headers as unknown as Record<string, string> });
      assert.deepEqual([answer.status, answer.get("error.code")], [403, "crossOrigin"]);
      assert.equal(
        (await world.call("/holdrules/1", { method: "DELETE", headers: headers as unknown as Record<string, string> })).status,
        403,
      );
    }
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]) {
      const answer = await world.call("/holdrules", { body: JSON.stringify(body), headers: { "content-type": type } });
      assert.equal(answer.status, 415, type);
    }
    assert.equal((await world.call("/holdrules")).get("items.length"), 0);
    const own = { "sec-fetch-site": "same-origin", origin: world.base, "content-type": "application/json; charset=utf-8" };
    assert.equal((await world.call("/holdrules", { body, headers: own })).status, 200);
  });

  it("answers errors as JSON with their status", async () => {
    const cases = [
      [await world.call("/nothing"), 404, "notFound"],
      [await world.call("/QUEUE"), 404, "notFound"],
      [await world.call("/queue/"), 404, "notFound"],
      [await world.call("/queue", { method: "DELETE" }), 405, "methodNotAllowed"],
      [await world.call("/queue", { method: "PUT" }), 405, "methodNotAllowed"],
      [await world.call("/queue/actions"), 405, "methodNotAllowed"],
      [await world.call("/queue/actions", { body: "{" }), 400, "badJson"],
      [await world.call("/queue/actions", { body: "[".repeat(100_000) }), 400, "badJson"],
      [await world.call("/queue/actions", { body: `"${"x".repeat(2_000_000)}"` }), 413, "tooLarge"],
      [await world.call("/queue/actions", { body: '{"__proto__":{"all":true}}' }), 400, "badRequest"],
      [await world.call("/queue/actions", { body: "null" }), 400, "badRequest"],
    ] as const;
    for (const [answer, expected, code] of cases) {
      assert.deepEqual([answer.status, answer.get("error.code")], [expected, code]);
      assert.equal(answer.headers.get("cache-control"), "no-store");
    }
    assert.equal((await world.call("/queue", { method: "PUT" })).headers.get("allow"), "HEAD, GET");
  });

  it("does not fall for tricks with paths", async () => {
    for (const path of [
      "/admin/api/v0/../../queue",
      "/admin/api/v0/%2e%2e/queue",
      "//admin/api/v0/stats",
      "/admin/api/v0//stats",
      "/admin/api/v0/stats%00",
      "/admin/api/v1/stats",
    ]) {
      const { status: found } = await world.raw(path, { authorization: LOGIN });
      assert.ok([400, 401, 404].includes(found), `${path}: ${found}`);
    }
  });

  it("survives a client that goes in the middle of its body", async () => {
    const socket = connect(world.port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(
      `POST /admin/api/v0/queue/actions HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${LOGIN}\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"a`,
    );
    socket.end();
    await text(socket);
    assert.equal(await status(LOGIN), 200);
    assert.deepEqual(world.errors, []);
  });
});

describe("an admin API without a password", () => {
  it("is off", async () => {
    const world = await adminWorld({ withoutPassword: true });
    try {
      const answer = await world.call("/stats");
      assert.deepEqual([answer.status, answer.get("error.code")], [403, "adminDisabled"]);
    } finally {
      await world.stop();
    }
  });
});

describe("an admin API whose views are out of order", () => {
  it("says that something went wrong, and nothing about it, but to the log", async () => {
    const world = await adminWorld({ brokenQueries: true });
    try {
      const answer = await world.call("/queue");
      assert.deepEqual([answer.status, answer.get("error.code")], [500, "server"]);
      assert.ok(!answer.text.includes("closed"));
      assert.equal((await fetch(`${world.base}/queue`)).status, 500);
      assert.equal(world.errors.length, 2);
    } finally {
      await world.stop();
    }
  });
});
