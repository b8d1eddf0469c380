/** The queue over the admin API: lists, filters, histories and actions. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { DAY_MS, HOUR_MS } from "../../../../src/domain/clock.ts";
import { happened, NOON } from "../../../support/samples.ts";
import { adminWorld, type AdminWorld } from "./admin-world.ts";

type Row = { readonly id: number; readonly state: string; readonly nextAttemptAt: number; readonly transport: string | null };

const ids = (items: unknown): readonly number[] => (items as readonly Row[]).map(({ id }) => id);

describe("the queue over the admin API", () => {
  let world: AdminWorld;

  before(async () => {
    world = await adminWorld();
    await world.queue([1, 2, 3, 4, 5]);
    await world.queue([6, 7], { recipient: "eve@other.example", recipientDomain: "other.example", from: "sales@shop.example" });
  });
  after(() => world.stop());

  const list = async (query: string): Promise<readonly number[]> => ids((await world.call(`/queue${query}`)).get("items"));

  it("lists messages by their next attempt", async () => {
    assert.deepEqual(await list(""), [1, 6, 2, 7, 3, 4, 5]);
    assert.deepEqual(await list("?sort=queuedAt&direction=descending"), [7, 6, 5, 4, 3, 2, 1]);
  });

  it("lists page by page", async () => {
    const seen: number[] = [];
    for (let cursor = ""; ;) {
      const { get } = await world.call(`/queue?sort=queuedAt&limit=3${cursor}`);
      seen.push(...ids(get("items")));
      const next = get("next");
      if (typeof next !== "string") break;
      cursor = `&cursor=${encodeURIComponent(next)}`;
    }
    assert.deepEqual(seen, [1, 2, 3, 4, 5, 6, 7]);
  });

  it("filters, whatever the case of a domain", async () => {
    assert.deepEqual(await list("?to=@OTHER.example"), [6, 7]);
    assert.deepEqual(await list("?to=eve@other.example&from=sales@shop.example"), [6, 7]);
    assert.deepEqual(await list("?to=eve@there.example"), []);
    assert.deepEqual(await list("?ids=3,1&sort=queuedAt"), [1, 3]);
    assert.deepEqual(await list(`?nextAttemptAfter=${NOON + 120_000}`), [4, 5]);
    assert.deepEqual(await list("?nextAttemptBefore=2026-06-01T12:01:00Z"), [1, 6]);
    assert.deepEqual(await list("?hold=true"), []);
    assert.deepEqual(await list("?account=nobody"), []);
  });

  it("refuses filters that it cannot make sense of", async () => {
    const queries = [
      "to=a",
      "to=@",
      "from=@b@c%20d",
      "hold=yes",
      "ids=1,x",
      "ids=",
      "ids=0",
      "limit=0",
      "limit=1001",
      "limit=1e2",
      "sort=id",
      "nextAttemptBefore=soon",
    ];
    for (const query of [
      ...queries,
      "tp=@a.example",
      "to=@a.example&to=@b.example",
      "account=%00",
      "nextAttemptBefore=99999999999999999",
      "state=gone",
    ]) {
      const { status, get } = await world.call(`/queue?${query}`);
      assert.equal(status, 400, query);
      assert.deepEqual(Object.keys(get("error") as object), ["code", "message"], query);
    }
  });

  it("refuses cursors that no list made", async () => {
    for (const cursor of ["x", "WzEsMl0x", "%00", "..%2F..", "a".repeat(3_000), "W251bGwsMV0"]) {
      const { status } = await world.call(`/queue?cursor=${cursor}`);
      assert.equal(status, 400, cursor);
    }
    assert.equal((await world.call("/queue?cursor=x")).get("error.code"), "badCursor");
  });

  it("shows a message with its attempts and events, also while the views do not know them", async () => {
    await world.log.append([
      {
        stream: "message-5",
        expectedRevision: 0,
        events: [happened("DeliveryAttempted"), happened("DeliveryDeferred", { nextAttemptAt: NOON + HOUR_MS })],
      },
    ]);
    const { status, get } = await world.call("/messages/5");
    assert.equal(status, 200);
    assert.equal(get("message.state"), "queued");
    assert.equal(get("message.nextAttemptAt"), NOON + HOUR_MS);
    assert.deepEqual([get("attempts.length"), get("attempts.0.outcome"), get("attempts.0.code")], [1, "deferred", 451]);
    const events = get("events") as readonly {
      readonly revision: number;
      readonly event: { readonly type: string };
      readonly text: string;
    }[];
    assert.deepEqual(
      events.map(({ event }) => event.type),
      ["MessageQueued", "DeliveryAttempted", "DeliveryDeferred"],
    );
    assert.match(events[2]?.text ?? "", /^attempt 1 failed at mx\.there\.example after 20 ms: 451 no luck; next at 2026-06-01T13:00:00Z$/u);
  });

  it("knows no message by another name", async () => {
    for (const id of ["99", "0", "-1", "1.0", "0x1", "1e3", "9".repeat(17), "a", "%2e%2e", "..%2fretired", "1%00", "%ff", "%"]) {
      const { status } = await world.call(`/messages/${id}`);
      assert.ok(status === 404 || status === 400, `${id}: ${status}`);
    }
  });

  it("hands out the content of a message while it is there, never to be rendered", async () => {
    await world.tell(
      "message-8",
      [{ ...happened("MessageQueued"), id: 8, contentId: 77 }],
      [{ id: 77, pieces: [Buffer.from("Subject: <b>\r\n\r\nhi")] }],
    );
    const { status, headers, text } = await world.call("/messages/8/content");
    assert.deepEqual([status, headers.get("content-type"), text], [200, "message/rfc822", "Subject: <b>\r\n\r\nhi"]);
    assert.equal(headers.get("content-disposition"), 'attachment; filename="message-8.eml"');
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal((await world.call("/messages/1/content")).status, 404);
    assert.equal((await world.call("/messages/99/content")).status, 404);
  });
});

describe("an action on the queue", () => {
  let world: AdminWorld;

  before(async () => {
    world = await adminWorld();
    await world.queue([1, 2, 3, 4, 5]);
    await world.queue([6], { recipient: "eve@other.example", recipientDomain: "other.example" });
  });
  after(() => world.stop());

  const act = (action: unknown, filter: unknown, more: Readonly<Record<string, unknown>> = {}) =>
    world.call("/queue/actions", { body: { action, filter, ...more } });
  const message = async (id: number): Promise<Row> => (await world.call(`/messages/${id}`)).get("message") as Row;

  it("wants to be told so when it means every message", async () => {
    for (const type of ["drop", "hold", "fail", "release"]) {
      const { status, get } = await act({ type }, {});
      assert.deepEqual([status, get("error.code")], [400, "filterRequired"]);
    }
    assert.equal((await act({ type: "drop" }, { all: true, to: "@other.example" })).status, 400);
    assert.equal((await act({ type: "drop" }, { all: false })).status, 400);
    assert.equal((await act({ type: "drop" }, undefined)).status, 400);
    assert.equal((await world.call("/queue")).get("items.length"), 6);
  });

  it("refuses what it does not know", async () => {
    const filter = { ids: [1] };
    const bad: unknown[] = ["hold", { type: "explode" }, { type: "hold", at: 1 }, { type: "schedule" }, { type: "schedule", at: "soon" }];
    bad.push(
      { type: "schedule", at: 5 },
      { type: "scheduleIn", inMs: -1 },
      { type: "postpone", byMs: 1e15 },
      { type: "setTransport", transport: "nowhere" },
    );
    for (const action of [...bad, { type: "setRequireTls" }, { type: "setRequireTls", requireTls: "yes" }, null, 1]) {
      assert.equal((await act(action, filter)).status, 400, JSON.stringify(action));
    }
    for (const wrong of [
      { id: 1 },
      { ids: [] },
      { ids: ["1"] },
      { ids: [1.5] },
      { to: "x" },
      { hold: "true" },
      [],
      "all",
      { __proto__: null, constructor: 1 },
    ]) {
      assert.equal((await act({ type: "hold" }, wrong)).status, 400, JSON.stringify(wrong));
    }
    assert.equal((await act({ type: "hold" }, filter, { limit: 0 })).status, 400);
    assert.equal((await act({ type: "hold" }, filter, { dryrun: true })).status, 400);
  });

  it("counts only, when asked to", async () => {
    const { json } = await act({ type: "drop" }, { to: "@there.example" }, { dryRun: true });
    assert.deepEqual(json, { dryRun: true, matched: 5, changed: 0, refused: {} });
    assert.deepEqual((await act({ type: "drop" }, { all: true }, { dryRun: true, limit: 2 })).get("matched"), 2);
    assert.equal((await message(1)).state, "queued");
  });

  it("holds and releases what matches, recorded with who asked", async () => {
    assert.deepEqual((await act({ type: "hold" }, { to: "@other.example" })).json, { dryRun: false, matched: 1, changed: 1, refused: {} });
    assert.equal((await message(6)).state, "held");
    assert.deepEqual(ids((await world.call("/queue?hold=true")).get("items")), [6]);
    assert.deepEqual((await world.log.read("message-6")).at(-1)?.event, {
      type: "MessageHeld",
      at: NOON,
      by: { kind: "operator", name: "admin" },
    });
    await act({ type: "release" }, { hold: true });
    assert.equal((await message(6)).state, "queued");
  });

  it("touches at most so many messages, the oldest first", async () => {
    assert.equal((await act({ type: "hold" }, { all: true }, { limit: 2 })).get("changed"), 2);
    assert.deepEqual(ids((await world.call("/queue?hold=true&sort=queuedAt")).get("items")), [1, 2]);
    await act({ type: "release" }, { all: true });
  });

  it("sets the next attempt at a time, in a while, or moves it", async () => {
    await act({ type: "schedule", at: "2026-06-02T00:00:00+02:00" }, { ids: [1] });
    assert.equal((await message(1)).nextAttemptAt, Date.UTC(2026, 5, 1, 22));
    await act({ type: "scheduleIn", inMs: HOUR_MS }, { ids: [2] });
    assert.equal((await message(2)).nextAttemptAt, NOON + HOUR_MS);
    await act({ type: "postpone", byMs: DAY_MS }, { ids: [2] });
    assert.equal((await message(2)).nextAttemptAt, NOON + HOUR_MS + DAY_MS);
  });

  it("sets transport and TLS requirement", async () => {
    await act({ type: "setTransport", transport: "relay" }, { ids: [3] });
    assert.equal((await message(3)).transport, "relay");
    assert.deepEqual(ids((await world.call("/queue?transport=relay")).get("items")), [3]);
    await act({ type: "setTransport", transport: null }, { ids: [3] });
    assert.equal((await message(3)).transport, null);
    await act({ type: "setRequireTls", requireTls: true }, { ids: [3] });
    assert.equal((await world.call("/messages/3")).get("message.requireTls"), true);
  });

  it("fails and drops; what cannot be done any more is counted by state", async () => {
    await act({ type: "fail" }, { ids: [4] });
    await act({ type: "drop" }, { ids: [5] });
    assert.equal((await message(4)).state, "failed");
    assert.equal((await message(5)).state, "canceled");
    const retired = (await world.call("/retired?sort=queuedAt&direction=ascending")).get("items");
    assert.deepEqual(ids(retired), [4, 5]);
    assert.deepEqual(ids((await world.call("/retired?state=canceled")).get("items")), [5]);
    assert.deepEqual(ids((await world.call("/retired?to=@nowhere.example")).get("items")), []);
    assert.equal((await act({ type: "hold" }, { ids: [5] })).get("matched"), 0);
    await world.tell("message-1", [happened("DeliveryAttempted")]);
    assert.deepEqual((await act({ type: "drop" }, { ids: [1, 2] })).json, {
      dryRun: false,
      matched: 2,
      changed: 1,
      refused: { attempting: 1 },
    });
  });
});
