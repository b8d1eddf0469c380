import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { MESSAGE, receivers } from "../../support/local-receiver.ts";
import { delivery, inShort, noSignal, testCourier } from "../../support/scripted-courier.ts";

const stage = receivers();

describe("an address that fails on purpose", () => {
  it("fails at the point and with the code that it says", async () => {
    const { client, arrivals } = await stage();
    await client.reply();
    await client.say("EHLO client.example");
    assert.match((await client.say("MAIL FROM:<mailfrom451@localhost>")) ?? "", /^451 4\.0\.0 /u);
    assert.match((await client.say("MAIL FROM:<app@localhost>")) ?? "", /^250 /u);
    assert.match((await client.say("RCPT TO:<rcpttopermerror@localhost>")) ?? "", /^550 5\.0\.0 /u);
    assert.match((await client.say("RCPT TO:<rcptto452@localhost>")) ?? "", /^452 4\.0\.0 /u);
    assert.match((await client.say("RCPT TO:<permerror@localhost>")) ?? "", /^250 /u);
    await client.say("DATA");
    assert.match((await client.say(`${MESSAGE}.`)) ?? "", /^550 5\.0\.0 /u);
    assert.equal(arrivals.length, 0);
  });

  it("is silent for an hour", async () => {
    const { client, clock } = await stage();
    await client.upToData("app@localhost", "timeout@localhost");
    let answered = false;
    const answer = client.say(`${MESSAGE}.`).finally(() => (answered = true));
    while (clock.pending() === 0) await new Promise(setImmediate);
    clock.advance(3_599_999);
    await new Promise(setImmediate);
    assert.equal(answered, false);
    clock.advance(1);
    assert.match((await answer) ?? "", /^451 4\.0\.0 /u);
  });

  it("does not hold a timer for a client that has left", async () => {
    const { client, clock } = await stage();
    await client.upToData("app@localhost", "timeout@localhost");
    client.send(`${MESSAGE}.\r\n`);
    while (clock.pending() === 0) await new Promise(setImmediate);
    client.hangUp();
    while (clock.pending() > 0) await new Promise(setImmediate);
  });
});

describe("a courier and a receiver together", () => {
  it("deliver, fail and leave in doubt as the address says", async () => {
    const { port, arrivals } = await stage();
    const courier = testCourier({ transports: { local: { kind: "local", host: "127.0.0.1", port } }, deadlineMs: 300 });
    const names = ["you", "permerror", "user451", "timeout", "rcptto552"];
    const recipients = names.map((name, index) => ({
      messageId: index,
      address: `${name}@localhost`,
      notify: null,
      originalRecipient: "",
    }));
    const outcomes = await courier.deliver(delivery({ transport: "local", recipients }), noSignal());
    assert.deepEqual(
      names.map((_, index) => inShort(outcomes.get(index))),
      ["delivered 250 2.6.0", "rejected for good 550 5.0.0", "rejected 451 4.0.0", "uncertain 0", "rejected for good 552 5.0.0"],
    );
    assert.deepEqual(arrivals[0]?.recipients, ["you@localhost"]);
    await courier.close();
  });
});
