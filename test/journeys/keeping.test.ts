import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DAY_MS, HOUR_MS } from "../../src/domain/clock.ts";
import { houses } from "../support/posthorn.ts";

const house = houses();

describe("a retired message", () => {
  it("goes from the history when its time is over, and from the log not before a day has passed", async () => {
    const ours = await house({ account: { keepRetiredMessagePeriod: "2h", keepRetiredWebhookPeriod: "3h" } });
    const id = await ours.sendTo("bob@there.example");
    await ours.receiver.next("delivered");
    const { stream: callStream } = await ours.awaitEvent("WebhookRetired");
    const inLog = async (stream: string): Promise<boolean> => (await ours.posthorn().store.readStream(stream)).length > 0;

    await ours.pass(2 * HOUR_MS - 1);
    assert.deepEqual(
      (await ours.list("/retired")).map((row) => row["id"]),
      [id],
    );
    await ours.pass(1);
    assert.deepEqual(await ours.list("/retired"), []);
    assert.equal((await ours.list("/webhooks/retired")).length, 1);
    await ours.pass(HOUR_MS);
    assert.deepEqual(await ours.list("/webhooks/retired"), []);
    assert.deepEqual([await inLog(`message-${id}`), await inLog(callStream)], [true, true]);

    await ours.pass(DAY_MS - 3 * HOUR_MS - 1);
    assert.equal(await inLog(`message-${id}`), true);
    await ours.pass(1);
    assert.deepEqual([await inLog(`message-${id}`), await inLog(callStream)], [false, false]);
  });

  it("that is kept for days goes from history and log together", async () => {
    const ours = await house({ account: { keepRetiredMessagePeriod: "3d" } });
    const id = await ours.sendTo("bob@there.example");
    await ours.pass(3 * DAY_MS - 1);
    assert.equal((await ours.list("/retired")).length, 1);
    await ours.pass(1);
    assert.deepEqual(await ours.list("/retired"), []);
    assert.deepEqual(await ours.posthorn().store.readStream(`message-${id}`), []);
  });

  it("that is not kept at all is gone from the history at once", async () => {
    const ours = await house({ account: { keepRetiredMessagePeriod: 0, keepRetiredWebhookPeriod: 0 } });
    await ours.sendTo("bob@there.example");
    await ours.receiver.next("delivered");
    await ours.quiet();
    assert.deepEqual([await ours.list("/retired"), await ours.list("/webhooks/retired")], [[], []]);
  });
});
