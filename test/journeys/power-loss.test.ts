import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, describe, it } from "node:test";
import { openSqliteStore } from "../../src/adapters/event-store/sqlite/open.ts";
import { HOUR_MS } from "../../src/domain/clock.ts";
import { diskModel } from "../support/disk-model.ts";
import { readTrace, traceInto, tracingObstacle, type Deed } from "../support/disk-trace.ts";
import { houses } from "../support/posthorn.ts";
import { posthornProcess, type PosthornProcess, type Premises } from "../support/posthorn-process.ts";
import { scriptedRemote } from "../support/scripted-remote.ts";
import { seeded, type Seeded } from "../support/seeded.ts";
import { webhookReceiver } from "../support/webhook-receiver.ts";

const SEED = Number(process.env["POSTHORN_TEST_SEED"] ?? 1);
/** Moments of power loss that are looked at: after acknowledgements, while the log is moved, and anywhere. */
const MOMENTS = Number(process.env["POSTHORN_POWER_LOSSES"] ?? 8);
const MESSAGES = 12;
/** Large enough for contents of several chunks. */
const LARGE = "All work and no play. ".repeat(50_000);

const house = houses();
const directory = realpathSync(mkdtempSync(join(tmpdir(), "posthorn-power-")));
const data = join(directory, "data");
let running: PosthornProcess | undefined;
after(async () => {
  running?.signal("SIGKILL");
  await running?.exited;
  rmSync(directory, { recursive: true, force: true });
});

/** Sends from several clients at once: messages that arrive, that are deferred and that stay on hold. */
const traffic = async (server: PosthornProcess, run: number): Promise<void> => {
  const clients = Array.from({ length: 4 }, async (_, client) => {
    for (let count = client; count < MESSAGES; count += 4) {
      const To = [{ Address: `reader-${run}-${count}@${["open", "busy", "held"][count % 3]}.example` }];
      const { status, body } = await server.webapi("Send", { To, Text: count % 2 === 0 ? LARGE : "Thanks.\n" });
      assert.equal(status, 200, JSON.stringify(body));
    }
  });
  await Promise.all(clients);
};

/** Runs the server under a tracer, with traffic until `signal` ends it. */
const tracedRun = async (run: number, premises: Premises, signal: NodeJS.Signals, before?: Deed): Promise<readonly Deed[]> => {
  const file = join(directory, `trace-${run}`);
  const server = (running = posthornProcess({ ...premises, under: traceInto(file) }));
  await server.ready;
  if (run === 0) await server.admin("POST", "/holdrules", { recipientDomain: "held.example" });
  await traffic(server, run);
  server.signal(signal);
  await server.exited;
  const deeds = await readTrace(file, data, before);
  rmSync(file);
  const files = new Map<string, Buffer>();
  /** Whether a write that the process was killed in can be seen: nobody has written since. */
  const isThere = ({ path, offset, data: written }: Extract<Deed, { kind: "write" }>): boolean => {
    if (!files.has(path)) files.set(path, existsSync(path) ? readFileSync(path) : Buffer.alloc(0));
    return files
      .get(path)!
      .subarray(offset, offset + written.length)
      .equals(written);
  };
  const done = deeds.filter((deed) => deed.kind !== "write" || !deed.perhaps || isThere(deed));
  return done.filter((deed) => deed.kind === "say" || deed.path === data || basename(deed.path).startsWith("events.sqlite"));
};

const acknowledged = (deed: Deed): number | undefined => {
  const id = deed.kind === "say" ? /"HTTP\/1.1 200 [^]*"QueueMsgID":(\d+)/u.exec(deed.text)?.[1] : undefined;
  return id === undefined ? undefined : Number(id);
};

