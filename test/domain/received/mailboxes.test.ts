/** What an account can do with its mail, and only with its own. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { mailboxes } from "../../../src/domain/received/mailboxes.ts";
import { actorRuntime } from "../../../src/domain/runtime/actor.ts";
import { receivedKind } from "../../../src/domain/runtime/kinds.ts";
import { memoryLog } from "../../support/memory-log.ts";
import { memoryReadModel } from "../../support/memory-read-model.ts";
import { aReceivedMessage, mailed, NOON, shopOwner as by } from "../../support/samples.ts";

const bench = (follows: "soon" | "manually" = "soon") => {
  const log = memoryLog();
  const views = memoryReadModel(log, follows);
  const received = actorRuntime({ log, kind: receivedKind, remember: 10, terms: () => ({ now: NOON }) });
  log.write("received-70", mailed("MessageReceived", { flags: ["later", "\\seen"] }));
  return { log, views, boxes: mailboxes({ received, readModel: views }) };
};

describe("an account's mail", () => {
  it("is found as it is now, before the views know", async () => {
    const { boxes, log } = bench("manually");
    log.write("received-70", mailed("MessageMoved"), mailed("MessageFlagsAdded", { flags: ["$forwarded"] }));
    const found = await boxes.find("shop", 70);
    const expected = { type: "MessageReceived", at: NOON, ...aReceivedMessage({ mailbox: "Archive" }) };
    assert.deepEqual(found, { ...expected, flags: ["$forwarded", "\\seen", "later"] });
  });

  it("is nobody else's", async () => {
    const { boxes, log } = bench();
    const head = log.head();
    assert.equal(await boxes.find("other", 70), undefined);
    assert.equal(await boxes.find("shop", 71), undefined);
    assert.equal(await boxes.addFlags("other", 70, ["\\flagged"], by), "notFound");
    assert.equal(await boxes.move("other", 70, "Trash", by), "notFound");
    assert.equal(await boxes.delete("other", 70, by), "notFound");
    assert.equal(log.head(), head);
  });

  it("is changed once the views show it", async () => {
    const { boxes, views } = bench("manually");
    let done = false;
    const moving = boxes.move("shop", 70, "Trash", by).then((result) => {
      done = true;
      return result;
    });
    await new Promise(setImmediate);
    assert.equal(done, false);
    views.catchUp();
    assert.equal(await moving, "done");
  });

  it("that is changed to what it is waits for nobody", async () => {
    const { boxes, log } = bench("manually");
    const head = log.head();
    assert.equal(await boxes.move("shop", 70, "Inbox", by), "done");
    assert.equal(await boxes.addFlags("shop", 70, ["\\seen"], by), "done");
    assert.equal(await boxes.removeFlags("shop", 70, ["\\flagged"], by), "done");
    assert.equal(log.head(), head);
  });

  it("is deleted once, by whoever comes first", async () => {
    const { boxes } = bench();
    const results = await Promise.all([1, 2, 3].map(() => boxes.delete("shop", 70, by)));
    assert.deepEqual(results.toSorted(), ["done", "notFound", "notFound"]);
    assert.equal(await boxes.find("shop", 70), undefined);
    assert.equal(await boxes.removeFlags("shop", 70, ["\\seen"], by), "notFound");
  });
});
