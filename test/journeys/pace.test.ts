/** A destination that says "too many" is written to more slowly; what waits for it has lost no attempt. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HOUR_MS, MINUTE_MS } from "../../src/domain/clock.ts";
import { houses, type House } from "../support/posthorn.ts";
import { greylisting, type Script } from "../support/scripted-remote.ts";

const house = houses();

const BURST_MS = 100;

type Row = { readonly state: string; readonly attempts: number };

const sendMany = async ({ sendTo }: House, count: number, domain = "there.example"): Promise<readonly number[]> => {
  const ids: number[] = [];
  for (let index = 0; index < count; index += 1) ids.push(await sendTo(`user${index}@${domain}`));
  return ids;
};

describe("a remote that says 421 over a rate", () => {
  it("gets all messages in the end, few of them twice, and another destination does not wait for it", async () => {
    let now = (): number => 0;
    let refused = 0;
    const taken: number[] = [];
    // Five messages a minute, and no more.
    const script: Script = ({ phase, line }) => {
      if (phase === "RCPT" && line.includes("@elsewhere.example")) return undefined;
      if (phase === "RCPT" && taken.filter((at) => at > now() - MINUTE_MS).length >= 5) {
        refused += 1;
        return { cutAfter: "421 4.7.28 Too many messages, slow down" };
      }
      if (phase === "RCPT") taken.push(now());
      return undefined;
    };
    const ours = await house({ remote: { script }, account: { keepRetiredMessagePeriod: "30d" } });
    now = ours.clock.now;
    await sendMany(ours, 20);
    await sendMany(ours, 3, "elsewhere.example");
    // Sent within one moment of the virtual clock, they are a burst, whose deliveries wait until it is over.
    await ours.pass(BURST_MS);
    assert.equal(ours.remote.mails.filter(({ to }) => to[0]?.endsWith("@elsewhere.example")).length, 3);
    const waiting = await ours.list<Row>("/queue?limit=500");
    assert.ok(waiting.filter(({ attempts }) => attempts === 0).length >= 8, "most were not even tried while the remote said no");

    await ours.pass(HOUR_MS);
    const retired = await ours.list<Row>("/retired?limit=500");
    assert.deepEqual([retired.length, retired.every(({ state }) => state === "delivered")], [23, true]);
    const attempts = retired.reduce((sum, row) => sum + row.attempts, 0);
    // What a kept session is refused with 421 is tried once more over a new one, within the same attempt.
    assert.ok(attempts > 23 && attempts <= 23 + refused, `${attempts} attempts, ${refused} refusals`);
    assert.ok(attempts <= 23 + 12, `${attempts} attempts for 23 messages`);
  });
});

describe("a greylister", () => {
  it("sees every message at once, and gets each at its second attempt", async () => {
    const ours = await house({ remote: { script: greylisting() }, account: { keepRetiredMessagePeriod: "1d" } });
    await sendMany(ours, 30);
    await ours.pass(MINUTE_MS);
    assert.ok((await ours.list<Row>("/queue?limit=500")).every(({ attempts }) => attempts === 1));
    await ours.pass(10 * MINUTE_MS);
    const retired = await ours.list<Row>("/retired?limit=500");
    assert.deepEqual([retired.length, retired.every(({ state, attempts }) => state === "delivered" && attempts === 2)], [30, true]);
  });
});

describe("a limit per minute", () => {
  it("is kept to, and what it holds back has no attempt behind it", async () => {
    const ours = await house({ config: { delivery: { maxPerMinutePerDomain: 6 } } });
    await sendMany(ours, 12);
    await ours.pass(MINUTE_MS - 1);
    const after = ours.remote.mails.length;
    assert.ok(after === 6, `${after} in the first minute`);
    assert.ok((await ours.list<Row>("/queue?limit=500")).every(({ attempts }) => attempts === 0));
    await ours.pass(MINUTE_MS);
    assert.equal(ours.remote.mails.length, 12);
  });
});