/** Everything acknowledged is in the log, and has its content unless it is done. */
const assertStored = async (image: string, ids: readonly number[]): Promise<void> => {
  const store = await openSqliteStore({ directory: image });
  try {
    for (const id of ids) {
      const events = await store.readStream(`message-${id}`);
      assert.equal(events[0]?.type, "MessageQueued", `message ${id} was acknowledged and is gone`);
      if (events.some(({ type }) => type === "MessageRetired")) continue;
      const { contentId, size } = JSON.parse(events[0].data) as { contentId: number; size: number };
      const content = await store.contents.read(contentId);
      assert.equal(content?.length, size, `content of message ${id}`);
      assert.match(Buffer.from(content).toString("latin1"), /^[^]*\r\n\r\n(?:All work|Thanks)/u);
    }
  } finally {
    await store.close();
  }
};

/** A server on what is left delivers everything that it does not know to be delivered. */
const assertDelivered = async (image: string, ids: readonly number[]): Promise<void> => {
  const ours = await house({ directory: image, startAt: Date.now() + HOUR_MS });
  await ours.quiet();
  await ours.admin("POST", "/queue/actions", { action: { type: "release" }, filter: { all: true } });
  await ours.admin("POST", "/queue/actions", { action: { type: "scheduleIn", inMs: 0 }, filter: { all: true } });
  await ours.quiet();
  assert.deepEqual(await ours.list("/queue"), []);
  for (const id of ids) {
    const { message } = await ours.admin<{ message: { state: string; recipient: string } }>("GET", `/messages/${id}`);
    assert.equal(message.state, "delivered", `message ${id}`);
  }
  await ours.sendTo("after@open.example");
  await ours.quiet();
  await ours.stop();
};

/** Where to look: after acknowledgements, while the log is moved into the database, and anywhere. */
const momentsOf = (deeds: readonly Deed[], chance: Seeded): ReadonlySet<number> => {
  const indexes = (where: (deed: Deed) => boolean): readonly number[] => deeds.flatMap((deed, index) => (where(deed) ? [index] : []));
  const acknowledgements = indexes((deed) => acknowledged(deed) !== undefined);
  const moving = indexes((deed) => deed.kind === "write" && deed.path.endsWith(".sqlite"));
  const moments = new Set<number>([acknowledgements[0]!, acknowledgements.at(-1)!]);
  const kinds = [acknowledgements, moving, [...deeds.keys()]];
  for (let count = 0; moments.size < MOMENTS; count += 1) moments.add(chance.pick(kinds[count % kinds.length]!));
  return moments;
};

describe("a power loss at any moment", () => {
  const skip = tracingObstacle() ?? false;
  it(`takes no acknowledged message (seed ${SEED}, ${MOMENTS} moments)`, { skip }, async () => {
    const busy = (line: string): string | undefined => (line.includes("@busy.") ? "451 4.3.2 Not now" : undefined);
    const remote = await scriptedRemote({ script: ({ phase, line }) => (phase === "RCPT" ? busy(line) : undefined) });
    const receiver = await webhookReceiver();
    try {
      const premises: Premises = { directory, smarthostPort: remote.port, webhookUrl: receiver.url };
      const first = await tracedRun(0, premises, "SIGKILL");
      const second = await tracedRun(1, premises, "SIGTERM", first.at(-1));
      const deeds = [...first, ...second];
      const chance = seeded(SEED);
      const moments = momentsOf(deeds, chance);
      const disk = diskModel();
      const ids: number[] = [];
      let looks = 0;
      for (const [index, deed] of deeds.entries()) {
        disk.apply(deed);
        const id = acknowledged(deed);
        if (id !== undefined) ids.push(id);
        if (!moments.has(index)) continue;
        const image = join(directory, `image-${index}`);
        disk.afterPowerLoss(image, looks % 2 === 0 ? "all" : chance);
        await assertStored(image, ids);
        if (looks % 4 < 2) await assertDelivered(image, ids);
        rmSync(image, { recursive: true, force: true });
        looks += 1;
      }
      assert.equal(ids.length, 2 * MESSAGES);
      assert.equal(looks, moments.size);
      // What the trace says was written is what is there: the model has overlooked nothing.
      assert.ok(disk.seen(join(data, "events.sqlite"))?.equals(readFileSync(join(data, "events.sqlite"))), "the trace is incomplete");
    } finally {
      await remote.close();
      await receiver.close();
    }
  });
});
