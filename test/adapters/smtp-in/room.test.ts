/** Messages that come in at the same time, and the memory that there is for them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { type Room, roomFor, shareOf } from "../../../src/adapters/smtp-in/room.ts";
import { receivers } from "../../support/local-receiver.ts";
import { mailExchangers } from "../../support/mail-exchanger.ts";
import { type Dialogue, smtpDialogue } from "../../support/smtp-dialogue.ts";
import { counters, USER } from "../../support/submission-listener.ts";

describe("a room", () => {
  it("takes until it is full, and again when something was given back", () => {
    const room = roomFor(10);
    assert.deepEqual([room.take(6), room.fits(4), room.fits(5), room.take(5), room.take(4)], [true, true, false, false, true]);
    room.give(6);
    assert.deepEqual([room.fits(6), room.fits(7)], [true, false]);
  });

  it("that is part of another takes there too, and no more than its own part", () => {
    const whole = roomFor(10);
    const part = roomFor(6, whole);
    assert.deepEqual([part.take(7), part.take(6), whole.fits(4), whole.fits(5)], [false, true, true, false]);
    part.give(6);
    assert.deepEqual([whole.take(8), part.fits(3), part.take(3), part.fits(2)], [true, false, false, true]);
    whole.give(8);
    assert.ok(part.fits(6) && whole.fits(10));
  });

  it("gets a share back once", () => {
    const room = roomFor(10);
    const share = shareOf(room);
    assert.deepEqual([share.take(4), share.take(4), share.take(4), room.fits(3)], [true, true, false, false]);
    share.give();
    share.give();
    assert.deepEqual([room.fits(10), room.fits(11)], [true, false]);
  });
});

const ROOM = 20_000;
const LINE = `${"x".repeat(98)}\r\n`;
/** Two of them do not fit, one does. */
const LARGE = `From: ${USER}\r\nSubject: Large\r\n\r\n${LINE.repeat(120)}`;

type Site = {
  readonly room: Room;
  /** Connects, and says what comes before MAIL FROM. */
  readonly enter: () => Promise<Dialogue>;
  readonly stored: () => number;
  readonly to: string;
};

type Open = (store: () => Promise<void>) => Promise<Site>;

const mx = mailExchangers();
const local = receivers();
const counter = counters();

const greeted = async (visitor: Dialogue): Promise<Dialogue> => {
  await visitor.reply();
  await visitor.say("EHLO client.example");
  return visitor;
};

const SITES: Readonly<Record<string, Open>> = {
  "the receiver of mail from the internet": async (store) => {
    const room = roomFor(ROOM);
    let stored = 0;
    const keep = async (): Promise<void> => {
      await store();
      stored += 1;
    };
    const { connect } = await mx({ room, store: keep });
    return { room, enter: async () => greeted(await connect()), stored: () => stored, to: "app@own.example" };
  },
  "the local receiver": async (store) => {
    const room = roomFor(ROOM);
    let stored = 0;
    const onMessage = async () => {
      await store();
      stored += 1;
      return { accepted: true } as const;
    };
    const { port } = await local({ room, onMessage });
    return { room, enter: async () => greeted(await smtpDialogue(port)), stored: () => stored, to: "you@localhost" };
  },
  "the receiver of submissions": async (store) => {
    const room = roomFor(ROOM);
    let stored = 0;
    const submit = async () => {
      await store();
      stored += 1;
      return { accepted: true, submissionId: stored, queued: [{ id: stored, recipient: "", fromId: "" }] } as const;
    };
    const { enter } = await counter({ room, submit });
    return { room, enter, stored: () => stored, to: "bob@there.example" };
  },
};

const upToData = async (visitor: Dialogue, { to }: Site): Promise<void> => {
  assert.match((await visitor.say(`MAIL FROM:<${USER}>`)) ?? "", /^250 /u);
  assert.match((await visitor.say(`RCPT TO:<${to}>`)) ?? "", /^250 /u);
  assert.match((await visitor.say("DATA")) ?? "", /^354 /u);
};

const send = async (visitor: Dialogue, site: Site, message: string): Promise<string> => {
  await upToData(visitor, site);
  return (await visitor.say(`${message}.`)) ?? "";
};

