import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DAY_MS, HOUR_MS } from "../../src/domain/clock.ts";
import { houses, type House } from "../support/posthorn.ts";

const house = houses();

const act = (ours: House, action: object, filter: object, more: object = {}): Promise<Record<string, unknown>> =>
  ours.admin("POST", "/queue/actions", { action, filter, ...more });

/** Recipients of the messages that the remote took. */
const arrived = ({ remote }: House): readonly string[] => remote.mails.flatMap(({ to }) => to).sort();

/** Three messages that wait for the next hour: two to there.example, one elsewhere. */
const waiting = async (): Promise<{ readonly ours: House; readonly ids: readonly number[] }> => {
  const ours = await house();
  const FutureRelease = new Date(ours.clock.now() + HOUR_MS).toISOString();
  const ids: number[] = [];
  for (const address of ["ann@there.example", "bob@there.example", "cid@elsewhere.example"])
    ids.push(await ours.sendTo(address, { FutureRelease }));
  await ours.quiet();
  return { ours, ids };
};

const held = async (ours: House): Promise<unknown> => (await ours.list("/queue?hold=true")).map(({ recipient }) => recipient).sort();

describe("a hold rule", () => {
  it("holds what matches, queued and new, until somebody releases it", async () => {
    const { ours } = await waiting();
    const { rule } = await ours.admin<{ rule: { id: number } }>("POST", "/holdrules", { recipientDomain: "there.example" });
    await ours.quiet();
    assert.deepEqual(await held(ours), ["ann@there.example", "bob@there.example"]);
    await ours.sendTo("dan@there.example");
    await ours.sendTo("eve@elsewhere.example");
    await ours.pass(DAY_MS);
    assert.deepEqual(arrived(ours), ["cid@elsewhere.example", "eve@elsewhere.example"]);
    assert.deepEqual(await held(ours), ["ann@there.example", "bob@there.example", "dan@there.example"]);

    await ours.admin("DELETE", `/holdrules/${rule.id}`);
    await ours.pass(DAY_MS);
    assert.deepEqual(await held(ours), ["ann@there.example", "bob@there.example", "dan@there.example"], "removing a rule releases nothing");

    const report = await act(ours, { type: "release" }, { to: "@there.example" });
    assert.deepEqual([report["matched"], report["changed"]], [3, 3]);
    await ours.quiet();
    assert.deepEqual(arrived(ours).slice(0, 3), ["ann@there.example", "bob@there.example", "cid@elsewhere.example"]);
    assert.equal(arrived(ours).length, 5);
  });

  it("matches only when all of its fields do", async () => {
    const { ours } = await waiting();
    await ours.admin("POST", "/holdrules", { recipientDomain: "there.example", senderDomain: "other.example" });
    await ours.pass(HOUR_MS);
    assert.equal(arrived(ours).length, 3);
  });

  it("does not hold again what was released while it stands", async () => {
    const { ours, ids } = await waiting();
    await ours.admin("POST", "/holdrules", { all: true });
    await ours.quiet();
    await act(ours, { type: "release" }, { ids: [ids[0]] });
    await ours.pass(HOUR_MS);
    assert.deepEqual(arrived(ours), ["ann@there.example"]);
  });

  it("of the configuration is there from the start", async () => {
    const ours = await house({ config: { holdRules: [{ recipientDomain: "there.example" }] } });
    await ours.sendTo("bob@there.example");
    await ours.pass(DAY_MS);
    assert.deepEqual(arrived(ours), []);
    assert.deepEqual(await held(ours), ["bob@there.example"]);
  });
});

describe("an operator", () => {
  it("holds, and releases, what matches a filter", async () => {
    const { ours, ids } = await waiting();
    await act(ours, { type: "hold" }, { to: "cid@elsewhere.example" });
    await ours.pass(2 * HOUR_MS);
    assert.deepEqual(arrived(ours), ["ann@there.example", "bob@there.example"]);
    await act(ours, { type: "release" }, { ids });
    await ours.quiet();
    assert.equal(arrived(ours).length, 3);
  });

  it("moves the next attempt", async () => {
    const { ours, ids } = await waiting();
    await act(ours, { type: "scheduleIn", inMs: 0 }, { ids: [ids[0]] });
    await ours.quiet();
    assert.deepEqual(arrived(ours), ["ann@there.example"]);
    await act(ours, { type: "postpone", byMs: HOUR_MS }, { ids: [ids[1]] });
    await ours.pass(HOUR_MS);
    assert.deepEqual(arrived(ours), ["ann@there.example", "cid@elsewhere.example"]);
    await ours.pass(HOUR_MS);
    assert.equal(arrived(ours).length, 3);
  });

  it("fails and drops messages, and the application hears of both", async () => {
    const { ours, ids } = await waiting();
    const content = (await ours.awaitEvent("MessageQueued", ({ id }) => id === ids[0])).event.contentId;
    await act(ours, { type: "fail" }, { ids: [ids[0]] });
    await act(ours, { type: "drop" }, { to: "@elsewhere.example" });
    assert.equal((await ours.receiver.next("failed")).body.QueueMsgID, ids[0]);
    assert.equal((await ours.receiver.next("canceled")).body.QueueMsgID, ids[2]);
    await ours.quiet();
    assert.deepEqual(
      (await ours.list("/queue")).map(({ id }) => id),
      [ids[1]],
    );
    assert.deepEqual(
      (await ours.list("/retired?direction=ascending&sort=queuedAt")).map(({ state }) => state),
      ["failed", "canceled"],
    );
    assert.equal(await ours.posthorn().store.contents.read(content), undefined, "the content goes with its last message");
  });

  it("sees what an action would do, and must say so when it means everything", async () => {
    const { ours } = await waiting();
    const dry = await act(ours, { type: "drop" }, { to: "@there.example" }, { dryRun: true });
    assert.deepEqual([dry["matched"], dry["changed"]], [2, 0]);
    assert.equal((await ours.list("/queue")).length, 3);
    await assert.rejects(act(ours, { type: "drop" }, {}), /filterRequired/u);
    assert.equal((await act(ours, { type: "drop" }, { all: true }))["changed"], 3);
    assert.deepEqual(await ours.list("/queue"), []);
  });
});
