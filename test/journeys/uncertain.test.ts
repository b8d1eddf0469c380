import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DAY_MS, MINUTE_MS, SECOND_MS } from "../../src/domain/clock.ts";
import { houses, type House } from "../support/posthorn.ts";

const house = houses();

/** A house whose remote takes the first message and cuts the connection instead of saying so. */
const doubtful = (uncertainDelivery: string): Promise<House> => {
  let cuts = 1;
  return house({
    account: { uncertainDelivery },
    remote: { script: ({ phase }) => (phase === "DOT" && cuts-- > 0 ? { cut: true } : undefined) },
  });
};

describe("a message whose connection breaks after its last octet", () => {
  it("is tried again where the account says retry, and the application is told of the doubt", async () => {
    const { sendTo, awaitEvent, receiver, passTo, remote } = await doubtful("retry");
    await sendTo("bob@there.example");
    const doubt = await awaitEvent("DeliveryUncertain");
    const { event } = await awaitEvent("MessageRequeued");
    assert.ok(Math.abs(event.nextAttemptAt - doubt.event.result.startedAt - 7.5 * MINUTE_MS) <= 5 * SECOND_MS);
    assert.match((await receiver.next("delayed")).body.Error, /unknown/u);
    await passTo(event.nextAttemptAt);
    await receiver.next("delivered");
    assert.equal(remote.steps.filter(({ phase }) => phase === "DOT").length, 2);
  });

  it("fails at once where the account says stop", async () => {
    const { sendTo, receiver, quiet, pass, list, remote, awaitEvent } = await doubtful("stop");
    const id = await sendTo("bob@there.example");
    await awaitEvent("DeliveryUncertain");
    const { body } = await receiver.next("failed");
    assert.deepEqual([body.QueueMsgID, body.Suppressing], [id, false]);
    await quiet();
    assert.deepEqual(
      receiver.calls.map((call) => call.body.Event),
      ["failed"],
    );
    await pass(DAY_MS);
    assert.equal(remote.steps.filter(({ phase }) => phase === "DOT").length, 1);
    assert.deepEqual(
      (await list("/retired")).map(({ state }) => state),
      ["failed"],
    );
  });

  it("waits for an operator where the account says wait", async () => {
    const { sendTo, receiver, quiet, pass, list, remote, admin } = await doubtful("wait");
    const id = await sendTo("bob@there.example");
    await receiver.next("delayed");
    await pass(2 * DAY_MS);
    assert.deepEqual(
      (await list("/queue")).map(({ state }) => state),
      ["uncertain"],
    );
    assert.equal(remote.steps.filter(({ phase }) => phase === "DOT").length, 1);

    await admin("POST", "/queue/actions", { action: { type: "release" }, filter: { ids: [id] } });
    await receiver.next("delivered");
    await quiet();
    assert.deepEqual(
      remote.mails.map(({ to }) => to),
      [["bob@there.example"]],
    );
  });
});