const until = async (condition: () => boolean): Promise<void> => {
  const givenUpAt = performance.now() + 20_000;
  while (!condition()) {
    assert.ok(performance.now() < givenUpAt, "waited in vain");
    await new Promise(setImmediate);
  }
};

const isEmpty = ({ room }: Site): boolean => room.fits(ROOM);

for (const [name, open] of Object.entries(SITES)) {
  describe(name, () => {
    it("turns away what does not fit beside another message, at its end, and takes it later", async () => {
      const site = await open(() => Promise.resolve());
      const [first, second] = [await site.enter(), await site.enter()];
      await upToData(first, site);
      first.send(LARGE);
      await until(() => !site.room.fits(ROOM - LARGE.length + 1));
      await upToData(second, site);
      second.send(LARGE);
      // Were it answered before its end, what follows would be taken for commands.
      second.send(`${LINE.repeat(10)}.\r\n`);
      assert.match((await second.reply()) ?? "", /^452 4\.3\.1 /u);
      assert.match((await first.say(".")) ?? "", /^250 /u);
      assert.match(await send(second, site, LARGE), /^250 /u);
      assert.equal(site.stored(), 2);
      assert.ok(isEmpty(site));
    });

    it("turns away an announced size that does not fit, and takes it later", async () => {
      const site = await open(() => Promise.resolve());
      const [first, second] = [await site.enter(), await site.enter()];
      await upToData(first, site);
      first.send(LARGE);
      await until(() => !site.room.fits(ROOM - LARGE.length + 1));
      const announced = `MAIL FROM:<${USER}> SIZE=${LARGE.length}`;
      assert.match((await second.say(announced)) ?? "", /^452 4\.3\.1 /u);
      assert.match((await second.say(`MAIL FROM:<${USER}> SIZE=500`)) ?? "", /^250 /u);
      await second.say("RSET");
      assert.match((await first.say(".")) ?? "", /^250 /u);
      assert.match((await second.say(announced)) ?? "", /^250 /u);
    });

    it("has room again while a message that did not fit goes on", async () => {
      const site = await open(() => Promise.resolve());
      const [greedy, modest] = [await site.enter(), await site.enter()];
      await upToData(greedy, site);
      greedy.send(LARGE);
      await until(() => !site.room.fits(ROOM - LARGE.length + 1));
      greedy.send(LINE.repeat(120));
      await until(() => isEmpty(site));
      assert.match(await send(modest, site, LARGE), /^250 /u);
      assert.match((await greedy.say(".")) ?? "", /^452 4\.3\.1 /u);
    });

    it("counts a message until it is stored", async () => {
      const begun = Promise.withResolvers<undefined>();
      const stored = Promise.withResolvers<undefined>();
      const site = await open(() => {
        begun.resolve(undefined);
        return stored.promise;
      });
      const [first, second] = [await site.enter(), await site.enter()];
      const answer = send(first, site, LARGE);
      await begun.promise;
      assert.match(await send(second, site, LARGE), /^452 4\.3\.1 /u);
      stored.resolve(undefined);
      assert.match(await answer, /^250 /u);
      assert.ok(isEmpty(site));
    });

    it("gets the room back of a client that leaves in the middle", async () => {
      const site = await open(() => Promise.resolve());
      const visitor = await site.enter();
      await upToData(visitor, site);
      visitor.send(LARGE);
      await until(() => !site.room.fits(ROOM - LARGE.length + 1));
      visitor.hangUp();
      await until(() => isEmpty(site));
      assert.equal(site.stored(), 0);
    });

    it("gets the room back of a message that is refused, or cannot be stored", async () => {
      const site = await open(() => Promise.reject(new Error("the store is out of order")));
      assert.match(await send(await site.enter(), site, LARGE), /^451 4\.3\.0 /u);
      assert.ok(isEmpty(site));
      assert.match(await send(await site.enter(), site, `${LARGE}\n.\r\n`), /^554 5\.6\.0 /u);
      assert.ok(isEmpty(site));
      assert.match(await send(await site.enter(), site, "Received: x\r\n".repeat(150) + LARGE), /^(?:554|451) /u);
      assert.ok(isEmpty(site));
    });
  });
}
