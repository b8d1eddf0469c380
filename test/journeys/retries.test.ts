import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../../src/domain/clock.ts";
import { houses } from "../support/posthorn.ts";

const house = houses();

/** As promised, not as the code's table has it. */
const DELAYS_MS = [7.5 * MINUTE_MS, 15 * MINUTE_MS, 30 * MINUTE_MS, HOUR_MS, 2 * HOUR_MS, 4 * HOUR_MS, 8 * HOUR_MS];

describe("a message that the remote defers again and again", () => {
  it("is tried eight times at growing distances and then fails, its content kept until then", async () => {
    const { sendTo, quiet, passTo, awaitEvent, clock, remote, receiver, list, posthorn } = await house({
      remote: { script: ({ phase }) => (phase === "RCPT" ? "451 4.3.2 Not now" : undefined) },
    });
    const id = await sendTo("bob@there.example");
    const { contentId } = (await awaitEvent("MessageQueued")).event;
    const content = (): Promise<Uint8Array | undefined> => posthorn().store.contents.read(contentId);
    const tries = (): number => remote.steps.filter(({ phase }) => phase === "RCPT").length;
    let lastAt = clock.now();

    for (const [index, delayMs] of DELAYS_MS.entries()) {
      const attempt = index + 1;
      const { event } = await awaitEvent("DeliveryDeferred", (deferred) => deferred.attempt === attempt);
      const delayed = await receiver.next("delayed");
      assert.deepEqual([delayed.body.QueueMsgID, delayed.body.SMTPCode, delayed.body.SMTPEnhancedCode], [id, 451, "4.3.2"]);
      assert.match(delayed.body.Error, /Not now/u);
      assert.ok(
        Math.abs(event.nextAttemptAt - lastAt - delayMs) <= 5 * SECOND_MS,
        `attempt ${attempt + 1} after ${event.nextAttemptAt - lastAt} ms`,
      );
      await passTo(event.nextAttemptAt - 1);
      assert.equal(tries(), attempt, "tried before its time");
      assert.notEqual(await content(), undefined);
      await passTo(event.nextAttemptAt);
      lastAt = event.nextAttemptAt;
    }

    const failed = await receiver.next("failed");
    await quiet();
    assert.deepEqual([failed.body.QueueMsgID, failed.body.SMTPCode, failed.body.Suppressing], [id, 451, false]);
    assert.equal(tries(), 8);
    assert.equal(await content(), undefined);
    assert.deepEqual(await list("/queue"), []);
    assert.deepEqual(
      (await list("/retired")).map(({ state, attempts }) => [state, attempts]),
      [["failed", 8]],
    );
    assert.equal(receiver.calls.length, 8);
    assert.equal(remote.mails.length, 0);
  });

  it("announces each next attempt before it opens a connection", async () => {
    const { sendTo, remote, awaitEvent, clock, quiet } = await house({
      remote: { script: ({ phase }) => (phase === "CONNECT" ? "421 4.3.2 Not now" : undefined) },
    });
    await sendTo("bob@there.example");
    await remote.saw("CONNECT");
    const { event } = await awaitEvent("DeliveryAttempted");
    assert.ok(event.nextAttemptAt >= clock.now() + 7.5 * MINUTE_MS - 5 * SECOND_MS);
    await quiet();
  });
});

describe("a message whose smarthost cannot be reached", () => {
  it("is tried again, and delivered when the smarthost is back", async () => {
    let isUp = false;
    const { sendTo, quiet, passTo, awaitEvent, remote, receiver } = await house({
      remote: { script: ({ phase }) => (phase === "CONNECT" && !isUp ? { cut: true } : undefined) },
    });
    await sendTo("bob@there.example");
    const { event } = await awaitEvent("DeliveryDeferred");
    assert.equal(event.result.code, 0);
    assert.equal((await receiver.next("delayed")).body.SMTPCode, 0);
    await quiet();
    isUp = true;
    await passTo(event.nextAttemptAt);
    await receiver.next("delivered");
    assert.equal(remote.mails.length, 1);
  });
});
