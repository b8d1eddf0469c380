import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import { HOUR_MS } from "../../src/domain/clock.ts";
import { houses } from "../support/posthorn.ts";
import { smallDisk } from "../support/small-disk.ts";

const house = houses();

describe("a server whose disk is full", () => {
  it("answers `server` and stores nothing, and goes on by itself when there is room", async (test) => {
    const disk = smallDisk(16);
    if (disk === undefined) {
      test.skip("only root may mount a small disk");
      return;
    }
    test.after(() => {
      disk.remove();
    });
    const ours = await house({ directory: join(disk.path, "data") });
    const big = { Text: "Thanks.\n".repeat(20_000) };
    await ours.sendTo("ann@there.example");
    await ours.quiet();
    disk.fill(400_000);

    const refusals: unknown[] = [];
    const accepted: number[] = [];
    while (refusals.length < 3) {
      const { status, body } = await ours.webapi("Send", { To: [{ Address: "bob@there.example" }], ...big });
      if (status === 200) accepted.push((body as { Submissions: readonly { QueueMsgID: number }[] }).Submissions[0]!.QueueMsgID);
      else refusals.push([status, (body as { Code: string }).Code]);
    }
    assert.deepEqual(refusals, [
      [400, "server"],
      [400, "server"],
      [400, "server"],
    ]);
    assert.equal((await fetch(`${ours.base()}/healthz`)).status, 200, "it goes on serving");

    disk.makeRoom();
    // An attempt whose end could not be stored stays open until its time is over.
    ours.clock.advance(HOUR_MS);
    await ours.pass(HOUR_MS);
    accepted.push(await ours.sendTo("cid@there.example", big));
    await ours.pass(HOUR_MS);
    for (const trouble of ours.troubles.splice(0)) assert.match(inspect(trouble), /no room is left/u);
    assert.deepEqual(await ours.list("/queue"), []);
    const delivered = (await ours.list("/retired?state=delivered")).map(({ id }) => id);
    for (const id of accepted) assert.ok(delivered.includes(id), `message ${id}`);
    assert.equal(delivered.length, accepted.length + 1, "nothing of a refused message is left");
    assert.deepEqual(await ours.posthorn().store.storedContentIds(0, 10), []);
  });

  for (const freeOctets of [100_000, 200_000]) {
    it(`goes on by itself, or stops and says why, and loses nothing (${freeOctets} octets free)`, async (test) => {
      const disk = smallDisk(16);
      if (disk === undefined) {
        test.skip("only root may mount a small disk");
        return;
      }
      test.after(() => {
        disk.remove();
      });
      const ours = await house({ directory: join(disk.path, "data") });
      await ours.sendTo("ann@there.example");
      await ours.quiet();
      disk.fill(freeOctets);
      const accepted: number[] = [];
      for (;;) {
        const { status, body } = await ours.webapi("Send", { To: [{ Address: "bob@there.example" }], Text: "Hi" });
        if (status !== 200) break;
        accepted.push((body as { Submissions: readonly { QueueMsgID: number }[] }).Submissions[0]!.QueueMsgID);
      }
      disk.makeRoom();
      const troubles = ours.troubles.splice(0);
      for (const trouble of troubles) assert.match(inspect(trouble), /no room is left|database or disk is full/u);
      // The views or the reactions met the full disk first: then the process ends, and says so.
      if (troubles.some((trouble) => trouble instanceof Error)) {
        await ours.stop().catch(() => undefined);
        await ours.start();
      }
      ours.clock.advance(HOUR_MS);
      await ours.pass(HOUR_MS);
      ours.troubles.splice(0);
      const delivered = (await ours.list("/retired?state=delivered&limit=1000")).map(({ id }) => id);
      for (const id of accepted) assert.ok(delivered.includes(id), `message ${id}`);
    });
  }
});
