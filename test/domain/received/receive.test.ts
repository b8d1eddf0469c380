/** Mail that arrives is stored for all of its recipients or for none. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { idSource } from "../../../src/domain/ids.ts";
import { receiving, type Arrival } from "../../../src/domain/received/receive.ts";
import { memoryLog } from "../../support/memory-log.ts";
import { anAccount, directoryOf, NOON } from "../../support/samples.ts";
import { virtualClock } from "../../support/virtual-clock.ts";

const arrival: Arrival = {
  mailFrom: "eve@there.example",
  from: "eve@there.example",
  subject: "Hello",
  messageId: "<1@there.example>",
  remoteAddress: "192.0.2.9",
  content: [new Uint8Array(5)],
  mailFromValidated: true,
  msgFromValidated: false,
  dkimVerifiedDomains: ["there.example"],
  automated: false,
  report: null,
  recipients: [
    { address: "orders@shop.example", account: "shop", tag: "" },
    { address: "hello@shop.example", account: "other", tag: "x" },
  ],
};

const bench = () => {
  const log = memoryLog();
  const clock = virtualClock(NOON);
  return {
    log,
    receive: receiving({ log, clock, nextId: idSource(0, clock.now), directory: directoryOf([anAccount({ keepReceivedMs: 5_000 })]) }),
  };
};

describe("mail that arrives", () => {
  it("becomes one received message for each recipient, with one content", async () => {
    const { log, receive } = bench();
    const ids = await receive(arrival);
    const stored = log.all().flatMap(({ event }) => (event.type === "MessageReceived" ? [event] : []));
    assert.deepEqual(
      stored.map(({ id, account, recipient, mailbox, size }) => ({ id, account, recipient, mailbox, size })),
      [
        { id: ids[0], account: "shop", recipient: "orders@shop.example", mailbox: "Inbox", size: 5 },
        { id: ids[1], account: "other", recipient: "hello@shop.example", mailbox: "Inbox", size: 5 },
      ],
    );
    assert.deepEqual(new Set(stored.map(({ contentId }) => contentId)), new Set(log.contents.ids()));
  });

  it("goes into the Inbox, and is kept for as long as its account says", async () => {
    const { log, receive } = bench();
    await receive(arrival);
    const stored = log.all().flatMap(({ event }) => (event.type === "MessageReceived" ? [event] : []));
    assert.deepEqual(
      stored.map(({ origin, mailbox, flags, tag, keepUntil }) => ({ origin, mailbox, flags, tag, keepUntil })),
      [
        { origin: "smtp", mailbox: "Inbox", flags: [], tag: "", keepUntil: NOON + 5_000 },
        { origin: "smtp", mailbox: "Inbox", flags: [], tag: "x", keepUntil: null },
      ],
    );
    assert.equal(new Set(stored.flatMap(({ id, callId }) => [id, callId])).size, 4);
  });

  it("goes where its bringer says", async () => {
    const { log, receive } = bench();
    await receive({ ...arrival, mailbox: "Junk", origin: "report", flags: ["$junk"] });
    const [event] = log.all().map((recorded) => recorded.event);
    assert.ok(event?.type === "MessageReceived");
    assert.deepEqual([event.mailbox, event.origin, event.flags], ["Junk", "report", ["$junk"]]);
  });

  it("is stored once when it has an id of its own, however often it comes", async () => {
    const { log, receive } = bench();
    const report: Arrival = { ...arrival, recipients: arrival.recipients.slice(0, 1), onceAs: 4_711 };
    assert.deepEqual(await receive(report), [4_711]);
    assert.deepEqual(await receive({ ...report, content: [new Uint8Array(6)] }), [4_711]);
    assert.deepEqual(log.types("received-4711"), ["MessageReceived"]);
    assert.deepEqual(log.contents.ids(), [4_711]);
    assert.equal((await log.contents.read(4_711))?.byteLength, 5);
    await assert.rejects(receive({ ...arrival, onceAs: 4_712 }), /one recipient/);
  });

  it("gets other ids when one is taken", async () => {
    const { log, receive } = bench();
    log.before = (what, stream, writes) => {
      log.before = () => undefined;
      const [first] = writes[0]?.events ?? [];
      if (what === "append" && first !== undefined) log.write(stream, first);
    };
    const ids = await receive(arrival);
    assert.equal(new Set(ids).size, 2);
    assert.equal(log.all().length, 3);
    assert.equal(log.contents.ids().length, 1);
  });

  it("is not acknowledged when it cannot be stored", async () => {
    const { log, receive } = bench();
    log.before = () => {
      throw new Error("disk full");
    };
    await assert.rejects(receive(arrival), /disk full/);
    assert.deepEqual(log.contents.ids(), []);
  });
});
