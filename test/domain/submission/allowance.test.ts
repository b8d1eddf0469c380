/** Limits hold at every moment: before the views know, after they do, and a day later. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Account } from "../../../src/domain/account/account.ts";
import { DAY_MS, HOUR_MS } from "../../../src/domain/clock.ts";
import type { SubmissionRefusal, SubmissionResult } from "../../../src/domain/submission/submission.ts";
import { anAccount } from "../../support/samples.ts";
import { aSubmission, world, type World } from "../../support/world.ts";

const limited = (
  limits: Partial<Account>,
): { readonly one: World; readonly send: (...recipients: readonly string[]) => Promise<SubmissionRefusal["reason"] | "accepted"> } => {
  const account = anAccount(limits);
  const one = world({ accounts: [account] });
  return {
    one,
    send: async (...recipients) => {
      const result = await one.core.submit(aSubmission(recipients, { account }));
      return result.accepted ? "accepted" : result.refusal.reason;
    },
  };
};

const count = (answers: readonly string[], answer: string): number => answers.filter((each) => each === answer).length;

const to = (number: number): string => `r${number}@there.example`;

describe("the limit of messages in 24 hours", () => {
  it("holds for a burst that the views know nothing of", async () => {
    const { one, send } = limited({ messagesPerDay: 5 });
    one.views.follows = "manually";
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => send(to(index))));
    assert.deepEqual([count(answers, "accepted"), count(answers, "messageLimitReached")], [5, 15]);
  });

  it("counts every recipient, and takes a submission whole or not at all", async () => {
    const { one, send } = limited({ messagesPerDay: 5 });
    assert.equal(await send(to(1), to(2), to(3)), "accepted");
    assert.equal(await send(to(4), to(5), to(6)), "messageLimitReached");
    assert.equal(await send(to(4), to(5)), "accepted");
    assert.equal(one.log.all().length, 5);
  });

  it("counts nothing twice when the views catch up in the middle", async () => {
    const { one, send } = limited({ messagesPerDay: 6 });
    one.views.follows = "manually";
    for (let number = 0; number < 6; number += 1) {
      assert.equal(await send(to(number)), "accepted", `message ${number}`);
      if (number % 2 === 0) one.views.catchUp();
    }
    assert.equal(await send(to(7)), "messageLimitReached");
    one.views.catchUp();
    assert.equal(await send(to(7)), "messageLimitReached");
  });

  it("moves with the clock", async () => {
    const { one, send } = limited({ messagesPerDay: 2 });
    await send(to(1));
    await one.pass(12 * HOUR_MS);
    await send(to(2));
    await one.pass(12 * HOUR_MS - 1);
    assert.equal(await send(to(3)), "messageLimitReached");
    await one.pass(1);
    assert.equal(await send(to(3)), "accepted");
    assert.equal(await send(to(4)), "messageLimitReached");
  });

  it("of nothing refuses everything, and none refuses nothing", async () => {
    assert.equal(await limited({ messagesPerDay: 0 }).send(to(1)), "messageLimitReached");
    assert.equal(await limited({}).send(...Array.from({ length: 2_000 }, (_, index) => to(index))), "accepted");
  });
});

describe("the limit of first-time recipients in 24 hours", () => {
  it("holds for a burst, before anything is noted of the recipients", async () => {
    const { one, send } = limited({ firstTimeRecipientsPerDay: 3 });
    one.views.follows = "manually";
    const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => send(to(index))));
    assert.deepEqual([count(answers, "accepted"), count(answers, "recipientLimitReached")], [3, 7]);
  });

  it("does not count whom the account knows, or has just been granted", async () => {
    const { one, send } = limited({ firstTimeRecipientsPerDay: 2 });
    await one.begin();
    one.views.follows = "manually";
    assert.equal(await send(to(1), "R1+tag@there.example"), "accepted");
    assert.equal(await send(to(1), to(2)), "accepted");
    assert.equal(await send(to(3)), "recipientLimitReached");
    assert.equal(await send(to(2), to(1)), "accepted");
    one.views.follows = "soon";
    one.views.catchUp();
    await one.quiet();
    assert.equal(await send(to(3)), "recipientLimitReached");
    assert.equal(await send(to(2), to(1)), "accepted");
    await one.core.stop(0);
  });

  it("holds while the views know of the messages but not yet of the recipients", async () => {
    const { one, send } = limited({ firstTimeRecipientsPerDay: 1 });
    assert.equal(await send(to(1)), "accepted");
    one.views.catchUp();
    assert.equal(one.views.contacted("shop", to(1)), false);
    assert.equal(await send(to(2)), "recipientLimitReached");
    assert.equal(await send(to(1)), "accepted");
  });

  it("moves with the clock, and who is known stays known", async () => {
    const { one, send } = limited({ firstTimeRecipientsPerDay: 1 });
    await one.begin();
    await send(to(1));
    await one.quiet();
    await one.pass(DAY_MS);
    assert.equal(await send(to(1), to(2)), "accepted");
    await one.quiet();
    assert.equal(await send(to(3)), "recipientLimitReached");
    await one.core.stop(0);
  });
});

describe("the storage quota", () => {
  const noBcc = { head: new Uint8Array() };

  it("stops nobody from sending", async () => {
    const { one, send } = limited({ storageQuota: 40 });
    const answers = await Promise.all(Array.from({ length: 5 }, (_, index) => send(to(index))));
    assert.equal(count(answers, "accepted"), 5);
    one.views.catchUp();
    assert.equal(await send(to(9)), "accepted");
  });

  it("holds for the copies of a burst, and counts a content once for all of its recipients", async () => {
    const account = anAccount({ storageQuota: 100 });
    const one = world({ accounts: [account] });
    one.views.follows = "manually";
    const send = () => one.core.submit(aSubmission([to(1), to(2), to(3)], { account, sentCopy: noBcc }));
    const leftOut = (results: readonly SubmissionResult[]) => results.map((result) => result.accepted && result.copyLeftOut === true);
    assert.deepEqual(leftOut(await Promise.all([send(), send(), send(), send()])), [false, false, false, true]);
    one.views.catchUp();
    assert.equal(one.views.storedOctets("shop"), 128);
    assert.deepEqual(leftOut([await send()]), [true]);
  });

  it("has room again when messages are done", async () => {
    const account = anAccount({ storageQuota: 40 });
    const one = world({ accounts: [account] });
    await one.begin();
    const send = async (copy: boolean) => {
      const result = await one.core.submit(aSubmission([to(1)], { account, ...(copy && { sentCopy: noBcc }) }));
      await one.quiet();
      return result.accepted && result.copyLeftOut !== true;
    };
    assert.equal(await send(false), true);
    assert.equal(await send(true), true);
    assert.equal(await send(true), false, "the copy stays");
    await one.core.stop(0);
  });
});

describe("any order of sending, failing to store, catching up and waiting", () => {
  it("keeps within the limits of any 24 hours, and refuses nobody without need", async () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.nat(6).map((recipient) => ({ recipient })) },
      fc.constant("catch up" as const),
      fc.constant("break" as const),
      fc.integer({ min: 1, max: 12 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { one, send } = limited({ messagesPerDay: 5 });
        one.views.follows = "manually";
        let broken = false;
        one.log.before = (what) => {
          if (what === "append" && broken) throw new Error("disk full");
        };
        const sentAt: number[] = [];
        for (const each of steps) {
          if (each === "catch up") one.views.catchUp();
          else if (each === "break") broken = !broken;
          else if (typeof each === "number") one.clock.advance(each * HOUR_MS);
          else {
            const inADay = sentAt.filter((at) => at > one.clock.now() - DAY_MS).length;
            const answer = await send(to(each.recipient)).catch(() => "failed" as const);
            if (answer === "accepted") sentAt.push(one.clock.now());
            assert.equal(answer, inADay >= 5 ? "messageLimitReached" : broken ? "failed" : "accepted");
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
