/** The log over the admin API: streams, pages of events, and following it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { after, before, beforeEach, afterEach, describe, it } from "node:test";
import { happened, NOON } from "../../../support/samples.ts";
import { adminWorld, LOGIN, type AdminWorld } from "./admin-world.ts";

type Item = { readonly position: number; readonly stream: string; readonly text: string; readonly event: { readonly type: string } };

describe("the log over the admin API", () => {
  let world: AdminWorld;

  before(async () => {
    world = await adminWorld();
    await world.queue([1, 2, 3]);
    await world.tell("message-2", [happened("MessageHeld")]);
    await world.tell("recipient-shop/a@b.example", [{ type: "RecipientContacted", at: NOON, account: "shop", baseAddress: "a@b.example" }]);
  });
  after(() => world.stop());

  const types = (items: unknown): readonly string[] => (items as readonly Item[]).map(({ event }) => event.type);

  it("shows a stream, also one with a slash in its name", async () => {
    const { get } = await world.call("/streams/message-2");
    assert.deepEqual(types(get("items")), ["MessageQueued", "MessageHeld"]);
    assert.equal(get("items.1.text"), "put on hold by ada");
    assert.equal((await world.call(`/streams/${encodeURIComponent("recipient-shop/a@b.example")}`)).get("items.length"), 1);
  });

  it("knows no other streams", async () => {
    for (const name of ["message-99", "message-", "%00", "..", "%F0%9F%93%AF", "x".repeat(1_500), "%ff"]) {
      const { status } = await world.call(`/streams/${name}`);
      assert.ok(status === 404 || status === 400, `${name.slice(0, 20)}: ${status}`);
    }
    assert.deepEqual(world.errors, []);
  });

  it("pages through all events", async () => {
    const seen: string[] = [];
    for (let next = 0; ;) {
      const page = await world.call(`/events?after=${next}&limit=2`);
      seen.push(...types(page.get("items")));
      next = page.get("next") as number;
      if (next >= (page.get("head") as number)) break;
    }
    assert.deepEqual(seen, ["MessageQueued", "MessageQueued", "MessageQueued", "MessageHeld", "RecipientContacted"]);
    assert.equal((await world.call(`/events?after=${world.log.head() + 5}`)).get("items.length"), 0);
  });

  it("narrows to types and streams", async () => {
    assert.deepEqual(types((await world.call("/events?types=MessageHeld,RecipientContacted")).get("items")), [
      "MessageHeld",
      "RecipientContacted",
    ]);
    assert.deepEqual(types((await world.call("/events?streamPrefix=recipient-")).get("items")), ["RecipientContacted"]);
    const unknown = await world.call("/events?types=MessageLost");
    assert.deepEqual([unknown.status, unknown.get("error.code")], [400, "badRequest"]);
    for (const query of ["after=-1", "after=x", "limit=0", "follow=1", "types=", "streamprefix=a"]) {
      assert.equal((await world.call(`/events?${query}`)).status, 400, query);
    }
  });
});

describe("following the log", () => {
  let world: AdminWorld;

  beforeEach(async () => {
    world = await adminWorld();
    await world.queue([1]);
  });
  afterEach(() => world.stop());

  const follow = async (query: string, headers: Readonly<Record<string, string>> = {}) => {
    const sent = request(`${world.base}/admin/api/v0/events?follow=true${query}`, { headers: { authorization: LOGIN, ...headers } });
    sent.end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    const lines = createInterface({ input: response })[Symbol.asyncIterator]();
    const line = async (): Promise<string> => {
      const next = await lines.next();
      return next.done === true ? "(end)" : next.value;
    };
    return { response, line, leave: () => sent.destroy() };
  };

  it("tells what comes, line by line", async () => {
    const { response, line, leave } = await follow("");
    assert.match(response.headers["content-type"] ?? "", /^application\/x-ndjson/u);
    assert.equal(await line(), "");
    await world.tell("message-1", [happened("MessageHeld")]);
    const item = JSON.parse(await line()) as Item;
    assert.deepEqual([item.stream, item.event.type, item.text], ["message-1", "MessageHeld", "put on hold by ada"]);
    leave();
  });

  it("starts where it is told to, and leaves out what was not asked for", async () => {
    const { line, leave } = await follow("&after=0&types=MessageReleased&streamPrefix=message-1");
    await line();
    await world.tell("message-1", [happened("MessageHeld"), happened("MessageReleased")]);
    assert.equal((JSON.parse(await line()) as Item).event.type, "MessageReleased");
    leave();
  });

  it("speaks to browsers as Server-Sent Events, and picks up where one was", async () => {
    const { response, line, leave } = await follow("", { accept: "text/event-stream", "last-event-id": "0" });
    assert.match(response.headers["content-type"] ?? "", /^text\/event-stream/u);
    assert.deepEqual([await line(), await line()], [":", ""]);
    assert.deepEqual([await line(), await line()], [`id: ${world.log.head()}`, "event: MessageQueued"]);
    assert.match(await line(), /^data: \{"position":/u);
    leave();
  });

  it("gives a sign of life while nothing happens", async () => {
    const { line, leave } = await follow("");
    await line();
    const pending = line();
    while (world.clock.pending() === 0) await new Promise(setImmediate);
    world.clock.advance(15_000);
    assert.equal(await pending, "");
    leave();
  });

  it("ends when the server stops", async () => {
    const { line } = await follow("");
    await line();
    world.stopFollowers();
    assert.equal(await line(), "(end)");
  });

  it("gives up its place when the client goes, and bounds how many there are", async () => {
    const all = await Promise.all(Array.from({ length: 32 }, () => follow("")));
    for (const { line } of all) await line();
    const refused = await world.call("/events?follow=true");
    assert.deepEqual([refused.status, refused.get("error.code")], [503, "tooManyFollowers"]);
    for (const { leave } of all) leave();
    // The places are given back when the server has noticed; asking again is how a client would find out.
    for (let attempt = 0; ; attempt += 1) {
      const { response, leave } = await follow("");
      leave();
      if (response.statusCode === 200) break;
      assert.ok(attempt < 1_000);
    }
    assert.deepEqual(world.errors, []);
  });
});
