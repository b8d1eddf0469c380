import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Recorded } from "../../src/domain/event-log.ts";
import { notificationOf } from "../../src/domain/reactions/notifications.ts";
import type { MessageEvent, QueuedMessage } from "../../src/domain/message/events.ts";
import { aftermath } from "../support/aftermath.ts";
import { posthornProcess, type PosthornProcess, type Premises } from "../support/posthorn-process.ts";
import { scriptedRemote } from "../support/scripted-remote.ts";
import { seeded } from "../support/seeded.ts";
import { webhookReceiver } from "../support/webhook-receiver.ts";

const SEED = Number(process.env["POSTHORN_TEST_SEED"] ?? 1);
const ROUNDS = Number(process.env["POSTHORN_CRASH_ROUNDS"] ?? 10);
const CLIENTS = 4;
const MAX_TRAFFIC_MS = 400;
const LOOK_AGAIN_MS = 20;

const directory = mkdtempSync(join(tmpdir(), "posthorn-crash-"));
let running: PosthornProcess | undefined;
after(async () => {
  running?.signal("SIGKILL");
  await running?.exited;
  rmSync(directory, { recursive: true, force: true });
});

/** The application: numbers its orders and remembers which message each became, if it was told. */
const application = () => {
  const acknowledged = new Map<string, number>();
  let orders = 0;
  const sendOne = async (server: PosthornProcess): Promise<void> => {
    const order = String((orders += 1));
    const { status, body } = await server.webapi("Send", {
      To: [{ Address: `reader-${order}@${Number(order) % 3}.example` }],
      Text: "Thanks.\n".repeat(Number(order) % 7 === 0 ? 20_000 : 10),
      Headers: [["X-Order", order]],
      Extra: { order },
    });
    assert.equal(status, 200, JSON.stringify(body));
    acknowledged.set(order, (body as { Submissions: readonly { QueueMsgID: number }[] }).Submissions[0]!.QueueMsgID);
  };
  const sendOn = async (server: PosthornProcess): Promise<void> => {
    // Until the server is gone: only a broken connection ends it, a refusal fails the test.
    for (;;) {
      try {
        await sendOne(server);
      } catch (error) {
        if (error instanceof TypeError) return;
        throw error;
      }
    }
  };
  return { acknowledged, sendOne, sendOn };
};

const killed = async (server: PosthornProcess): Promise<void> => {
  server.signal("SIGKILL");
  await server.exited;
};

/** Runs the server once and has it end badly. */
const round = async (premises: Premises, app: ReturnType<typeof application>, chance: ReturnType<typeof seeded>): Promise<void> => {
  const server = (running = posthornProcess(premises));
  if (chance.oneIn(4)) {
    // Somewhere in starting and recovering, or shortly after.
    await pause(200 + chance.below(1_200));
    return killed(server);
  }
  await server.ready;
  await app.sendOne(server);
  const traffic = Array.from({ length: CLIENTS }, () => app.sendOn(server));
  await pause(5 + chance.below(MAX_TRAFFIC_MS));
  if (chance.oneIn(4)) {
    server.signal("SIGTERM");
    await pause(chance.below(60));
  }
  await killed(server);
  await Promise.all(traffic);
};

type Items = { readonly items: readonly { readonly id: number }[] };
type Stats = { readonly counts: readonly { readonly list: string; readonly rows: number }[] };

/** Nothing waits, and every message that is done has had its call: there is one for each, for none is ever deferred. */
const isDrained = async (server: PosthornProcess): Promise<boolean> => {
  const { counts } = (await server.admin("GET", "/stats")) as Stats;
  const rows = (list: string): number => counts.reduce((sum, each) => sum + (each.list === list ? each.rows : 0), 0);
  return rows("queue") === 0 && rows("webhook_calls") === 0 && rows("webhook_retired") >= rows("retired");
};

/** Lets everything that waits happen now, also what was lost twice and so is put off. */
const drain = async (premises: Premises, app: ReturnType<typeof application>): Promise<void> => {
  const server = (running = posthornProcess(premises));
  await server.ready;
  await app.sendOne(server);
  const action = { type: "scheduleIn", inMs: 0 };
  while (!(await isDrained(server))) {
    await server.admin("POST", "/queue/actions", { action, filter: { all: true } });
    const { items } = (await server.admin("GET", "/webhooks?limit=500")) as Items;
    if (items.length > 0) await server.admin("POST", "/webhooks/actions", { action, ids: items.map(({ id }) => id) });
    await pause(LOOK_AGAIN_MS);
  }
  server.signal("SIGTERM");
  assert.deepEqual(await server.exited, { code: 0, signal: null });
};

const ofType = <Type extends Recorded["event"]["type"]>(events: readonly Recorded[], type: Type) =>
  events.filter((recorded): recorded is Recorded<Extract<Recorded["event"], { type: Type }>> => recorded.event.type === type);

/** Each event that somebody is told about, and the ids of the calls queued because of it. */
const callsByCause = (events: readonly Recorded[]): ReadonlyMap<string, readonly number[]> => {
  const messages = new Map<string, QueuedMessage>(ofType(events, "MessageQueued").map(({ stream, event }) => [stream, event]));
  const causes = new Map<string, number[]>();
  for (const { stream, revision, event } of events) {
    const message = messages.get(stream);
    if (message !== undefined && notificationOf(event as MessageEvent, message) !== undefined) causes.set(`${stream}@${revision}`, []);
  }
  for (const { event } of ofType(events, "WebhookQueued")) {
    const ids = causes.get(`${event.cause.stream}@${event.cause.revision}`);
    assert.ok(ids, `call ${event.id} has no cause`);
    ids.push(event.id);
  }
  return causes;
};

describe("a server killed again and again under load", () => {
  it(`loses no acknowledged message and tells of each event exactly once (seed ${SEED}, ${ROUNDS} rounds)`, async () => {
    const chance = seeded(SEED);
    const remote = await scriptedRemote();
    const receiver = await webhookReceiver();
    try {
      const premises: Premises = { directory, smarthostPort: remote.port, webhookUrl: receiver.url };
      const app = application();
      for (let count = 0; count < ROUNDS; count += 1) await round(premises, app, chance);
      await drain(premises, app);

      const arrived = new Set(remote.mails.map(({ content }) => /^X-Order: (\d+)\r$/mu.exec(content.toString("latin1"))?.[1]));
      const { events, contentIds, digests, integrity } = await aftermath(join(directory, "data"));
      assert.deepEqual(integrity, ["ok", "ok"]);
      assert.equal(digests[0], digests[1]);

      const delivered = ofType(events, "DeliverySucceeded").map(({ stream }) => stream);
      assert.equal(new Set(delivered).size, delivered.length, "delivered twice according to the log");
      for (const [order, id] of app.acknowledged) {
        assert.ok(arrived.has(order), `order ${order} was acknowledged and never arrived`);
        assert.ok(delivered.includes(`message-${id}`), `message ${id} was acknowledged and not delivered`);
      }
      assert.equal(delivered.length, ofType(events, "MessageQueued").length, "something is stuck");
      assert.deepEqual(contentIds, [], "contents of retired messages are left over");

      for (const [cause, ids] of callsByCause(events)) assert.equal(ids.length, 1, `${cause} queued ${ids.length} calls`);
      const called = new Set(receiver.calls.map(({ headers }) => String(headers["x-mox-webhook-id"])));
      const queued = ofType(events, "WebhookQueued").map(({ event }) => String(event.id));
      assert.deepEqual([...called].sort(), [...new Set(queued)].sort());
    } finally {
      await remote.close();
      await receiver.close();
    }
  });
});
