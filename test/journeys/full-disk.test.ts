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
    await ours.sendTo("ann@there.example");
    await ours.quiet();
    disk.fill(0);
    for (let count = 0; count < 3; count += 1) {
      const { status, body } = await ours.webapi("Send", { To: [{ Address: "bob@there.example" }], Text: "Thanks.\n".repeat(20_000) });
      assert.deepEqual([status, (body as { Code: string }).Code], [400, "server"]);
    }
    assert.equal((await fetch(`${ours.base()}/healthz`)).status, 200, "it goes on serving");
    for (const trouble of ours.troubles.splice(0)) assert.match(inspect(trouble), /no room is left/u);

    disk.makeRoom();
    await ours.sendTo("cid@there.example");
    await ours.quiet();
    assert.deepEqual(
      ours.remote.mails.flatMap(({ to }) => to),
      ["ann@there.example", "cid@there.example"],
    );
    assert.equal(ours.events.filter(({ event }) => event.type === "MessageQueued").length, 2);
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
      // What was done while nothing could be recorded stays open until its time is over.
      ours.clock.advance(HOUR_MS);
      await ours.quiet().catch(async (error: unknown) => {
        // The views or the reactions met the full disk: the process ends, and says so.
        assert.match(inspect(error), /database or disk is full|no room is left/u);
        await ours.stop().catch(() => undefined);
        ours.troubles.splice(0);
        await ours.start();
      });
      ours.clock.advance(HOUR_MS);
      await ours.pass(HOUR_MS);
      for (const trouble of ours.troubles.splice(0)) assert.match(inspect(trouble), /no room is left/u);
      const delivered = (await ours.list("/retired?state=delivered&limit=1000")).map(({ id }) => id);
      for (const id of accepted) assert.ok(delivered.includes(id), `message ${id}`);
    });
  }
});
