import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { aftermath } from "../support/aftermath.ts";
import { LOGIN, posthornProcess, type PosthornProcess, type Premises } from "../support/posthorn-process.ts";
import { scriptedRemote } from "../support/scripted-remote.ts";
import { seeded } from "../support/seeded.ts";
import { smtpDialogue } from "../support/smtp-dialogue.ts";
import { webhookReceiver } from "../support/webhook-receiver.ts";

const SEED = Number(process.env["POSTHORN_TEST_SEED"] ?? 1);
const ROUNDS = Number(process.env["POSTHORN_CRASH_ROUNDS"] ?? 4);
const CLIENTS = 4;
const MAX_TRAFFIC_MS = 400;

const directory = mkdtempSync(join(tmpdir(), "posthorn-submission-crash-"));
let running: PosthornProcess | undefined;
after(async () => {
  running?.signal("SIGKILL");
  await running?.exited;
  rmSync(directory, { recursive: true, force: true });
});

/** Submits orders one after the other until the server is gone; each that was answered with 250 is noted, with its id. */
const submitOn = async (server: PosthornProcess, nextOrder: () => string, acknowledged: Map<string, number>): Promise<void> => {
  const visitor = await smtpDialogue(server.submissionPort()).catch(() => undefined);
  if (visitor === undefined) return;
  await visitor.reply();
  await visitor.say("EHLO client.example");
  await visitor.login(LOGIN.user, LOGIN.password);
  for (;;) {
    const order = nextOrder();
    await visitor.say(`MAIL FROM:<${LOGIN.user}>`);
    await visitor.say(`RCPT TO:<reader-${order}@${Number(order) % 3}.example>`);
    await visitor.say("DATA");
    const text = "Thanks.\r\n".repeat(Number(order) % 7 === 0 ? 20_000 : 10);
    const reply = await visitor.say(`From: ${LOGIN.user}\r\nX-Order: ${order}\r\n\r\n${text}.`);
    if (reply === undefined) return;
    const id = /^250 2\.0\.0 queued as (\d+)$/u.exec(reply)?.[1];
    // A server that is told to stop may say so instead.
    if (id !== undefined) acknowledged.set(order, Number(id));
    else if (!reply.startsWith("421")) assert.fail(reply);
  }
};

describe("a server killed again and again while clients submit over SMTP", () => {
  it(`loses no message that it answered with 250 (seed ${SEED}, ${ROUNDS} rounds)`, async () => {
    const chance = seeded(SEED);
    const remote = await scriptedRemote();
    const receiver = await webhookReceiver();
    try {
      const premises: Premises = { directory, smarthostPort: remote.port, webhookUrl: receiver.url };
      const acknowledged = new Map<string, number>();
      let orders = 0;
      const nextOrder = (): string => String((orders += 1));
      for (let round = 0; round < ROUNDS; round += 1) {
        const server = (running = posthornProcess(premises));
        await server.ready;
        const traffic = Array.from({ length: CLIENTS }, () => submitOn(server, nextOrder, acknowledged));
        while (acknowledged.size < (round + 1) * CLIENTS) await pause(5);
        await pause(chance.below(MAX_TRAFFIC_MS));
        server.signal(chance.oneIn(4) ? "SIGTERM" : "SIGKILL");
        await pause(chance.below(20));
        server.signal("SIGKILL");
        await server.exited;
        await Promise.all(traffic);
      }
      const { events, integrity } = await aftermath(join(directory, "data"));
      assert.deepEqual(integrity, ["ok", "ok"]);
      const queued = new Map(events.flatMap(({ event }) => (event.type === "MessageQueued" ? [[event.id, event] as const] : [])));
      assert.ok(acknowledged.size >= ROUNDS * CLIENTS);
      for (const [order, id] of acknowledged) {
        assert.equal(
          queued.get(id)?.recipient,
          `reader-${order}@${Number(order) % 3}.example`,
          `order ${order} was acknowledged and is lost`,
        );
        assert.equal(queued.get(id)?.source, "smtp");
      }
    } finally {
      await remote.close();
      await receiver.close();
    }
  });
});
