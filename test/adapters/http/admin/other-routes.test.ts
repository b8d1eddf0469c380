/** Webhook calls, suppressions, hold rules, received mail, views and counts over the admin API. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { HOUR_MS } from "../../../../src/domain/clock.ts";
import { aCall, aReceivedMessage, NOON, webhookSamples } from "../../../support/samples.ts";
import { adminWorld, type AdminWorld } from "./admin-world.ts";

const ids = (items: unknown): readonly number[] => (items as readonly { readonly id: number }[]).map(({ id }) => id);

describe("webhook calls over the admin API", () => {
  let world: AdminWorld;

  before(async () => {
    world = await adminWorld();
    for (const id of [90, 91, 92]) {
      await world.tell(`webhook-${id}`, [
        { ...webhookSamples.WebhookQueued, ...aCall({ id, messageRef: id === 92 ? 43 : 42, nextAttemptAt: NOON + id }) },
      ]);
    }
  });
  after(() => world.stop());

  it("are listed while they wait", async () => {
    assert.deepEqual(ids((await world.call("/webhooks")).get("items")), [90, 91, 92]);
    assert.deepEqual(ids((await world.call("/webhooks?message=43")).get("items")), [92]);
    assert.deepEqual(ids((await world.call("/webhooks?direction=descending&limit=1")).get("items")), [92]);
    assert.equal((await world.call("/webhooks?event=exploded")).status, 400);
    assert.deepEqual(ids((await world.call("/webhooks?event=incoming")).get("items")), []);
  });

  it("are put off, and canceled", async () => {
    assert.deepEqual((await world.call("/webhooks/actions", { body: { action: { type: "scheduleIn", inMs: HOUR_MS }, ids: [91] } })).json, {
      matched: 1,
      changed: 1,
      refused: {},
    });
    assert.equal((await world.call("/webhooks/91")).get("call.nextAttemptAt"), NOON + HOUR_MS);
    const canceled = await world.call("/webhooks/actions", { body: { action: { type: "cancel" }, ids: [90, 90, 7] } });
    assert.deepEqual(canceled.json, { matched: 2, changed: 1, refused: { unborn: 1 } });
    assert.deepEqual(ids((await world.call("/webhooks/retired")).get("items")), [90]);
    assert.equal((await world.call("/webhooks/90")).get("call.state"), "canceled");
    assert.equal((await world.call("/webhooks/7")).status, 404);
  });

  it("are named one by one for actions", async () => {
    for (const body of [
      { action: { type: "cancel" } },
      { action: { type: "cancel" }, ids: [] },
      { action: { type: "cancel" }, all: true },
      { ids: [1] },
    ]) {
      assert.equal((await world.call("/webhooks/actions", { body })).status, 400);
    }
  });
});

describe("suppressions over the admin API", () => {
  let world: AdminWorld;

  before(async () => {
    world = await adminWorld();
  });
  after(() => world.stop());

  it("are added, listed and removed, by any spelling of the address", async () => {
    const added = await world.call("/suppressions", { body: { account: "shop", address: "Bob+x@THERE.example", reason: "asked us to" } });
    assert.deepEqual(added.json, { added: true, account: "shop", baseAddress: "bob@there.example" });
    const list = await world.call("/suppressions?account=shop");
    assert.deepEqual(
      [list.get("items.0.baseAddress"), list.get("items.0.manual"), list.get("items.0.reason")],
      ["bob@there.example", true, "asked us to"],
    );
    const again = await world.call("/suppressions", { body: { account: "shop", address: "bob@there.example" } });
    assert.deepEqual([again.status, again.get("error.code")], [409, "alreadyExists"]);
    assert.equal((await world.call("/suppressions/shop/bob%2By%40there.example", { method: "DELETE" })).status, 200);
    assert.equal((await world.call("/suppressions/shop/bob@there.example", { method: "DELETE" })).status, 404);
    assert.equal((await world.call("/suppressions")).get("items.length"), 0);
  });

  it("take any local part, also one with a slash", async () => {
    await world.call("/suppressions", { body: { account: "shop", address: "a/b@there.example" } });
    assert.equal((await world.call(`/suppressions/shop/${encodeURIComponent("a/b@there.example")}`, { method: "DELETE" })).status, 200);
  });

  it("refuse strangers' accounts, what is no address, and reasons of more than one line", async () => {
    assert.equal(
      (await world.call("/suppressions", { body: { account: "nobody", address: "a@b.example" } })).get("error.code"),
      "accountNotFound",
    );
    for (const body of [
      { account: "shop", address: "a@" },
      { account: "shop", address: "a@b.example", reason: "x\r\ny" },
      { address: "a@b.example" },
      { account: "shop", address: "a@b.example", reason: "x".repeat(501) },
    ]) {
      assert.equal((await world.call("/suppressions", { body })).status, 400);
    }
  });
});

describe("hold rules over the admin API", () => {
  let world: AdminWorld;

  before(async () => {
    world = await adminWorld();
  });
  after(() => world.stop());

  it("are added, listed and removed", async () => {
    const added = await world.call("/holdrules", { body: { account: "shop", recipientDomain: "THERE.example" } });
    const { id } = added.get("rule") as { readonly id: number };
    assert.deepEqual((await world.call("/holdrules")).get("items"), [
      { id, account: "shop", senderDomain: null, recipientDomain: "there.example", seed: "", addedAt: NOON },
    ]);
    assert.equal((await world.call("/holdrules", { body: { account: "shop", recipientDomain: "there.example" } })).status, 409);
    assert.equal((await world.call(`/holdrules/${id}`, { method: "DELETE" })).status, 200);
    assert.equal((await world.call(`/holdrules/${id}`, { method: "DELETE" })).status, 404);
  });

  it("hold everything only when they say so", async () => {
    assert.equal((await world.call("/holdrules", { body: {} })).get("error.code"), "filterRequired");
    assert.equal((await world.call("/holdrules", { body: { all: true, account: "shop" } })).status, 400);
    assert.equal((await world.call("/holdrules", { body: { account: "nobody" } })).status, 404);
    assert.equal((await world.call("/holdrules", { body: { senderDomain: "not a domain" } })).status, 400);
    assert.equal((await world.call("/holdrules", { body: { all: true } })).status, 200);
  });
});

describe("received mail, views and counts over the admin API", () => {
  let world: AdminWorld;

  before(async () => {
    world = await adminWorld();
    const received = aReceivedMessage({ size: 4, subject: "hi" });
    await world.tell(
      "received-70",
      [{ type: "MessageReceived", at: NOON, ...received }],
      [{ id: 71, pieces: [Buffer.from("Subject: hi\r\n\r\n")] }],
    );
    await world.queue([1, 2]);
  });
  after(() => world.stop());

  it("lists and hands out received mail", async () => {
    assert.deepEqual(ids((await world.call("/received")).get("items")), [70]);
    assert.deepEqual(ids((await world.call("/received?account=other")).get("items")), []);
    assert.deepEqual(ids((await world.call("/received?account=shop&mailbox=Inbox")).get("items")), [70]);
    assert.deepEqual(ids((await world.call("/received?mailbox=Trash")).get("items")), []);
    assert.equal((await world.call("/received?mailbox=Elsewhere")).status, 400);
    assert.equal((await world.call("/received/70")).get("message.subject"), "hi");
    assert.equal((await world.call("/received/70/content")).text, "Subject: hi\r\n\r\n");
    assert.equal((await world.call("/received/71")).status, 404);
    assert.equal((await world.call("/received/71/content")).status, 404);
  });

  it("says how far the views are, and their digest when asked to", async () => {
    const head = world.log.head();
    assert.deepEqual((await world.call("/views")).json, { position: head, head, lag: 0 });
    assert.match(String((await world.call("/views?digest=true")).get("digest")), /^[\w+/=-]{16,}$/u);
  });

  it("counts by list and state", async () => {
    assert.deepEqual((await world.call("/stats")).get("counts"), [
      { list: "queue", account: "shop", state: "queued", rows: 2 },
      { list: "received", account: "shop", state: "Inbox", rows: 1 },
    ]);
  });
});
