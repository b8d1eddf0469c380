/** The copy in Sent is stored with the queued messages or not at all. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DAY_MS } from "../../../src/domain/clock.ts";
import type { ReceivedMessage } from "../../../src/domain/received/events.ts";
import { anAccount, NOON } from "../../support/samples.ts";
import { aSubmission, succeeded, world, type World } from "../../support/world.ts";
import { virtualClock } from "../../support/virtual-clock.ts";

const NOTHING = { head: new Uint8Array() };
const BCC = { head: new TextEncoder().encode("Bcc: <hidden@there.example>\r\n") };
const SIZE = 32;

const copiesIn = ({ log }: World): readonly ReceivedMessage[] =>
  log.all().flatMap(({ event }) => (event.type === "MessageReceived" ? [event] : []));

const textOf = async ({ log }: World, contentId: number): Promise<string> =>
  new TextDecoder().decode((await log.contents.read(contentId)) ?? new Uint8Array());

describe("a copy in Sent", () => {
  it("is stored in the same append, and shares the content", async () => {
    const one = world({ accounts: [anAccount({ keepReceivedMs: DAY_MS })], clock: virtualClock(NOON) });
    const appends: string[] = [];
    one.log.before = (what, _stream, writes) =>
      void (what === "append" && appends.push(writes.map(({ events }) => events.map(({ type }) => type)).join("; ")));
    const result = await one.core.submit(aSubmission(["bob@there.example", "eve@elsewhere.example"], { sentCopy: NOTHING }));
    assert.ok(result.accepted);
    assert.equal(result.copyLeftOut, undefined);
    assert.deepEqual(appends, ["MessageQueued; MessageQueued; MessageReceived"]);
    const [copy] = copiesIn(one);
    assert.ok(copy !== undefined);
    const { id, callId, contentId, ...rest } = copy;
    assert.equal(new Set([id, callId, contentId]).size, 3);
    assert.deepEqual(one.log.contents.ids(), [contentId]);
    assert.deepEqual(rest, {
      ...{ type: "MessageReceived", at: NOON, account: "shop", mailFrom: "", recipient: "", size: SIZE },
      ...{ from: "orders@shop.example", subject: "Your order", messageId: "<order-1@shop.example>", remoteAddress: "" },
      ...{ mailbox: "Sent", origin: "sent", flags: ["\\seen"], mailFromValidated: false, msgFromValidated: false },
      ...{ dkimVerifiedDomains: [], automated: false, tag: "", report: null, keepUntil: NOON + DAY_MS },
    });
  });

  it("has a content of its own where it names blind copies", async () => {
    const one = world();
    await one.core.submit(aSubmission(["bob@there.example"], { sentCopy: BCC }));
    const [copy] = copiesIn(one);
    assert.equal(one.log.contents.ids().length, 2);
    assert.equal(copy?.size, SIZE + BCC.head.byteLength);
    assert.equal(await textOf(one, copy.contentId), "Bcc: <hidden@there.example>\r\nSubject: Your order\r\n\r\nThanks.\r\n");
  });

  it("outlives the queue, and its content goes with it", async () => {
    const one = world();
    one.courier.answer = () => succeeded;
    await one.begin();
    const [id = 0] = await one.send(["bob@there.example"], { sentCopy: NOTHING });
    await one.quiet();
    assert.equal(one.log.types(`message-${id}`).at(-1), "MessageRetired");
    const [copy] = copiesIn(one);
    assert.deepEqual(one.log.contents.ids(), [copy?.contentId]);
    assert.equal(await one.core.mailboxes.delete("shop", copy?.id ?? 0, { kind: "account", name: "shop" }), "done");
    await one.quiet();
    assert.deepEqual(one.log.contents.ids(), []);
    assert.deepEqual(one.log.types(`received-${copy?.id ?? 0}`), []);
    await one.core.stop(0);
  });

  it("is left out where the quota has no room for it, whatever else is queued", async () => {
    const account = anAccount({ storageQuota: 2 * SIZE });
    const one = world({ accounts: [account] });
    const result = await one.core.submit(aSubmission(["bob@there.example"], { account, sentCopy: BCC }));
    assert.ok(result.accepted);
    assert.equal(result.copyLeftOut, true);
    assert.deepEqual(copiesIn(one), []);
    assert.equal(one.log.contents.ids().length, 1);
    const shared = await one.core.submit(aSubmission(["bob@there.example"], { account, sentCopy: NOTHING }));
    assert.ok(shared.accepted && shared.copyLeftOut === undefined);
    const full = await one.core.submit(aSubmission(["bob@there.example"], { account, sentCopy: BCC }));
    assert.ok(full.accepted && full.copyLeftOut);
    assert.equal(copiesIn(one).length, 1);
  });
});
