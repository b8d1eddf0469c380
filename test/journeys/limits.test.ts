import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { viewsPath } from "../../src/adapters/views/rebuild.ts";
import { removeViews } from "../../src/adapters/views/views-file.ts";
import { DAY_MS, MINUTE_MS } from "../../src/domain/clock.ts";
import { houses, LOGIN, type House } from "../support/posthorn.ts";

const house = houses();

/** `ok`, or the code of the refusal. */
const trySend = async ({ webapi }: House, ...addresses: readonly string[]): Promise<string> => {
  const { status, body } = await webapi("Send", { To: addresses.map((Address) => ({ Address })), Text: "Hi" });
  return status === 200 ? "ok" : (body as { Code: string }).Code;
};

describe("an account's messages per day", () => {
  it("are counted by recipient, refused whole at the limit, and free again a day later", async () => {
    const ours = await house({ account: { messagesPerDay: 3 } });
    assert.equal(await trySend(ours, "ann@there.example", "bob@there.example"), "ok");
    assert.equal(await trySend(ours, "ann@there.example", "bob@there.example"), "messageLimitReached");
    assert.equal(await trySend(ours, "ann@there.example"), "ok");
    assert.equal(await trySend(ours, "ann@there.example"), "messageLimitReached");
    await ours.quiet();
    assert.equal(ours.remote.mails.flatMap(({ to }) => to).length, 3);
    await ours.pass(DAY_MS - MINUTE_MS);
    assert.equal(await trySend(ours, "ann@there.example"), "messageLimitReached");
    await ours.pass(MINUTE_MS);
    assert.equal(await trySend(ours, "ann@there.example", "bob@there.example", "cid@there.example"), "ok");
  });

  it("cannot be got around by many calls at once", async () => {
    const ours = await house({ account: { messagesPerDay: 5 } });
    const results = await Promise.all(Array.from({ length: 20 }, (_, index) => trySend(ours, `reader-${index}@there.example`)));
    assert.equal(results.filter((result) => result === "ok").length, 5);
  });

  it("are known after a restart, and when the views have to be built anew", async () => {
    const ours = await house({ account: { messagesPerDay: 2, keepRetiredMessagePeriod: "1m", keepRetiredWebhookPeriod: "1m" } });
    await trySend(ours, "ann@there.example", "bob@there.example");
    await ours.pass(DAY_MS - MINUTE_MS);
    assert.deepEqual(await ours.list("/retired"), []);
    await ours.stop();
    removeViews(viewsPath(ours.directory));
    await ours.start();
    assert.equal(await trySend(ours, "ann@there.example"), "messageLimitReached");
  });
});

describe("an account's first messages to new recipients", () => {
  it("are limited per day, while known recipients may be written to", async () => {
    const ours = await house({ account: { firstTimeRecipientsPerDay: 2 } });
    assert.equal(await trySend(ours, "ann@there.example", "bob@there.example"), "ok");
    assert.equal(await trySend(ours, "cid@there.example"), "recipientLimitReached");
    assert.equal(await trySend(ours, "Ann+more@there.example", "bob@there.example"), "ok");
    await ours.pass(DAY_MS + MINUTE_MS);
    assert.equal(await trySend(ours, "cid@there.example", "dan@there.example"), "ok");
    assert.equal(await trySend(ours, "eve@there.example"), "recipientLimitReached");
  });
});

describe("guessing passwords", () => {
  it("is stopped with 429, while a client that knows its password goes on", async () => {
    const ours = await house();
    assert.equal(await trySend(ours, "bob@there.example"), "ok");
    const guess = async (password: string): Promise<number> =>
      (await ours.webapi("SuppressionList", {}, { user: "shop@shop.example", password })).status;
    const guesses: number[] = [];
    for (let index = 0; index < 12; index += 1) guesses.push(await guess(`guess ${index}`));
    assert.deepEqual([...new Set(guesses)], [401, 429]);
    assert.equal(await guess(LOGIN.password), 429, "the right one is not heard either");
    assert.equal(await trySend(ours, "bob@there.example"), "ok");
    ours.clock.advance(MINUTE_MS);
    assert.equal(await guess(LOGIN.password), 200);
  });
});
