import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { viewsPath } from "../../src/adapters/views/rebuild.ts";
import { removeViews } from "../../src/adapters/views/views-file.ts";
import { HOUR_MS } from "../../src/domain/clock.ts";
import { houses } from "../support/posthorn.ts";
import type { Phase } from "../support/scripted-remote.ts";

const house = houses();

describe("a server that is stopped during an SMTP attempt", () => {
  for (const phase of ["CONNECT", "RCPT", "DATA"] satisfies Phase[]) {
    it(`records that it gave up (waiting for the reply to ${phase}), and delivers after the next start`, async () => {
      let isSilent = true;
      const ours = await house({ remote: { script: (step) => (isSilent && step.phase === phase ? { hang: true } : undefined) } });
      await ours.sendTo("bob@there.example");
      await ours.remote.saw(phase);
      await ours.stop();
      isSilent = false;
      await ours.start();
      const { event } = await ours.awaitEvent("DeliveryInterrupted");
      assert.equal(event.attempt, 1);
      assert.equal((await ours.receiver.next("delivered")).body.SMTPCode, 0);
      await ours.quiet();
      assert.equal(ours.remote.mails.length, 1);
      assert.deepEqual(
        (await ours.list("/retired")).map(({ attempts }) => attempts),
        [2],
      );
    });
  }

  it("records that the outcome is unknown when the message was already sent", async () => {
    let isSilent = true;
    const ours = await house({ remote: { script: ({ phase }) => (isSilent && phase === "DOT" ? { hang: true } : undefined) } });
    await ours.sendTo("bob@there.example");
    await ours.remote.saw("DOT");
    await ours.stop();
    isSilent = false;
    await ours.start();
    await ours.awaitEvent("DeliveryUncertain");
    const { event } = await ours.awaitEvent("MessageRequeued");
    await ours.passTo(event.nextAttemptAt);
    await ours.receiver.next("delivered");
  });
});

describe("a server that is stopped during a webhook call", () => {
  it("makes it again after the next start, under the same id", async () => {
    const ours = await house();
    ours.receiver.answer = () => "hang";
    await ours.sendTo("bob@there.example");
    const first = await ours.receiver.next("delivered");
    await ours.stop();
    ours.receiver.answer = () => 200;
    await ours.start();
    const second = await ours.receiver.next("delivered");
    await ours.quiet();
    assert.equal(second.headers["x-mox-webhook-id"], first.headers["x-mox-webhook-id"]);
    assert.deepEqual([first.headers["x-mox-webhook-attempt"], second.headers["x-mox-webhook-attempt"]], ["1", "2"]);
    assert.deepEqual(second.body, first.body);
  });
});

describe("a server that is down when a retry falls due", () => {
  it("makes it at the next start", async () => {
    let isBusy = true;
    const ours = await house({ remote: { script: ({ phase }) => (isBusy && phase === "RCPT" ? "451 4.3.2 Not now" : undefined) } });
    await ours.sendTo("bob@there.example");
    await ours.receiver.next("delayed");
    await ours.quiet();
    await ours.stop();
    isBusy = false;
    ours.clock.advance(HOUR_MS);
    await ours.start();
    await ours.receiver.next("delivered");
  });
});

describe("views that were deleted while the server was down", () => {
  it("are built again, to the same digest and the same pages", async () => {
    const reply = new Map([
      ["bad@there.example", "550 5.1.1 No such user"],
      ["late@there.example", "451 4.3.2 Not now"],
    ]);
    const ours = await house({
      remote: { script: ({ phase, line }) => (phase === "RCPT" ? reply.get(/<(.*)>/u.exec(line)![1]!) : undefined) },
    });
    await ours.send({ To: ["ann", "bad", "late"].map((name) => ({ Address: `${name}@there.example` })) });
    await ours.admin("POST", "/holdrules", { recipientDomain: "held.example" });
    await ours.sendTo("eve@held.example");
    await ours.quiet();
    const paths = ["/queue", "/retired", "/webhooks", "/webhooks/retired", "/suppressions", "/holdrules", "/stats", "/views?digest=true"];
    const seen = (): Promise<readonly unknown[]> => Promise.all(paths.map((path) => ours.admin("GET", path)));
    const before = await seen();
    await ours.stop();
    removeViews(viewsPath(ours.directory));
    await ours.start();
    await ours.quiet();
    assert.deepEqual(await seen(), before);
  });
});
